"""Plants and candles."""

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BLACK,
    DARK_WOOD,
    LINEN,
    STEEL,
    WHITE,
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

LEAVES = (Tones(0.5, 0.09, 2.35), Tones(0.44, 0.08, 2.5), Tones(0.58, 0.1, 2.25))

SOIL = Tones(0.32, 0.03, 1.0)


def plant_pot(pen: Pen, c: Tones, style: str) -> str:
    """A potted plant: a leafy rubber plant, or a tall snake plant."""
    tall = style == "tall"
    pot = (
        both("M400 560L282 560L300 800C304 816 316 820 334 820L400 822")
        if tall
        else both("M400 572L268 572C254 640 268 740 306 796C316 808 330 812 350 812L400 814")
    )
    top, rim = (560, 118) if tall else (572, 132)
    plant = _snake(pen) if tall else _rubber(pen)
    return (
        ground(pen, 400, 812, 128, shade(c), 0.17)
        + fill(pot, pen.cylinder(c, 1.2))
        + crease((304, 610, 296, 680, 326, 770), 15, WHITE, 0.42)
        + (
            "".join(
                line(
                    f"M{286 + d // 13} {560 + d}C340 {576 + d} 460 {576 + d} {514 - d // 13} {560 + d}",
                    c(-16),
                    2,
                    0.45,
                )
                for d in (60, 72)
            )
            if tall
            else line("M262 640C320 660 480 660 538 640", c(-16), 2.4, 0.4)
        )
        + ellipse(400, top, rim, 24, pen.across([(0, c(13)), (0.5, c(5)), (1, c(-8))]))
        + ellipse(400, top + 3, rim - 13, 17, pen.linear([(0, SOIL(-12)), (1, SOIL(4))]))
        + plant
    )


def _leaf(pen: Pen, x: float, y: float, length: float, width: float, turn: float, tone: Tones) -> str:
    blade = (
        f"M0 0C{-width} {-length * 0.25:.0f} {-width} {-length * 0.8:.0f} "
        f"0 {-length}C{width} {-length * 0.8:.0f} {width} {-length * 0.25:.0f} 0 0z"
    )
    half = f"M0 0C{-width} {-length * 0.25:.0f} {-width} {-length * 0.8:.0f} 0 {-length}z"
    veins = "".join(
        f"M0 {-length * p:.0f}L{s * width * 0.5:.0f} {-length * (p + 0.13):.0f}"
        for p in (0.25, 0.42, 0.58)
        for s in (-1, 1)
    )
    return (
        f'<g transform="translate({x:g} {y:g}) rotate({turn:g})">'
        + fill(blade, pen.linear([(0, tone(2)), (1, tone(-14))], 0.6, 1))
        + fill(half, pen.linear([(0, tone(14)), (1, tone(0))], 0.4, 1))
        + line(f"M0 0L0 {-length * 0.95:.0f}", tone(20), 2.2, 0.6)
        + line(veins, tone(16), 1.2, 0.4)
        + "</g>"
    )


def _rubber(pen: Pen) -> str:
    near, dark, fresh = LEAVES
    stems = line(
        "M400 574C396 480 404 380 398 280M400 540C370 480 330 440 316 420M402 520C440 470 470 440 488 410",
        dark(-6),
        8,
    )
    leaves = (
        (398, 470, 200, 54, -74, dark),
        (402, 480, 190, 52, 76, dark),
        (396, 380, 190, 54, -46, dark),
        (404, 390, 196, 54, 50, dark),
        (400, 556, 180, 50, -52, near),
        (402, 556, 176, 48, 58, near),
        (398, 330, 190, 52, -20, near),
        (402, 330, 184, 50, 26, near),
        (400, 450, 176, 46, -30, fresh),
        (402, 470, 170, 46, 30, fresh),
        (400, 300, 150, 36, 4, fresh),
    )
    return stems + "".join(_leaf(pen, *leaf) for leaf in leaves)


