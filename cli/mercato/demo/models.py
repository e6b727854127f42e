"""What the demo shop is made of, before any service knows of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PUBLISHED = "published"
COLOR = "colour"


@dataclass(frozen=True, slots=True)
class Category:
    """A place in the tree; its path is the slugs from the root down."""

    path: str
    name: str
    description: str

    @property
    def slug(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> str:
        """The path of the one above; empty for a root."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Brand:
    """A house whose products the shop sells."""

    slug: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class OptionValue:
    """One choice; swatch is "#rrggbb" for a color, else empty."""

    code: str
    name: str
    swatch: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """What a variant can be chosen by; display is swatch, pill or select."""

    code: str
    name: str
    display: str
    values: tuple[OptionValue, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """A product with everything that its variants and pictures follow from.

    `price` and `compare_at` (None: no former price) are minor units of EUR, `weight` grams. `categories` are
    paths, the first is the primary one. `options` are the codes of values by the code of the option, besides
    the colors; `surcharges` minor units by "option/value". `close_up` are the colors with a second picture.
    """

    slug: str
    title: str
    subtitle: str
    description: str
    sku: str
    brand: str
    kind: str
    style: str
    categories: tuple[str, ...]
    price: int
    weight: int
    colors: tuple[str, ...]
    details: tuple[tuple[str, str], ...]
    compare_at: int | None = None
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    surcharges: Mapping[str, int] = field(default_factory=dict)
    close_up: tuple[str, ...] = ()
    status: str = PUBLISHED


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing to put into a cart: minor units of EUR, grams, and how many the shop begins with."""

    sku: str
    options: Mapping[str, str]
    price: int
    compare_at: int | None
    barcode: str
    weight: int
    position: int
    status: str
    stock: int


@dataclass(frozen=True, slots=True, order=True)
class Shot:
    """What is drawn: equal shots are equal bytes, however many products show them."""

    kind: str
    style: str
    color: str
    view: str = "front"


@dataclass(frozen=True, slots=True)
class Picture:
    """A shot on a product's page, for the variants of its color."""

    shot: Shot
    alt: str
    position: int

    @property
    def options(self) -> dict[str, str]:
        """The values of options that the picture shows."""
        return {COLOR: self.shot.color}


@dataclass(frozen=True, slots=True)
class Banner:
    """A message in a placement, over a scene or on plain ground.

    target is (kind, ref); categories are paths; theme says whether the background is light or dark; times are
    RFC 3339 or empty.
    """

    placement: str
    title: str
    subtitle: str
    cta_text: str
    target: tuple[str, str]
    theme: str
    background: str
    foreground: str
    priority: int
    audience: str = "all"
    categories: tuple[str, ...] = ()
    scene: str = ""
    alt: str = ""
    starts_at: str = ""
    ends_at: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything, in the order in which it is put on the shelves."""

    categories: tuple[Category, ...]
    brands: tuple[Brand, ...]
    options: tuple[Option, ...]
    products: tuple[Product, ...]
    banners: tuple[Banner, ...]
