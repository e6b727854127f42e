"""The strokes and the shading every drawing is made of."""

import re
from collections.abc import Sequence
from math import hypot

from mercato.art.colors import Tones

Stops = Sequence[tuple[float, str]]

WOOD = Tones(0.72, 0.075, 1.2)
DARK_WOOD = Tones(0.42, 0.06, 0.95)
TAN = Tones(0.58, 0.09, 1.05)
STEEL = Tones(0.72, 0.008, 4.2)
BRASS = Tones(0.72, 0.095, 1.45)
RUBBER = Tones(0.93, 0.014, 1.4)
GRAPHITE = Tones(0.3, 0.008, 4.6)
LINEN = Tones(0.9, 0.02, 1.4)
BLACK = "#14110f"
WHITE = "#ffffff"

SOFTNESS = 4


class Pen:
    """Collects the gradients of a drawing; `prefix` keeps several drawings in one picture apart."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._definitions: dict[str, str] = {}

    @property
    def definitions(self) -> str:
        """Everything the drawing refers to, to be put into <defs>."""
        return "".join(body.replace("@", name) for body, name in self._definitions.items())

    def linear(self, stops: Stops, x: float = 0, y: float = 1) -> str:
        """A fill running from the top left of the shape's box towards (x, y), in parts of the box."""
        return self._url(f'<linearGradient id="@" x2="{x:g}" y2="{y:g}">{_stops(stops)}</linearGradient>')

    def across(self, stops: Stops) -> str:
        """A fill running from left to right."""
        return self.linear(stops, 1, 0)

    def radial(self, stops: Stops, cx: float = 0.5, cy: float = 0.5, r: float = 0.5) -> str:
        """A fill running outwards from (cx, cy), in parts of the shape's box."""
        circle = f'cx="{cx:g}" cy="{cy:g}" r="{r:g}"'
        return self._url(f'<radialGradient id="@" {circle}>{_stops(stops)}</radialGradient>')

    def glow(self, color: str, opacity: float, middle: float = 0.45) -> str:
        """A spot of a color that fades out softly."""
        return self._url(
            f'<radialGradient id="@"><stop stop-color="{color}" stop-opacity="{opacity:g}"/>'
            f'<stop offset=".5" stop-color="{color}" stop-opacity="{opacity * middle:.3g}"/>'
            f'<stop offset="1" stop-color="{color}" stop-opacity="0"/></radialGradient>'
        )

    def veil(self, color: str, start: float, end: float, x: float = 0, y: float = 1) -> str:
        """A color whose opacity runs from start to end towards (x, y)."""
        return self._url(
            f'<linearGradient id="@" x2="{x:g}" y2="{y:g}">'
            f'<stop stop-color="{color}" stop-opacity="{start:g}"/>'
            f'<stop offset="1" stop-color="{color}" stop-opacity="{end:g}"/></linearGradient>'
        )

    def clip(self, shape: str) -> str:
        """A reference for clip-path that lets only the inside of the path through."""
        return self._url(f'<clipPath id="@"><path d="{shape}"/></clipPath>')

    def cylinder(self, tones: Tones, depth: float = 1) -> str:
        """A fill that makes a shape round when the light comes from the left."""
        profile = ((0, -9), (0.1, -1), (0.27, 8), (0.45, 3), (0.75, -9), (0.93, -17), (1, -12))
        return self.across([(at, tones(step * depth)) for at, step in profile])

    def cloth(self, tones: Tones, depth: float = 1) -> str:
        """A fill for a panel of cloth that bulges a little."""
        profile = ((0, -7), (0.16, 1), (0.36, 3.5), (0.66, -1), (0.88, -6), (1, -12))
        return self.across([(at, tones(step * depth)) for at, step in profile])

    def again(self, drawing: str, more: str = "") -> str:
        """The drawing, stored once however often it is wanted."""
        name = self._name(f'<g id="@">{drawing}</g>')
        return f'<use href="#{name}"{_more(more)}/>'

    def _url(self, body: str) -> str:
        return f"url(#{self._name(body)})"

    def _name(self, body: str) -> str:
        return self._definitions.setdefault(body, f"{self._prefix}{len(self._definitions)}")


def fill(shape: str, paint: str, more: str = "") -> str:
    """A filled path."""
    return f'<path d="{shape}" fill="{paint}"{_more(more)}/>'


def line(shape: str, paint: str, width: float = 2, opacity: float = 1, more: str = "") -> str:
    """A stroked path; the document gives all strokes round ends."""
    faint = "" if opacity == 1 else f' stroke-opacity="{opacity:g}"'
    return f'<path d="{shape}" fill="none" stroke="{paint}" stroke-width="{width:g}"{faint}{_more(more)}/>'


def ellipse(cx: float, cy: float, rx: float, ry: float, paint: str, more: str = "") -> str:
    """A filled ellipse."""
    return f'<ellipse cx="{cx:g}" cy="{cy:g}" rx="{rx:g}" ry="{ry:g}" fill="{paint}"{_more(more)}/>'


def ring(cx: float, cy: float, rx: float, ry: float, paint: str, width: float = 2, opacity: float = 1) -> str:
    """A stroked ellipse."""
    return (
        f'<ellipse cx="{cx:g}" cy="{cy:g}" rx="{rx:g}" ry="{ry:g}" fill="none"'
        f' stroke="{paint}" stroke-width="{width:g}" stroke-opacity="{opacity:g}"/>'
    )