def _snake(pen: Pen) -> str:
    blades = (
        (346, 420, 250, -8, 1),
        (458, 410, 260, 9, 1),
        (372, 380, 330, -4, 0),
        (432, 370, 300, 5, 0),
        (400, 350, 400, 1, 2),
        (330, 300, 170, -18, 2),
        (468, 300, 180, 17, 0),
    )
    return "".join(_blade(pen, x, length, turn, LEAVES[index]) for x, _, length, turn, index in blades)


def _blade(pen: Pen, x: float, length: float, turn: float, tone: Tones) -> str:
    shape = (
        f"M-17 4C-34 {-length * 0.4:.0f} -24 {-length * 0.8:.0f} "
        f"2 {-length}C26 {-length * 0.8:.0f} 34 {-length * 0.4:.0f} 17 4z"
    )
    bands = "".join(_band(y, 20 * (1 - (y / length) ** 4)) for y in range(40, int(length * 0.82), 26))
    edge = "#d6cf8a"
    return (
        f'<g transform="translate({x:g} 566) rotate({turn:g})">'
        + fill(shape, pen.across([(0, tone(8)), (0.35, tone(2)), (1, tone(-14))]))
        + line(bands, tone(16), 4, 0.4)
        + line(
            f"M-17 4C-34 {-length * 0.4:.0f} -24 {-length * 0.8:.0f} "
            f"2 {-length}C26 {-length * 0.8:.0f} 34 {-length * 0.4:.0f} 17 4",
            edge,
            4,
            0.75,
        )
        + "</g>"
    )


def _band(y: float, half: float) -> str:
    return (
        f"M{-half:.0f} {-y}C{-half * 0.5:.0f} {-y - 12} {-half * 0.2:.0f} {-y + 8} {half * 0.2:.0f} {-y - 6}"
        f"C{half * 0.5:.0f} {-y - 14} {half * 0.75:.0f} {-y + 4} {half:.0f} {-y - 4}"
    )


def candle(pen: Pen, c: Tones, style: str) -> str:
    """A candle: in a tinted glass jar, or a pair of pillars on a tray."""
    return (_pillars if style == "pillars" else _jar)(pen, c)


def _flame(pen: Pen, x: float, y: float) -> str:
    shape = (
        f"M{x} {y}C{x - 22} {y - 8} {x - 20} {y - 40} {x} {y - 78}"
        f"C{x + 20} {y - 40} {x + 22} {y - 8} {x} {y}z"
    )
    core = (
        f"M{x} {y - 4}C{x - 10} {y - 8} {x - 9} {y - 26} {x} {y - 42}"
        f"C{x + 9} {y - 26} {x + 10} {y - 8} {x} {y - 4}z"
    )
    return (
        ellipse(x, y - 34, 130, 140, pen.glow("#ffd88a", 0.6))
        + line(f"M{x} {y + 22}C{x} {y + 10} {x + 2} {y} {x} {y - 12}", "#3b2a20", 5)
        + fill(shape, pen.linear([(0, "#ffb347"), (0.45, "#ffd873"), (1, "#ffe9b0")]))
        + fill(core, "#fffdf0")
    )


