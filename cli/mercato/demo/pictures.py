"""Which pictures a product has, and what is to be seen in them."""

from mercato.demo.catalogue import looks
from mercato.demo.models import Picture, Product, Shot

_SHADES = {
    "ink": "Ink black",
    "charcoal": "Charcoal grey",
    "stone": "Stone grey",
    "chalk": "Chalk white",
    "oat": "Oat-colored",
    "sand": "Sand-colored",
    "clay": "Clay brown",
    "terracotta": "Terracotta",
    "brick": "Brick red",
    "rose": "Rose pink",
    "blush": "Blush pink",
    "mustard": "Mustard yellow",
    "olive": "Olive green",
    "forest": "Forest green",
    "sage": "Sage green",
    "teal": "Teal",
    "ocean": "Ocean blue",
    "sky": "Sky blue",
    "navy": "Navy blue",
    "lilac": "Lilac",
    "walnut": "Walnut brown",
}
_VIEWS = {"front": "front view", "detail": "close-up"}


def pictures_of(product: Product) -> list[Picture]:
    """The pictures of a product in their order: all colors from the front, then the details."""
    fronts = [Shot(product.kind, product.style, color) for color in product.colors]
    details = [Shot(product.kind, product.style, color, "detail") for color in product.close_up]
    return [Picture(shot, _alt(shot), position) for position, shot in enumerate([*fronts, *details])]


def _alt(shot: Shot) -> str:
    return f"{_SHADES[shot.color]} {looks()[shot.kind, shot.style]}, {_VIEWS[shot.view]}"
