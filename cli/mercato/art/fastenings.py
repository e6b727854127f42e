"""What closes a garment: buttons and zips."""

from mercato.art.colors import Tones
from mercato.art.pen import (
    BLACK,
    STEEL,
    WHITE,
    Pen,
    box,
    ellipse,
    line,
    ring,
    stitch,
    teeth,
)


def button(pen: Pen, x: float, y: float, c: Tones) -> str:
    paint = c.at(0.32, 0.02) if c.lightness > 0.5 else c.at(0.74, 0.03)
    button = (
        ellipse(2, 3, 8.5, 8.5, BLACK, 'fill-opacity=".3"')
        + ellipse(0, 0, 8.5, 8.5, paint)
        + ring(0, 0, 6, 6, WHITE, 1.4, 0.3)
        + line("M-2 0h.1M2 0h.1", BLACK, 2.6)
    )
    return pen.again(button, f'x="{x:g}" y="{y:g}"')


def zipper(pen: Pen, c: Tones, top: float, bottom: float) -> str:
    return (
        box(389, top, 22, bottom - top, 2, c(-15))
        + teeth(f"M400 {top + 6:g}V{bottom:g}", STEEL(6), 9, "3 4")
        + line(f"M386 {top + 6}L386 {bottom}M414 {top + 6}L414 {bottom}", c(6), 2.5, 0.6)
        + stitch(f"M379 {top + 8}L379 {bottom}M421 {top + 8}L421 {bottom}", c(-14), 1.5, 0.6)
        + box(394, top + 4, 12, 16, 3, pen.linear([(0, STEEL(18)), (1, STEEL(-18))]))
        + box(396, top + 19, 8, 30, 3, pen.across([(0, STEEL(18)), (1, STEEL(-20))]))
    )
