"""Boots, seen from their outer side."""

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BLACK,
    DARK_WOOD,
    GRAPHITE,
    LINEN,
    STEEL,
    WHITE,
    Pen,
    crease,
    ellipse,
    fill,
    ground,
    line,
    seam,
    stitch,
)


def boot(pen: Pen, c: Tones, style: str) -> str:
    """An ankle boot: a Chelsea boot or a laced hiker."""
    return (_hiker if style == "hiker" else _chelsea)(pen, c)


SHAFT = (
    "M236 318C300 300 380 300 432 314C436 400 440 470 468 520C510 560 596 574 642 616C668 642 676 676 674 712"
    "L206 712C196 650 200 600 214 540C226 480 232 400 236 318z"
)


def _chelsea(pen: Pen, c: Tones) -> str:
    gore = (
        "M306 320C330 314 362 314 386 320C386 400 380 480 362 552"
        "C350 560 336 560 326 552C306 480 304 400 306 320z"
    )
    ribs = "".join(
        f"M{x} 318C{x} 400 {x + (346 - x) * 0.3:g} 480 {x + (346 - x) * 0.55:g} 552"
        for x in range(314, 384, 8)
    )
    vamp = (
        "M326 552C360 566 420 560 468 520C510 560 596 574 642 616C668 "
        "642 676 676 674 712L300 712C300 650 306 590 326 552z"
    )
    sole = (
        "M204 708L676 708C682 722 682 734 676 742L430 742C420 744 "
        "416 748 414 758L206 758C202 740 202 724 204 708z"
    )
    heel = "M206 742L414 742L408 790L212 790z"
    front = "M430 736L678 736C680 762 668 786 640 790L470 790C446 788 432 770 430 736z"
    return (
        ground(pen, 440, 790, 248, shade(c), 0.1)
        + fill("M236 318C300 300 380 300 432 314C420 334 250 336 236 318z", c(-26))
        + line("M250 312C244 280 252 262 270 262C286 262 290 284 288 314", c(-10), 11)
        + line("M250 312C244 280 252 262 270 262", c(8), 3, 0.6)
        + fill(SHAFT, pen.linear([(0, c(-5)), (0.22, c(8)), (0.5, c(0)), (1, c(-15))], 1, 0.35))
        + fill(vamp, pen.linear([(0, c(7)), (0.45, c(0)), (1, c(-14))], 0.5, 1))
        + fill(gore, pen.across([(0, GRAPHITE(-4)), (0.4, GRAPHITE(10)), (1, GRAPHITE(-10))]))
        + line(ribs, BLACK, 1.8, 0.6)
        + seam("M306 322C304 400 306 480 326 552C350 562 366 556 362 552C380 480 386 400 386 322", c)
        + stitch("M297 324C295 400 297 480 316 554M394 324C394 400 388 480 372 556", c(-18), 1.7)
        + seam("M326 552C306 590 300 650 300 708", c)
        + stitch("M317 552C297 590 291 650 291 708", c(-18), 1.7)
        + line("M237 320C300 336 376 334 432 316", c(-14), 5, 0.9)
        + stitch("M238 330C300 345 376 343 433 326", c(-18), 1.6)
        + crease((256, 350, 240, 470, 232, 640), 16, WHITE, 0.3)
        + crease((500, 560, 580, 584, 640, 640), 15, WHITE, 0.38)
        + crease((418, 540, 460, 560, 480, 620), 10, c(-28), 0.5)
        + crease((390, 560, 430, 590, 440, 660), 9, c(-28), 0.4)
        + crease((420, 340, 420, 440, 448, 510), 14, c(-28), 0.4)
        + crease((214, 640, 440, 690, 664, 690), 16, c(-28), 0.4)
        + fill(heel, pen.linear([(0, DARK_WOOD(-10)), (1, DARK_WOOD(-22))]))
        + line("M208 758L412 758M209 774L410 774", BLACK, 1.6, 0.45)
        + fill(front, pen.linear([(0, DARK_WOOD(-12)), (1, DARK_WOOD(-24))]))
        + fill(sole, pen.linear([(0, DARK_WOOD(10)), (1, DARK_WOOD(-8))]))
        + line("M206 710L675 710", WHITE, 2, 0.3)
        + stitch("M212 719L674 719", LINEN(-8), 2, 0.8, "6 5")
    )