def box(x: float, y: float, width: float, height: float, radius: float, paint: str, more: str = "") -> str:
    """A filled rectangle with round corners."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}"'
        f' fill="{paint}"{_more(more)}/>'
    )


def stitch(shape: str, paint: str, width: float = 1.8, opacity: float = 0.75, dash: str = "7 5") -> str:
    """A row of stitches."""
    return line(shape, paint, width, opacity, f'stroke-dasharray="{dash}"')


def teeth(shape: str, paint: str, width: float, dash: str) -> str:
    """The teeth of a zip along a path."""
    return (
        f'<path d="{shape}" fill="none" stroke="{paint}" stroke-width="{width:g}" stroke-dasharray="{dash}"'
        ' stroke-linecap="butt"/>'
    )


def seam(shape: str, tones: Tones, depth: float = 1) -> str:
    """A line where two panels meet: a dark furrow with a lit lip below it."""
    dark, lit = tones(-16 * depth), tones(9 * depth)
    return line(shape, lit, 2, 0.45, 'transform="translate(1.5 2)"') + line(shape, dark, 2.2, 0.75)


def crease(
    points: tuple[float, float, float, float, float, float],
    width: float,
    paint: str,
    opacity: float = 0.2,
) -> str:
    """A soft fold along a quadratic curve (start, bend, end), widest at its bend and thin at its ends.

    Nested lenses stand in for a blur, which costs a hundred times as much.
    """
    x0, y0, cx, cy, x1, y1 = points
    length = hypot(x1 - x0, y1 - y0) or 1
    nx, ny = (y0 - y1) / length, (x1 - x0) / length
    lenses = "".join(
        _lens((x0, y0), (cx + nx * reach, cy + ny * reach), (x1, y1), (cx - nx * reach, cy - ny * reach))
        for reach in (width * (step + 1) / SOFTNESS for step in range(SOFTNESS))
    )
    return f'<g fill="{paint}" fill-opacity="{opacity / SOFTNESS:.3g}">{lenses}</g>'


def halo(
    pen: Pen,
    shape: str,
    paint: str,
    dx: float = 12,
    dy: float = 18,
    reach: float = 0.05,
    opacity: float = 0.3,
) -> str:
    """The soft shadow of something that hangs or lies a little before the wall, `reach` being its blur."""
    layers = 6
    copies = []
    for step in range(layers):
        scale = 1 + reach * (2 * step / (layers - 1) - 0.9)
        x, y = 400 * (1 - scale) + dx, 500 * (1 - scale) + dy
        matrix = f'transform="matrix({scale:.3f} 0 0 {scale:.3f} {x:.1f} {y:.1f})"'
        copies.append(pen.again(f'<path d="{shape}"/>', matrix))
    return f'<g fill="{paint}" fill-opacity="{opacity / layers:.3g}">{"".join(copies)}</g>'


def ground(pen: Pen, x: float, y: float, reach: float, paint: str = BLACK, depth: float = 0.13) -> str:
    """The shadow of something `reach` to each side that stands on y: tight below it, long to the right."""
    long = ellipse(x + reach * 0.22, y, reach * 1.5, reach * depth * 1.9, pen.glow(paint, 0.3))
    tight = ellipse(x + 3, y, reach * 1.12, reach * depth, pen.glow(paint, 0.6, 0.65))
    return long + tight


def moved(drawing: str, dx: float, dy: float, scale: float = 1, turn: float = 0) -> str:
    """The drawing scaled and turned about its origin, then moved."""
    turned = f" rotate({turn:g})" if turn else ""
    scaled = f" scale({scale:g})" if scale != 1 else ""
    return f'<g transform="translate({dx:g} {dy:g}){turned}{scaled}">{drawing}</g>'


def flipped(drawing: str) -> str:
    """The drawing mirrored at the middle of the tile."""
    return f'<g transform="matrix(-1 0 0 1 800 0)">{drawing}</g>'


def both(half: str) -> str:
    """The closed outline whose left half this is, from the top of the middle axis to its foot."""
    start, *segments = _segments(half)
    points = [start[1][0]]
    back = []
    for command, coordinates in segments:
        back.append((command, [*reversed(coordinates[:-1]), points[-1]]))
        points.append(coordinates[-1])
    mirrored = [(command, [(800 - x, y) for x, y in coordinates]) for command, coordinates in reversed(back)]
    far = [] if points[-1][0] == 400 else [("L", [(800 - points[-1][0], points[-1][1])])]
    return _path([start, *segments, *far, *mirrored]) + "z"


def _segments(path: str) -> list[tuple[str, list[tuple[float, float]]]]:
    segments = []
    for command, numbers in re.findall(r"([MLQC])([^MLQC]*)", path):
        values = [float(value) for value in re.findall(r"-?\d+(?:\.\d+)?", numbers)]
        segments.append((command, list(zip(values[::2], values[1::2], strict=True))))
    return segments


def _path(segments: Sequence[tuple[str, list[tuple[float, float]]]]) -> str:
    return "".join(c + " ".join(f"{x:g} {y:g}" for x, y in points) for c, points in segments)


def _lens(*corners: tuple[float, float]) -> str:
    start, near, end, far = ((round(x), round(y)) for x, y in corners)
    there = f"q{near[0] - start[0]} {near[1] - start[1]} {end[0] - start[0]} {end[1] - start[1]}"
    back = f"q{far[0] - end[0]} {far[1] - end[1]} {start[0] - end[0]} {start[1] - end[1]}"
    return f'<path d="M{start[0]} {start[1]}{there}{back}"/>'.replace(" -", "-")


def _stops(stops: Stops) -> str:
    return "".join(f'<stop offset="{at:g}" stop-color="{paint}"/>' for at, paint in stops)


def _more(attributes: str) -> str:
    return f" {attributes}" if attributes else ""
