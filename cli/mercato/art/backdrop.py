"""The wall and the floor behind a product, tinted to suit its color."""

from itertools import pairwise

from mercato.art.colors import Tones

FLOOR = 690
COVE = 60


def backdrop(color: Tones, stands: bool) -> str:
    """A studio backdrop of 800 by 1000 that sets the color off: darker behind pale things."""
    lightness, chroma = _tint(color)
    if not stands:
        ends = color.at(lightness + 0.022, chroma), color.at(lightness - 0.03, chroma * 1.15)
        return bands((0, 1000), ends)
    wall = color.at(lightness + 0.012, chroma), color.at(lightness - 0.035, chroma * 1.2)
    floor = color.at(lightness + 0.02, chroma * 0.9), color.at(lightness - 0.02, chroma * 1.1)
    return (
        bands((0, FLOOR - COVE), wall)
        + bands((FLOOR - COVE, FLOOR + COVE), (wall[1], floor[0]))
        + bands((FLOOR + COVE, 1000), floor)
    )


def shade(color: Tones) -> str:
    """The color of shadows on the backdrop of a product of this color."""
    return color.at(0.22, min(color.chroma, 0.025))


def bands(reach: tuple[int, int], ends: tuple[str, str], width: int = 800) -> str:
    """A vertical gradient from one color to the other between two heights."""
    # Flat bands of one 8-bit step look the same as a gradient and rasterise five times as fast. Each reaches
    # under the next: where two only met between pixels, what is behind them would shine through.
    top, bottom = _channels(ends[0]), _channels(ends[1])
    count = max(1, *(abs(a - b) for a, b in zip(top, bottom, strict=True)))
    y0, y1 = reach
    edges = [round(y0 + (y1 - y0) * step / count) for step in range(count + 1)]
    return "".join(
        f'<path d="M0 {y}h{width}V{below + 1}H0z" fill="{_between(top, bottom, (step + 0.5) / count)}"/>'
        for step, (y, below) in enumerate(pairwise(edges))
        if below > y
    )


def _tint(color: Tones) -> tuple[float, float]:
    if color.lightness > 0.83:
        return 0.815, min(0.022, max(0.012, color.chroma * 0.4))
    if color.lightness > 0.66:
        return 0.928, min(0.017, max(0.008, color.chroma * 0.2))
    return 0.908, min(0.02, max(0.006, color.chroma * 0.2))


def _channels(value: str) -> tuple[int, ...]:
    return tuple(int(value[at : at + 2], 16) for at in (1, 3, 5))


def _between(top: tuple[int, ...], bottom: tuple[int, ...], part: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(top, bottom, strict=True))
