"""Contact sheets: the whole catalogue at a glance, for whoever changes a drawing."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import cycle, islice

from PIL import Image

from mercato.art.catalogue import KINDS, STYLES, picture
from mercato.art.colors import COLORS
from mercato.art.raster import rasterise
from mercato.art.scenes import SCENES, scene

COLUMNS = 8
TILE = 300


def catalogue_sheet(kinds: Iterable[str] = KINDS, each: int = 4, tile: int = TILE) -> bytes:
    """A PNG with every kind and style in a few colors, and the detail of the first."""
    pngs: list[bytes] = []
    palette = cycle(COLORS)
    for kind in kinds:
        for style in STYLES[kind]:
            colors = list(islice(palette, each))
            pngs += [rasterise(picture(kind, style, color), tile) for color in colors[:-1]]
            pngs.append(rasterise(picture(kind, style, colors[-1], "detail"), tile))
    return paste(pngs, COLUMNS)


def scene_sheet(width: int = 1200) -> bytes:
    """A PNG with every scene."""
    return paste([rasterise(scene(name), width) for name in SCENES], 2)


def paste(pngs: Sequence[bytes], columns: int) -> bytes:
    """Pictures of one size in rows, as one PNG."""
    pictures = [Image.open(BytesIO(png)).convert("RGB") for png in pngs]
    width, height = pictures[0].size
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (width * columns, height * rows), "white")
    for index, tile in enumerate(pictures):
        sheet.paste(tile, (index % columns * width, index // columns * height))
    out = BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()
