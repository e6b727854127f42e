"""Lamps, all of them lit."""

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BRASS,
    LINEN,
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

LIGHT = "#ffeebf"


def lamp(pen: Pen, c: Tones, style: str) -> str:
    """A lamp: a domed desk lamp, a floor lamp with an arc or a ceramic table lamp."""
    return {"arc": _arc, "table": _table}.get(style, _dome)(pen, c)


def _dome(pen: Pen, c: Tones) -> str:
    shell = both("M400 214C290 214 220 292 210 400C270 420 340 424 400 424")
    return (
        ground(pen, 400, 806, 150, shade(c), 0.16)
        + ellipse(400, 560, 250, 190, pen.glow(LIGHT, 0.5))
        + fill(both("M400 770C300 770 268 782 266 796L266 806C290 822 340 826 400 826"), pen.cylinder(c))
        + ellipse(400, 786, 132, 22, pen.linear([(0, c(10)), (1, c(-6))], 1, 0.6))
        + line("M272 782C300 770 350 765 398 765", WHITE, 2.5, 0.4)
        + box(390, 420, 20, 364, 4, pen.cylinder(BRASS, 1.5))
        + ellipse(400, 784, 22, 6, BRASS(-12))
        + ellipse(400, 780, 20, 5, BRASS(8))
        + ellipse(400, 408, 188, 28, pen.radial([(0, "#fff8e0"), (0.5, LIGHT), (1, "#d9a860")]))
        + ellipse(400, 414, 34, 26, "#fffdf4")
        + fill(
            shell,
            pen.across(
                [
                    (0, c(-10)),
                    (0.12, c(0)),
                    (0.3, c(13)),
                    (0.5, c(4)),
                    (0.8, c(-10)),
                    (0.95, c(-18)),
                    (1, c(-14)),
                ]
            ),
        )
        + fill(
            "M210 400C270 420 340 424 400 424C460 424 530 420 590 400L588 "
            "392C530 411 460 415 400 415C340 415 270 411 212 392z",
            c(14),
            'fill-opacity=".55"',
        )
        + crease((286, 262, 246, 310, 236, 392), 16, WHITE, 0.42)
        + ellipse(400, 416, 90, 9, LIGHT, 'fill-opacity=".8"')
        + box(384, 188, 32, 32, 6, pen.cylinder(BRASS, 1.5))
        + ellipse(400, 188, 16, 6, BRASS(14))
    )


def _arc(pen: Pen, c: Tones) -> str:
    pole = "M560 816C600 500 590 170 420 150C320 140 268 190 262 272"
    shell = "M170 392C166 310 204 264 262 264C320 264 358 310 354 392C300 408 224 408 170 392z"
    return (
        ground(pen, 556, 822, 112, shade(c), 0.16)
        + ellipse(262, 424, 250, 240, pen.glow(LIGHT, 0.75))
        + ellipse(262, 812, 190, 28, pen.glow(LIGHT, 0.55))
        + line(pole, shade(c), 10, 0.1, 'transform="translate(24 14)"')
        + line(pole, BRASS(-20), 12)
        + line(pole, BRASS(6), 7, 1, 'transform="translate(-1.5 0)"')
        + line(pole, BRASS(22), 2, 0.8, 'transform="translate(-3 0)"')
        + fill(
            "M460 800C460 788 656 788 656 800L656 820C640 840 476 840 460 820z",
            pen.across([(0, LINEN(-10)), (0.3, LINEN(6)), (0.7, LINEN(-8)), (1, LINEN(-22))]),
        )
        + ellipse(558, 800, 98, 17, pen.linear([(0, LINEN(8)), (1, LINEN(-4))], 1, 0.4))
        + line("M486 806C520 796 560 812 620 796M500 824C540 830 580 816 640 824", LINEN(-20), 2, 0.5)
        + ellipse(559, 800, 18, 6, BRASS(-10))
        + ellipse(559, 796, 14, 5, BRASS(10))
        + ellipse(262, 394, 90, 15, pen.radial([(0, "#fffdf0"), (0.6, LIGHT), (1, "#d9a860")]))
        + ellipse(262, 400, 26, 20, "#fffdf4")
        + fill(
            shell,
            pen.across([(0, c(-8)), (0.14, c(1)), (0.32, c(14)), (0.55, c(3)), (0.85, c(-13)), (1, c(-16))]),
        )
        + line("M171 391C224 407 300 407 353 391", c(16), 3, 0.6)
        + crease((212, 290, 192, 330, 188, 384), 10, WHITE, 0.5)
        + box(248, 248, 28, 24, 6, pen.cylinder(BRASS, 1.5))
    )


def _table(pen: Pen, c: Tones) -> str:
    base = both("M400 506L374 508C366 540 300 566 282 640C268 710 298 770 340 800C360 806 380 808 400 808")
    drum = both("M400 196L288 198L226 486C280 504 340 508 400 508")
    pleats = "".join(
        f"M{400 + (x - 400) * 0.63:g} 200L{x} {502 - abs(x - 400) // 14}" for x in range(240, 566, 16)
    )
    return (
        ground(pen, 400, 806, 130, shade(c), 0.17)
        + ellipse(400, 560, 260, 150, pen.glow(LIGHT, 0.45))
        + fill(
            base,
            pen.across(
                [
                    (0, c(-14)),
                    (0.1, c(-4)),
                    (0.28, c(12)),
                    (0.5, c(3)),
                    (0.8, c(-10)),
                    (0.95, c(-18)),
                    (1, c(-12)),
                ]
            ),
        )
        + crease((330, 596, 298, 660, 330, 750), 20, WHITE, 0.5)
        + line("M290 620C340 640 460 640 510 620M283 650C340 672 460 672 517 650", c(-16), 2, 0.4)
        + fill("M340 790C360 800 440 800 460 790L460 804C440 812 360 812 340 804z", pen.cylinder(BRASS, 1.4))
        + ellipse(400, 520, 30, 7, LIGHT, 'fill-opacity=".5"')
        + box(384, 488, 32, 36, 4, pen.cylinder(BRASS, 1.5))
        + fill(
            drum,
            pen.across(
                [
                    (0, LINEN(-14)),
                    (0.2, LINEN(2)),
                    (0.42, "#fff6dc"),
                    (0.6, "#fdeec8"),
                    (0.85, LINEN(-8)),
                    (1, LINEN(-20)),
                ]
            ),
        )
        + fill(drum, pen.veil("#ffd98a", 0, 0.4))
        + line(pleats, LINEN(-30), 1.5, 0.4)
        + line("M227 484C280 502 340 506 400 506C460 506 520 502 573 484", LINEN(-18), 6, 0.8)
        + ellipse(400, 198, 112, 10, "#fff3cf")
        + ring(400, 198, 112, 10, LINEN(-18), 3, 0.8)
    )


LAMPS = {
    "lamp": Kind(lamp, ("dome", "arc", "table"), 808, (180, 180, 400, 500)),
}
