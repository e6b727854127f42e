"""What a kind of product is to the rest of the art."""

from collections.abc import Callable
from dataclasses import dataclass

from mercato.art.colors import Tones
from mercato.art.pen import Pen

Draw = Callable[[Pen, Tones, str], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind is drawn on a tile of 800 by 1000.

    `foot` is the height it stands on, 0 for what hangs before a wall; `detail` is the part (x, y, width,
    height) that the closer view shows.
    """

    draw: Draw
    styles: tuple[str, ...]
    foot: int
    detail: tuple[int, int, int, int]

    @property
    def stands(self) -> bool:
        """It needs a floor below it."""
        return self.foot > 0
