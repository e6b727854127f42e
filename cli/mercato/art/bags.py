"""Backpacks and tote bags."""

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BLACK,
    BRASS,
    LINEN,
    STEEL,
    TAN,
    WHITE,
    Pen,
    both,
    box,
    crease,
    ellipse,
    fill,
    flipped,
    ground,
    halo,
    line,
    ring,
    stitch,
    teeth,
)


def backpack(pen: Pen, c: Tones, style: str) -> str:
    """A backpack: a daypack with a front pocket or a roll-top with straps."""
    return (_rolltop if style == "rolltop" else _daypack)(pen, c)


def _straps(pen: Pen, c: Tones) -> str:
    left = "M262 330C214 420 196 560 214 740L246 744C236 600 250 460 292 370z"
    return fill(left, pen.across([(0, c(-12)), (1, c(-20))])) + flipped(
        fill(left, pen.across([(0, c(-16)), (1, c(-24))]))
    )


def _daypack(pen: Pen, c: Tones) -> str:
    body = both("M400 214C310 214 252 262 244 360C236 470 232 640 234 752C236 786 252 800 286 802L400 802")
    pocket = both("M400 532L300 532C278 532 268 546 268 570L266 736C266 764 278 776 304 776L400 776")
    side = "M240 560C214 566 204 600 206 660C208 730 214 770 240 780z"
    zipper = "M262 474C252 330 300 262 400 260C500 262 548 330 538 474"
    return (
        ground(pen, 400, 802, 196, shade(c), 0.12)
        + _straps(pen, c)
        + line("M356 226C354 176 372 160 400 160C428 160 446 176 444 226", c(-16), 17)
        + line("M356 226C354 178 372 162 400 162C428 162 446 178 444 222", c(4), 4, 0.6)
        + fill(side, pen.across([(0, c(-10)), (1, c(-18))]))
        + flipped(fill(side, pen.across([(0, c(-18)), (1, c(-22))])))
        + fill(
            body,
            pen.across([(0, c(-11)), (0.1, c(-2)), (0.3, c(7)), (0.6, c(0)), (0.88, c(-8)), (1, c(-17))]),
        )
        + crease((300, 250, 262, 320, 262, 520), 20, WHITE, 0.22)
        + crease((256, 520, 400, 556, 544, 520), 16, c(-28), 0.34)
        + line(zipper, c(-20), 12)
        + teeth(zipper, STEEL(-8), 5, "3 3")
        + stitch(
            "M250 476C240 320 294 250 400 248C506 250 560 320 550 476M274 "
            "476C264 340 308 274 400 272C492 274 536 340 526 476",
            c(-14),
            1.6,
            0.6,
        )
        + box(256, 466, 15, 34, 5, pen.across([(0, BRASS(10)), (1, BRASS(-18))]))
        + line("M263 498L259 540", TAN(-4), 9)
        + box(362, 322, 76, 76, 8, BLACK, 'fill-opacity=".2" transform="translate(3 5)"')
        + box(362, 322, 76, 76, 8, pen.linear([(0, TAN(8)), (1, TAN(-6))], 0.7, 1))
        + stitch("M369 329h62v62h-62z", LINEN(-6), 1.7)
        + box(378, 348, 44, 7, 3.5, TAN(-26))
        + box(378, 366, 44, 7, 3.5, TAN(-26))
        + fill(pocket, BLACK, 'fill-opacity=".2" transform="translate(5 7)"')
        + fill(pocket, pen.linear([(0, c(8)), (0.4, c(2)), (1, c(-9))], 0.7, 1))
        + line(pocket, c(-18), 2, 0.7)
        + line("M290 560C330 570 470 570 510 560", c(-22), 12)
        + teeth("M290 560C330 570 470 570 510 560", STEEL(-8), 5, "3 3")
        + stitch(
            "M288 574C330 585 470 585 512 574M276 590L275 738C276 756 284 "
            "766 304 767L496 767C516 766 524 756 525 738L524 590",
            c(-15),
            1.6,
            0.65,
        )
        + box(493, 556, 13, 28, 5, BRASS(-2))
        + line("M500 582L504 620", TAN(-4), 8)
        + crease((290, 600, 310, 690, 296, 764), 16, WHITE, 0.16)
        + crease((510, 600, 480, 700, 510, 766), 22, c(-28), 0.34)
        + crease((250, 790, 400, 776, 550, 790), 12, BLACK, 0.3)
    )


