"""Chairs."""

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BLACK,
    WHITE,
    WOOD,
    Pen,
    both,
    crease,
    fill,
    ground,
    line,
    stitch,
)


def chair(pen: Pen, c: Tones, style: str) -> str:
    """A chair: an upholstered lounge chair or a wooden dining chair."""
    return (_dining if style == "dining" else _lounge)(pen, c)


def _lounge(pen: Pen, c: Tones) -> str:
    legs = "".join(
        fill(
            f"M{x} 720L{x + 24} 720L{x + lean + 15} 838L{x + lean + 3} 838z",
            pen.across([(0, WOOD(6)), (1, WOOD(-18))]),
        )
        for x, lean in ((216, -20), (562, 20))
    ) + "".join(fill(f"M{x} 716h18l-3 84h-11z", WOOD(-26)) for x in (292, 490))
    back = both("M400 240C310 238 262 258 250 320C240 400 244 500 250 590L400 600")
    cushion = both("M400 552C330 552 286 556 272 570C262 590 262 620 274 640C300 652 350 656 400 656")
    seat = both("M400 630L262 630L216 700C214 722 224 736 246 738L400 742")
    arm = (
        "M252 470C216 456 180 470 172 510C168 560 184 640 196 716C204 738 244 "
        "742 270 736C282 700 280 600 276 540C274 500 268 480 252 470z"
    )
    far = (
        "M548 470C584 456 620 470 628 510C632 560 616 640 604 716C596 738 556 "
        "742 530 736C518 700 520 600 524 540C526 500 532 480 548 470z"
    )
    return (
        ground(pen, 400, 834, 250, shade(c), 0.1)
        + legs
        + fill(back, pen.linear([(0, c(7)), (0.35, c(2)), (1, c(-11))], 0.8, 0.8))
        + crease((270, 330, 256, 420, 262, 540), 18, WHITE, 0.24)
        + crease((280, 262, 400, 244, 500, 262), 12, WHITE, 0.26)
        + crease((520, 300, 544, 420, 528, 560), 26, BLACK, 0.2)
        + "".join(
            crease((x, 270, 400 + (x - 400) * 1.12, 420, x, 560), 7, c(-28), 0.5)
            + crease((x + 9, 274, 409 + (x - 400) * 1.12, 420, x + 9, 550), 8, c(20), 0.26)
            for x in (330, 400, 470)
        )
        + fill(seat, pen.linear([(0, c(-12)), (1, c(-20))]))
        + fill(cushion, BLACK, 'fill-opacity=".26" transform="translate(3 12)"')
        + fill(cushion, pen.linear([(0, c(11)), (0.4, c(4)), (1, c(-10))], 0.3, 1))
        + line("M276 612C330 622 470 622 524 612", c(-18), 2, 0.6)
        + crease((290, 566, 400, 556, 500, 568), 10, WHITE, 0.3)
        + crease((270, 560, 400, 540, 530, 560), 12, BLACK, 0.28)
        + fill(arm, pen.across([(0, c(-6)), (0.25, c(9)), (0.6, c(1)), (1, c(-13))]))
        + line("M252 471C268 480 274 500 276 540C280 600 282 700 271 735", c(-22), 2.5, 0.6)
        + fill(far, pen.across([(0, c(-12)), (0.4, c(-1)), (0.7, c(-6)), (1, c(-18))]))
        + line("M548 471C532 480 526 500 524 540C520 600 518 700 529 735", c(-24), 2.5, 0.6)
        + crease((196, 490, 184, 580, 206, 710), 12, WHITE, 0.26)
        + stitch("M184 510C182 560 196 640 206 714M616 510C618 560 604 640 594 714", c(-16), 1.6, 0.6)
    )


def _dining(pen: Pen, c: Tones) -> str:
    near, far = (
        pen.across([(0, WOOD(-4)), (0.35, WOOD(10)), (1, WOOD(-16))]),
        pen.across([(0, WOOD(-16)), (1, WOOD(-28))]),
    )
    seat = (
        "M234 556C300 536 500 536 566 556C588 568 596 590 592 606"
        "C520 632 280 632 208 606C204 590 212 568 234 556z"
    )
    rail = (
        "M236 236C300 206 500 206 564 236C570 262 570 300 562 326"
        "C500 300 300 300 238 326C230 300 230 262 236 236z"
    )
    return (
        ground(pen, 400, 846, 232, shade(c), 0.1)
        + fill("M262 600h20l-6 190h-12z", far)
        + fill("M518 600h20l-2 190h-12z", far)
        + line("M268 720H532", WOOD(-24), 11)
        + fill("M240 250C228 380 236 480 252 570L274 570C258 470 252 380 262 250z", near)
        + fill("M538 250C548 380 542 470 526 570L548 570C564 480 572 380 560 250z", far)
        + "".join(
            fill(
                f"M{x - 6} 300C{x - 8} 400 {x - 5} 480 {x - 4} 556h10C{x + 5} 480 {x + 8} 400 {x + 6} 300z",
                pen.across([(0, WOOD(2)), (0.4, WOOD(8)), (1, WOOD(-20))]),
            )
            for x in (322, 374, 426, 478)
        )
        + fill(rail, BLACK, 'fill-opacity=".2" transform="translate(3 7)"')
        + fill(rail, pen.linear([(0, WOOD(11)), (0.5, WOOD(2)), (1, WOOD(-16))], 0.4, 1))
        + line("M244 262C310 236 490 236 556 262M242 290C310 264 490 264 558 290", WOOD(-22), 1.6, 0.45)
        + line("M240 236C300 210 500 210 560 236", WOOD(22), 3, 0.6)
        + fill("M214 604L206 846L222 846L242 612z", near)
        + fill("M586 604L594 846L578 846L558 612z", pen.across([(0, WOOD(-2)), (1, WOOD(-24))]))
        + line("M226 742H574", WOOD(-14), 12)
        + line("M228 739H572", WOOD(10), 3, 0.6)
        + fill(
            "M208 604C280 632 520 632 592 604L588 640C520 664 280 664 212 640z",
            pen.linear([(0, WOOD(2)), (1, WOOD(-16))]),
        )
        + fill(seat, BLACK, 'fill-opacity=".22" transform="translate(0 9)"')
        + fill(seat, pen.linear([(0, c(9)), (0.45, c(2)), (1, c(-9))], 0.5, 1))
        + line("M208 606C280 632 520 632 592 606", c(-16), 4, 0.8)
        + stitch("M216 594C290 618 510 618 584 594", c(-16), 1.7)
        + crease((250, 566, 380, 546, 520, 558), 14, WHITE, 0.36)
    )


CHAIRS = {
    "chair": Kind(chair, ("lounge", "dining"), 840, (160, 220, 368, 460)),
}