def _jar(pen: Pen, c: Tones) -> str:
    body = both("M400 400L246 400L246 764C248 796 264 808 300 810L400 812")
    wax = both("M400 476L258 470L258 758C260 784 276 796 306 798L400 798")
    return (
        ground(pen, 400, 806, 162, shade(c), 0.15)
        + ellipse(400, 400, 154, 24, pen.across([(0, c(8)), (1, c(-12))]))
        + fill(
            body,
            pen.across([(0, c(-10)), (0.08, c(6)), (0.2, c(2)), (0.6, c(-4)), (0.92, c(-14)), (1, c(-4))]),
        )
        + fill(wax, pen.across([(0, c(-2)), (0.3, c(17)), (0.6, c(9)), (1, c(-8))]))
        + ellipse(400, 472, 142, 21, pen.radial([(0, "#fff6dc"), (0.5, c(22)), (1, c(10))]))
        + ellipse(400, 474, 54, 9, "#fff9e8", 'fill-opacity=".8"')
        + _flame(pen, 400, 460)
        + fill(
            "M246 400C250 430 550 430 554 400L554 470C540 500 260 500 246 470z", WHITE, 'fill-opacity=".07"'
        )
        + line("M246 400C250 432 550 432 554 400", c(24), 4, 0.7)
        + line("M246 400C250 368 550 368 554 400", c(-4), 3, 0.5)
        + crease((276, 436, 262, 600, 280, 780), 14, WHITE, 0.7)
        + line("M532 440L532 760", WHITE, 5, 0.2)
        + box(318, 570, 164, 136, 3, BLACK, 'fill-opacity=".14" transform="translate(2 4)"')
        + box(318, 570, 164, 136, 3, pen.across([(0, LINEN(4)), (0.5, LINEN(3)), (1, LINEN(-8))]))
        + line("M328 580h144v116h-144z", LINEN(-34), 1.5, 0.6)
        + line(
            "M400 672V606M400 660C380 654 372 642 370 630C386 632 396 642 400 654"
            "M400 640C420 634 428 622 430 610C414 612 404 622 400 634M400 620C388 "
            "614 384 606 384 598C394 600 399 606 400 614",
            c.at(0.42, min(0.08, c.chroma)),
            2.6,
        )
        + line("M372 684h56", c.at(0.42, min(0.08, c.chroma)), 2, 0.7)
    )


def _pillars(pen: Pen, c: Tones) -> str:
    parts = "".join(
        fill(
            f"M{x - w} {y}L{x - w} 776C{x - w} 792 {x + w} 792 {x + w} 776L{x + w} {y}z", pen.cylinder(c, 1.1)
        )
        + ellipse(x, y, w, w * 0.2, pen.radial([(0, "#fff3d2"), (0.4, c(18)), (1, c(6))]))
        + crease((x - w + 18, y + 30, x - w + 12, 600, x - w + 20, 770), 10, WHITE, 0.4)
        + fill(f"M{x - w} {y}L{x - w} {y + 90}L{x + w} {y + 90}L{x + w} {y}z", pen.veil("#ffe2a0", 0.4, 0))
        + fill(
            f"M{x + w * 0.5:g} {y + 8}"
            f"C{x + w * 0.55:g} {y + 60} {x + w * 0.62:g} {y + 96} {x + w * 0.7:g} {y + 96}"
            f"C{x + w * 0.8:g} {y + 96} {x + w * 0.78:g} {y + 40} {x + w * 0.86:g} {y + 4}"
            "z",
            c(9),
        )
        for x, y, w in ((484, 420, 68), (326, 520, 84))
    )
    return (
        ground(pen, 400, 818, 232, shade(c), 0.11)
        + fill(
            "M180 784C180 812 240 830 400 830C560 830 620 812 620 784L620 778H180z",
            pen.across([(0, DARK_WOOD(0)), (0.3, DARK_WOOD(12)), (1, DARK_WOOD(-12))]),
        )
        + ellipse(400, 778, 220, 34, pen.linear([(0, DARK_WOOD(14)), (1, DARK_WOOD(0))], 1, 0.6))
        + ring(400, 778, 196, 27, DARK_WOOD(-12), 2, 0.6)
        + ellipse(430, 786, 150, 18, BLACK, 'fill-opacity=".25"')
        + parts
        + _flame(pen, 484, 408)
        + _flame(pen, 326, 508)
        + ellipse(556, 784, 26, 11, STEEL(6))
        + line("M534 782C546 776 566 776 578 782", STEEL(-20), 2)
    )


DECORATION = {
    "plant-pot": Kind(plant_pot, ("round", "tall"), 814, (216, 400, 352, 440)),
    "candle": Kind(candle, ("jar", "pillars"), 812, (220, 330, 352, 440)),
}