def _rolltop(pen: Pen, c: Tones) -> str:
    body = both("M400 300L268 304C254 330 246 380 244 440L234 760C234 788 246 800 276 802L400 802")
    roll = both(
        "M400 218C340 214 290 218 262 228C246 236 242 262 252 280"
        "C258 296 262 306 268 318C300 330 350 334 400 334"
    )
    pocket = both("M400 560L274 560L270 744C270 764 280 774 300 774L400 774")
    strap = "M{0} 250L{0} 640"
    left, right = strap.format(330), strap.format(470)
    straps = (
        line(left + right, BLACK, 28, 0.16, 'transform="translate(5 4)"')
        + line(left + right, TAN(-4), 26)
        + stitch("M320 300V636M340 300V636M460 300V636M480 300V636", LINEN(-10), 1.6, 0.7)
    )
    buckles = "".join(
        box(x - 21, 470, 42, 46, 6, pen.linear([(0, BRASS(14)), (1, BRASS(-20))], 0.6, 1))
        + box(x - 13, 478, 26, 30, 3, TAN(-12))
        + line(f"M{x} 474V504", BRASS(8), 4)
        + "".join(ellipse(x, y, 3, 3, TAN(-32)) for y in (546, 576, 606))
        for x in (330, 470)
    )
    return (
        ground(pen, 400, 802, 190, shade(c), 0.12)
        + _straps(pen, c)
        + line("M352 226C350 172 370 154 400 154C430 154 450 172 448 226", TAN(-8), 16)
        + line("M352 222C352 174 372 158 398 157", TAN(12), 4, 0.7)
        + fill(
            body,
            pen.across([(0, c(-11)), (0.1, c(-2)), (0.3, c(7)), (0.6, c(0)), (0.88, c(-8)), (1, c(-17))]),
        )
        + crease((280, 350, 320, 420, 300, 540), 16, c(-26), 0.3)
        + crease((520, 350, 470, 420, 510, 540), 20, c(-26), 0.36)
        + crease((370, 340, 400, 440, 390, 550), 18, c(-26), 0.24)
        + crease((290, 360, 262, 500, 270, 700), 18, WHITE, 0.2)
        + fill(roll, BLACK, 'fill-opacity=".24" transform="translate(4 12)"')
        + fill(roll, pen.linear([(0, c(-4)), (0.25, c(9)), (0.6, c(0)), (1, c(-16))]))
        + line("M256 258C330 276 470 276 544 258M262 292C340 308 460 308 538 292", c(-18), 2, 0.7)
        + crease((268, 240, 340, 254, 420, 246), 8, WHITE, 0.4)
        + fill(pocket, BLACK, 'fill-opacity=".18" transform="translate(4 5)"')
        + fill(pocket, pen.linear([(0, c(6)), (0.5, c(0)), (1, c(-9))], 0.7, 1))
        + line("M274 560L526 560", c(-20), 3, 0.8)
        + stitch(
            "M278 571L522 571M280 578L278 742C279 758 288 765 302 "
            "766L498 766C512 765 521 758 522 742L520 578",
            c(-15),
            1.6,
            0.65,
        )
        + crease((290, 590, 320, 690, 296, 764), 18, WHITE, 0.14)
        + crease((500, 590, 470, 690, 506, 764), 22, c(-28), 0.3)
        + straps
        + buckles
        + fill(
            both("M400 776L236 770C234 790 246 801 276 802L400 802"),
            pen.across([(0, TAN(-10)), (0.3, TAN(4)), (1, TAN(-20))]),
        )
        + stitch("M240 780L560 780", LINEN(-10), 1.6)
    )


def tote(pen: Pen, c: Tones, style: str) -> str:
    """A tote bag: canvas with long handles or a leather shopper."""
    return (_shopper if style == "shopper" else _canvas)(pen, c)


