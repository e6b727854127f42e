"""Mugs and bottles."""

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BLACK,
    GRAPHITE,
    STEEL,
    WHITE,
    WOOD,
    Pen,
    both,
    box,
    crease,
    ellipse,
    fill,
    ground,
    line,
    ring,
)


def mug(pen: Pen, c: Tones, style: str) -> str:
    """A stoneware mug: classic, or tall with a bare foot."""
    tall = style == "tall"
    x, top, foot = (268, 280, 790) if tall else (226, 380, 780)
    right = 800 - x - 60
    rim, middle = (right - x) / 2, (right + x) / 2
    inward, corner = (10, 40) if tall else (26, 110)
    near, far, base = x + inward, right - inward, foot - 26
    bottom = f"C{near + 20} {foot + 4} {far - 20} {foot + 4} {far} {base}"
    body = (
        f"M{x} {top}C{x} {foot - corner * 2} {x + 4} {foot - corner} {near} {base}{bottom}"
        f"C{right - 4} {foot - corner} {right} {foot - corner * 2} {right} {top}z"
    )
    y = top + (foot - top) * (0.2 if tall else 0.17)
    loop = (
        f"M{right - 6} {y}"
        f"C{right + 96} {y - 26} {right + 138} {y + 60} {right + 112} {y + 140}"
        f"C{right + 92} {y + 200} {right + 44} {y + 226} {right - 12} {y + 222}"
    )
    glaze = (
        f"M{x + 3} {foot - 120}"
        f"C{middle - 90} {foot - 74} {middle + 90} {foot - 74} {right - 3} {foot - 120}"
        f"C{right - 4} {foot - 60} {right - 8} {foot - 40} {right - inward} {foot - 26}"
        f"C{right - inward - 20} {foot + 4} {x + inward + 20} {foot + 4} {x + inward} {foot - 26}"
        f"C{x + 8} {foot - 40} {x + 4} {foot - 60} {x + 3} {foot - 120}z"
    )
    clay = Tones(0.72, 0.055, 1.15)
    return (
        ground(pen, middle, foot - 4, rim, shade(c), 0.14)
        + line(loop, c(-20), 46)
        + line(loop, pen.linear([(0, c(8)), (0.5, c(-4)), (1, c(-14))], 0.4, 1), 40)
        + line(loop, WHITE, 6, 0.3, 'transform="translate(-8 -10)"')
        + fill(body, pen.cylinder(c, 1.15))
        + (
            fill(glaze, pen.cylinder(clay, 1.1))
            + line(
                f"M{x + 3} {foot - 120}"
                f"C{middle - 90} {foot - 74} {middle + 90} {foot - 74} {right - 3} {foot - 120}",
                c(-14),
                4,
                0.6,
            )
            if tall
            else line(f"M{near} {base}{bottom}", clay(-8), 7, 0.9)
        )
        + _speckles(x + 20, right - 20, top + 50, foot - (140 if tall else 60), c)
        + crease((x + 44, top + 50, x + 32, (top + foot) / 2, x + 54, foot - 90), 17, WHITE, 0.55)
        + crease((right - 30, top + 40, right - 18, (top + foot) / 2, right - 40, foot - 60), 12, WHITE, 0.14)
        + ellipse(middle, top, rim, rim * 0.19, pen.across([(0, c(14)), (0.5, c(6)), (1, c(-6))]))
        + ellipse(middle, top + 3, rim - 12, rim * 0.19 - 8, pen.linear([(0, c(-20)), (1, c(2))], 0.7, 1))
        + _coffee(pen, middle, top, rim)
    )


def _coffee(pen: Pen, x: float, y: float, rim: float) -> str:
    width, low = rim - 20, y + rim * 0.2
    left, right = x - width * 0.6, x + width * 0.6
    surface = (
        f"M{x - width} {y + 8}C{left:.0f} {y - 10} {right:.0f} {y - 10} {x + width} {y + 8}"
        f"C{right:.0f} {low:.0f} {left:.0f} {low:.0f} {x - width} {y + 8}z"
    )
    foam = (
        f"M{x - width * 0.8:.0f} {y + 12}C{x - width * 0.4:.0f} {low - rim * 0.04:.0f}"
        f" {x:.0f} {low - rim * 0.03:.0f} {x + width * 0.2:.0f} {low - rim * 0.04:.0f}"
    )
    brown = pen.across([(0, "#3a2216"), (0.4, "#5a3622"), (1, "#2c180f")])
    return fill(surface, brown) + line(foam, "#c09468", 2.5, 0.6)


def _speckles(left: float, right: float, top: float, bottom: float, c: Tones) -> str:
    # The golden ratio spreads the dots evenly without a pattern and without chance.
    dots = "".join(
        f"M{left + (i * 0.618034 % 1) * (right - left):.0f} {top + (i + 0.5) / 42 * (bottom - top):.0f}h.1"
        for i in range(42)
    )
    return line(dots, c(-24), 3.2, 0.45)