def _hiker(pen: Pen, c: Tones) -> str:
    collar = (
        "M226 330C220 296 236 276 264 278C310 284 360 280 398 266C424 262 440 282 438 316"
        "C436 330 434 344 434 352C370 366 290 366 232 352C228 346 227 338 226 330z"
    )
    vamp = (
        "M434 440C446 480 452 502 468 520C510 560 596 574 642 616C668 "
        "642 676 676 674 712L360 712C380 640 400 560 434 440z"
    )
    toe = "M560 576C600 588 630 604 642 616C668 642 676 676 674 712L530 712C528 656 536 608 560 576z"
    heel = "M224 500C218 530 210 560 206 600C202 640 202 680 206 712L330 712C324 640 290 560 224 500z"
    sole = (
        "M200 704L678 700C690 724 688 748 676 758L676 790L640 790L634 778L610 778L604 790"
        "L560 790L554 778L530 778L524 790L480 790L474 778L444 776L430 790L216 790L206 776"
        "C196 750 196 724 200 704z"
    )
    laces = ((408, 376), (414, 416), (424, 456), (440, 494), (468, 528), (500, 552))
    ends = [(x - 52 + i * 4, y + 14 + 5 * i) for i, (x, y) in enumerate(laces)]
    strings = "".join(
        f"M{x0} {y0}C{x0 + 20} {y0 - 14} {x - 14} {y - 12} {x} {y - 2}"
        for (x0, y0), (x, y) in zip(ends, laces, strict=True)
    )
    cross = "".join(
        f"M{x0} {y0}C{x0 + 30} {y0 - 24} {x - 6} {y - 22} {x + 4} {y - 4}"
        for (x0, y0), (x, y) in zip(ends[1:], laces[:-1], strict=True)
    )
    red = "#b5483a" if abs(c.hue - 0.5) > 0.3 else LINEN(-2)
    return (
        ground(pen, 440, 790, 250, shade(c), 0.1)
        + line("M250 300C238 264 246 244 266 244C284 244 288 264 284 290", c(-12), 12)
        + fill(
            "M384 300C380 250 392 226 412 226C436 230 446 300 452 380L480 540L420 480z",
            pen.linear([(0, c(2)), (1, c(-20))], 1, 0.5),
        )
        + fill(SHAFT, pen.linear([(0, c(-5)), (0.22, c(8)), (0.5, c(0)), (1, c(-14))], 1, 0.35))
        + fill(vamp, pen.linear([(0, c(6)), (0.45, c(0)), (1, c(-12))], 0.5, 1))
        + fill(heel, pen.linear([(0, c(-8)), (1, c(-18))], 1, 0.4))
        + fill(toe, pen.linear([(0, GRAPHITE(14)), (0.5, GRAPHITE(2)), (1, GRAPHITE(-8))], 0.6, 1))
        + fill(collar, pen.linear([(0, c(-6)), (0.5, c(-12)), (1, c(-20))], 0.3, 1))
        + line("M292 284L286 362M346 284L348 364", c(-26), 3, 0.6)
        + crease((240, 300, 300, 306, 392, 288), 9, WHITE, 0.3)
        + line("M232 352C290 366 370 366 434 352", c(-26), 3, 0.8)
        + stitch("M233 362C290 376 350 378 372 376", c(10), 1.7)
        + seam("M356 366C362 440 372 500 420 560C400 610 376 660 364 708", c)
        + stitch("M346 368C352 440 362 504 408 562C388 612 366 660 354 708", c(10), 1.7)
        + seam("M224 500C290 560 324 640 330 708", c)
        + stitch("M222 514C280 570 312 640 318 708", c(10), 1.7)
        + seam("M560 576C536 608 528 656 530 704", c)
        + crease((250, 380, 238, 480, 224, 600), 15, WHITE, 0.26)
        + crease((510, 566, 570, 584, 626, 630), 13, WHITE, 0.34)
        + crease((432, 560, 470, 590, 480, 660), 10, c(-28), 0.44)
        + line(strings + cross, BLACK, 9, 0.28, 'transform="translate(2 5)"')
        + line(strings + cross, red, 7)
        + line(strings + cross, WHITE, 2, 0.35, 'stroke-dasharray="3 7"')
        + "".join(
            ellipse(x, y, 7.5, 7, STEEL(-8)) + ellipse(x - 1.5, y - 2, 3, 2.6, STEEL(20)) for x, y in ends
        )
        + fill("M202 696L676 694L676 706L202 708z", BLACK, 'fill-opacity=".25"')
        + fill(sole, pen.linear([(0, GRAPHITE(12)), (0.4, GRAPHITE(2)), (1, GRAPHITE(-12))]))
        + line("M200 726C360 734 540 732 684 722", LINEN(-6), 7)
        + line("M202 708L676 704", WHITE, 2, 0.25)
        + line("".join(f"M{x} 746l-8 28" for x in range(236, 670, 36)), BLACK, 3, 0.5)
    )


BOOTS = {
    "boot": Kind(boot, ("chelsea", "hiker"), 790, (190, 230, 352, 440)),
}