def _canvas(pen: Pen, c: Tones) -> str:
    body = both("M400 424L208 420C212 540 206 680 196 806C250 822 330 826 400 824")
    handle = "M296 440C292 300 320 190 352 160C372 142 428 142 448 160C480 190 508 300 504 440"
    back = "M312 436C312 320 336 220 362 190C378 176 422 176 438 190C464 220 488 320 488 436"
    return (
        halo(pen, body, shade(c), 10, 10, 0.03, 0.2)
        + ground(pen, 400, 818, 212, shade(c), 0.1)
        + line(back, c(-22), 22)
        + fill(both("M400 424L212 421C250 408 340 404 400 404"), c(-24))
        + fill(body, pen.cloth(c, 1.05))
        + "".join(
            crease(points, width, c(-24), depth)
            for points, width, depth in (
                ((300, 520, 252, 640, 262, 816), 22, 0.3),
                ((500, 520, 548, 640, 520, 818), 30, 0.36),
                ((330, 520, 380, 620, 372, 820), 18, 0.24),
                ((214, 440, 236, 600, 206, 790), 16, 0.36),
                ((586, 440, 560, 600, 592, 790), 24, 0.4),
                ((220, 780, 400, 800, 580, 770), 14, 0.3),
            )
        )
        + crease((256, 470, 234, 620, 232, 800), 18, c(20), 0.3)
        + crease((440, 520, 436, 640, 454, 816), 22, c(20), 0.26)
        + line("M208 452C300 460 500 460 592 452", c(-16), 2, 0.6)
        + stitch("M209 444C300 452 500 452 591 444M198 794C260 808 540 808 602 794", c(-16), 1.7)
        + line(handle, BLACK, 24, 0.16, 'transform="translate(7 6)"')
        + line(handle, c(2), 24)
        + line("M288 430C286 300 312 196 346 160", c(14), 3, 0.5)
        + "".join(
            box(x - 13, 430, 26, 82, 3, c(1))
            + line(f"M{x - 13} 512h26M{x - 13} 440v72M{x + 13} 440v72", c(-14), 1.6, 0.5)
            + stitch(
                f"M{x - 8} 462h16l-16 44h16l-16 -44M{x - 8} 506v-44M{x + 8} 506v-44", c(-18), 1.6, 0.8, "5 4"
            )
            for x in (297, 503)
        )
        + box(372, 640, 56, 40, 3, TAN(2))
        + stitch("M377 645h46v30h-46z", LINEN(-8), 1.5)
    )


def _shopper(pen: Pen, c: Tones) -> str:
    body = both("M400 402L232 400L196 772C196 800 208 812 236 814L400 814")
    handle = "M310 452C306 300 330 214 400 212C470 214 494 300 490 452"
    return (
        halo(pen, body, shade(c), 10, 10, 0.03, 0.16)
        + ground(pen, 400, 814, 214, shade(c), 0.11)
        + line("M322 420C320 310 346 240 400 238C454 240 480 310 478 420", c(-24), 15)
        + fill(both("M400 402L236 400C260 388 340 384 400 384"), c(-26))
        + fill(body, pen.linear([(0, c(-5)), (0.22, c(8)), (0.55, c(1)), (1, c(-14))], 1, 0.5))
        + fill(
            "M232 400L196 772C196 800 208 812 236 814L262 814C240 700 246 520 268 401z",
            pen.across([(0, c(-14)), (1, c(-3))]),
            'fill-opacity=".7"',
        )
        + fill(
            "M568 400L604 772C604 800 592 812 564 814L538 814C560 700 554 520 532 401z",
            pen.across([(0, c(-8)), (1, c(-20))]),
            'fill-opacity=".8"',
        )
        + crease((290, 440, 280, 600, 268, 790), 24, WHITE, 0.2)
        + crease((420, 480, 560, 700, 560, 800), 40, BLACK, 0.14)
        + stitch(
            "M240 412L560 412M268 412C246 520 240 700 260 804M532 "
            "412C554 520 560 700 540 804M210 800L590 800",
            c(10) if c.lightness < 0.6 else c(-16),
            1.7,
            0.7,
        )
        + line("M232 401L568 401", c(12), 4, 0.7)
        + line(handle, BLACK, 18, 0.18, 'transform="translate(7 6)"')
        + line(handle, c(-3), 18)
        + line("M304 440C302 300 328 212 396 207", c(18), 3.5, 0.5)
        + "".join(
            fill(f"M{x - 22} 444h44v54c0 14 -10 22 -22 24c-12 -2 -22 -10 -22 -24z", c(-2))
            + line(f"M{x - 22} 444v54c0 14 10 22 22 24c12 -2 22 -10 22 -24v-54", c(-18), 1.6, 0.7)
            + ellipse(x, 462, 7, 7, pen.radial([(0, BRASS(16)), (1, BRASS(-20))], 0.35, 0.3, 0.8))
            + ellipse(x, 498, 6, 6, BRASS(-8))
            for x in (310, 490)
        )
        + line("M474 520L474 566", c(-12), 6)
        + fill("M452 566h44v72l-22 18l-22 -18z", pen.linear([(0, c(7)), (1, c(-8))], 0.7, 1))
        + stitch("M458 572h32v62l-16 14l-16 -14z", c(-18), 1.5)
        + ring(474, 578, 5, 5, BRASS(4), 2.4)
    )


BAGS = {
    "backpack": Kind(backpack, ("daypack", "rolltop"), 802, (230, 200, 336, 420)),
    "tote": Kind(tote, ("canvas", "shopper"), 818, (220, 300, 336, 420)),
}