def bottle(pen: Pen, c: Tones, style: str) -> str:
    """A drinking bottle: an insulated flask with a loop or a sports bottle of glass."""
    return (_glass if style == "glass" else _flask)(pen, c)


def _flask(pen: Pen, c: Tones) -> str:
    body = both("M400 288L344 288C340 318 296 330 286 384L284 780C286 804 300 812 326 812L400 814")
    return (
        ground(pen, 400, 808, 122, shade(c), 0.17)
        + line("M352 196C338 140 366 122 400 122C434 122 462 140 448 196", GRAPHITE(-4), 17)
        + line("M350 186C342 144 368 126 398 125", GRAPHITE(34), 4, 0.7)
        + box(338, 192, 124, 70, 10, pen.cylinder(GRAPHITE, 1.6))
        + line("".join(f"M{x} 206V250" for x in range(350, 456, 11)), BLACK, 2.4, 0.4)
        + box(346, 258, 108, 32, 3, pen.cylinder(STEEL, 1.8))
        + fill(
            body,
            pen.across(
                [
                    (0, c(-14)),
                    (0.1, c(-3)),
                    (0.25, c(13)),
                    (0.38, c(5)),
                    (0.65, c(-3)),
                    (0.9, c(-15)),
                    (0.96, c(-18)),
                    (1, c(-11)),
                ]
            ),
        )
        + crease((346, 300, 300, 350, 316, 440), 10, WHITE, 0.5)
        + line("M318 400L318 768", WHITE, 12, 0.2)
        + line("M332 410L332 760", WHITE, 3, 0.16)
        + line("M286 386C330 400 470 400 514 386", c(-18), 2, 0.35)
        + fill(both("M400 790L284 776C286 804 300 812 326 812L400 814"), pen.cylinder(STEEL, 1.8))
        + line("M285 776C330 790 470 790 515 776", BLACK, 2, 0.35)
        + fill(
            "M388 560C388 540 412 540 412 560C412 572 400 584 400 592C400 584 388 572 388 560z",
            c(20) if c.lightness < 0.7 else c(-26),
            'fill-opacity=".8"',
        )
        + line("M376 604h48", c(20) if c.lightness < 0.7 else c(-26), 3, 0.8)
    )


def _glass(pen: Pen, c: Tones) -> str:
    body = both("M400 262L352 262L350 300C346 340 292 350 290 410L290 778C292 802 304 810 330 812L400 812")
    sleeve = both("M400 470L288 462L288 780C290 806 302 814 330 816L400 816")
    water = both("M400 404L293 398L290 470L400 480")
    return (
        ground(pen, 400, 810, 120, shade(c), 0.17)
        + fill(
            body,
            pen.across(
                [
                    (0, "#b9c6c8"),
                    (0.12, "#eef4f4"),
                    (0.3, "#ffffff"),
                    (0.6, "#dbe5e6"),
                    (0.9, "#a9b8bb"),
                    (1, "#c9d5d7"),
                ]
            ),
            'fill-opacity=".75"',
        )
        + fill(water, pen.across([(0, "#9fc0c6"), (0.3, "#d8eaec"), (1, "#8fb0b7")]), 'fill-opacity=".7"')
        + ellipse(400, 400, 107, 11, "#e9f5f6", 'fill-opacity=".85"')
        + ring(400, 400, 107, 11, "#8fb0b7", 1.5, 0.6)
        + crease((352, 310, 306, 360, 308, 450), 8, WHITE, 0.9)
        + line("M488 400L488 456", WHITE, 5, 0.5)
        + box(344, 256, 112, 14, 5, "#dfe8e9")
        + box(340, 190, 120, 72, 8, pen.cylinder(WOOD, 1.2))
        + line("M342 212C380 216 420 208 458 212M342 232C380 228 420 238 458 234", WOOD(-24), 1.6, 0.5)
        + ellipse(400, 191, 60, 10, WOOD(12))
        + ring(400, 191, 34, 5, WOOD(-12), 1.5, 0.6)
        + fill(
            sleeve,
            pen.across(
                [
                    (0, c(-14)),
                    (0.1, c(-3)),
                    (0.26, c(10)),
                    (0.45, c(3)),
                    (0.8, c(-9)),
                    (0.96, c(-17)),
                    (1, c(-11)),
                ]
            ),
        )
        + line("M288 463C330 478 470 478 512 463", c(16), 4, 0.6)
        + line(
            "".join(f"M289 {y}C330 {y + 15} 470 {y + 15} 511 {y}" for y in range(500, 780, 28)),
            c(-18),
            3,
            0.5,
        )
        + line(
            "".join(f"M289 {y}C330 {y + 15} 470 {y + 15} 511 {y}" for y in range(504, 784, 28)), c(14), 2, 0.4
        )
    )


TABLEWARE = {
    "mug": Kind(mug, ("classic", "tall"), 784, (210, 310, 352, 440)),
    "bottle": Kind(bottle, ("flask", "glass"), 812, (240, 150, 320, 400)),
}
