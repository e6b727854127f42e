"""Pictures as the services describe them: sizes, widths to choose from, and words for who cannot see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Rendition:
    """One size of a picture, in pixels."""

    url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture; options tells which variants it shows, color is its mean for the time before it loads."""

    alt: str
    width: int
    height: int
    color: str
    options: Mapping[str, str]
    renditions: tuple[Rendition, ...]
    jpeg: str

    @property
    def srcset(self) -> str:
        """All widths, for the browser to choose."""
        return ", ".join(f"{each.url} {each.width}w" for each in self.renditions)

    def src(self, width: int) -> str:
        """The smallest rendition that is as wide as that, or the widest; the JPEG when there is none."""
        wide = [each for each in self.renditions if each.width >= width] or list(self.renditions[-1:])
        return wide[0].url if wide else self.jpeg

    @property
    def thumbnail(self) -> str:
        """For small places."""
        return self.src(160)

    @property
    def medium(self) -> str:
        """For browsers that know no srcset."""
        return self.src(640)


def read_picture(data: Any) -> Picture | None:
    """A picture of the services' JSON; null and empty are none."""
    if not data:
        return None
    renditions = tuple(
        Rendition(str(each["url"]), int(each["width"]), int(each["height"])) for each in data["renditions"]
    )
    return Picture(
        alt=str(data["alt"]),
        width=int(data["width"]),
        height=int(data["height"]),
        color=str(data["color"]),
        options=MappingProxyType(dict(data.get("options") or {})),
        renditions=tuple(sorted(renditions, key=lambda each: each.width)),
        jpeg=str(data["jpeg"]),
    )
