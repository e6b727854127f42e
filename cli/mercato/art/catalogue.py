"""The pictures of the demo catalogue."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from mercato.art.accessories import ACCESSORIES
from mercato.art.backdrop import backdrop
from mercato.art.bags import BAGS
from mercato.art.boots import BOOTS
from mercato.art.chairs import CHAIRS
from mercato.art.colors import COLORS, Tones, tones
from mercato.art.decoration import DECORATION
from mercato.art.dresses import DRESSES
from mercato.art.jackets import JACKETS
from mercato.art.jeans import JEANS
from mercato.art.kinds import Kind
from mercato.art.lamps import LAMPS
from mercato.art.pen import Pen
from mercato.art.sneakers import SNEAKERS
from mercato.art.tableware import TABLEWARE
from mercato.art.tech import TECH
from mercato.art.tops import TOPS

_KINDS: dict[str, Kind] = {
    **TOPS,
    **JACKETS,
    **DRESSES,
    **JEANS,
    **SNEAKERS,
    **BOOTS,
    **ACCESSORIES,
    **BAGS,
    **TECH,
    **LAMPS,
    **CHAIRS,
    **TABLEWARE,
    **DECORATION,
}
KINDS: tuple[str, ...] = tuple(_KINDS)
STYLES: Mapping[str, tuple[str, ...]] = MappingProxyType({name: kind.styles for name, kind in _KINDS.items()})
VIEWS = ("front", "detail")


class UnknownKind(LookupError):
    """There is no such kind of product."""


class UnknownStyle(LookupError):
    """The kind has no such style."""


class UnknownColor(LookupError):
    """The palette has no such color."""


class UnknownView(LookupError):
    """A picture has the views "front" and "detail"."""


def picture(kind: str, style: str, color: str, view: str = "front") -> str:
    """The SVG (4:5, under 12 KB) of a product; equal arguments give identical bytes.

    Raises: UnknownKind, UnknownStyle, UnknownColor, UnknownView.
    """
    shades = tones_of(color)
    pen = Pen()
    body = backdrop(shades, kind_of(kind).stands) + drawing(pen, kind, style, shades)
    return svg(_box(kind_of(kind), view), (pen,), body)


def drawing(pen: Pen, kind: str, style: str, shades: Tones) -> str:
    """The product alone, on a tile of 800 by 1000.

    Raises: UnknownKind, UnknownStyle.
    """
    if style not in kind_of(kind).styles:
        raise UnknownStyle(f"{kind} has no style {style!r}.")
    return kind_of(kind).draw(pen, shades, style)


def kind_of(name: str) -> Kind:
    """Raises: UnknownKind."""
    try:
        return _KINDS[name]
    except KeyError as exc:
        raise UnknownKind(f"There is no kind {name!r}.") from exc


def tones_of(color: str) -> Tones:
    """Raises: UnknownColor."""
    try:
        return tones(COLORS[color].hex)
    except KeyError as exc:
        raise UnknownColor(f"There is no color {color!r}.") from exc


def svg(viewbox: tuple[int, int, int, int], pens: Iterable[Pen], body: str) -> str:
    """The whole document, with what its pens defined."""
    definitions = "".join(pen.definitions for pen in pens)
    size = " ".join(str(part) for part in viewbox)
    ends = 'stroke-linecap="round" stroke-linejoin="round"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" {ends}>'
        f"<defs>{definitions}</defs>{body}</svg>"
    )


def _box(kind: Kind, view: str) -> tuple[int, int, int, int]:
    if view not in VIEWS:
        raise UnknownView(f"A picture has no view {view!r}.")
    return kind.detail if view == "detail" else (0, 0, 800, 1000)
