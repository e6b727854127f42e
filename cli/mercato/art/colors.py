"""The curated colors of the demo catalogue, and every lighter and darker tone derived from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import atan2, cos, hypot, radians, sin
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Color:
    """A color a product can have: `code` for URLs and options, `name` for people, `hex` as "#rrggbb"."""

    code: str
    name: str
    hex: str


COLORS: Mapping[str, Color] = MappingProxyType(
    {
        code: Color(code, code.capitalize(), value)
        for code, value in {
            "ink": "#23252b",
            "charcoal": "#45474c",
            "stone": "#9c968c",
            "chalk": "#f1eee7",
            "oat": "#ddcfb8",
            "sand": "#cdb18a",
            "clay": "#b98a6c",
            "terracotta": "#c0674a",
            "brick": "#8f3d33",
            "rose": "#c4807f",
            "blush": "#e6bfb5",
            "mustard": "#cf9a35",
            "olive": "#6f6c42",
            "forest": "#2f4f3e",
            "sage": "#9aab90",
            "teal": "#2c6b6d",
            "ocean": "#3b6e93",
            "sky": "#9fbfd6",
            "navy": "#283a5c",
            "lilac": "#a99cc4",
            "walnut": "#62432f",
        }.items()
    }
)


@dataclass(frozen=True, slots=True)
class Tones:
    """A color in OKLCH (Ottosson 2020), so that its shadows keep their hue and never turn muddy."""

    lightness: float
    chroma: float
    hue: float

    def __call__(self, steps: float = 0) -> str:
        """The tone this many hundredths of lightness up (positive) or down, as "#rrggbb"."""
        return _hex(min(0.985, max(0.09, self.lightness + steps / 100)), self._chroma(steps), self.hue)

    def at(self, lightness: float, chroma: float) -> str:
        """The same hue with a lightness (0 to 1) and a chroma (0 to about 0.3) of its own."""
        return _hex(lightness, chroma, self.hue)

    def _chroma(self, steps: float) -> float:
        return self.chroma * max(0.3, 1 - abs(steps) / 90)


@cache
def tones(value: str) -> Tones:
    """The tones of a color given as "#rrggbb"."""
    red, green, blue = (_linear(int(value[at : at + 2], 16) / 255) for at in (1, 3, 5))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return Tones(lightness, hypot(a, b), atan2(b, a))


def warm(lightness: float, chroma: float = 0.012, degrees: float = 75) -> str:
    """A near neutral for walls and paper, as "#rrggbb"."""
    return _hex(lightness, chroma, radians(degrees))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colors (WCAG 2.2, 1.4.3)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(value: str) -> float:
    red, green, blue = (_linear(int(value[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    a, b = chroma * cos(hue), chroma * sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return "#" + "".join(
        f"{_channel(value):02x}"
        for value in (
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        )
    )


def _channel(linear: float) -> int:
    linear = min(1.0, max(0.0, linear))
    encoded = 12.92 * linear if linear <= 0.0031308 else float(1.055 * linear ** (1 / 2.4) - 0.055)
    return round(encoded * 255)
