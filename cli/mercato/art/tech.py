"""Headphones and speakers."""

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BLACK,
    BRASS,
    GRAPHITE,
    LINEN,
    STEEL,
    TAN,
    WHITE,
    WOOD,
    Pen,
    box,
    crease,
    ellipse,
    fill,
    flipped,
    ground,
    line,
    ring,
    stitch,
)


def headphones(pen: Pen, c: Tones, style: str) -> str:
    """Over-ear headphones: padded studio ones or slim ones with a steel band."""
    slim = style == "slim"
    cup = "M176 540C168 590 168 680 186 724C196 746 222 752 240 742L262 540C240 512 190 512 176 540z"
    cushion = (
        "M236 518C270 510 300 540 306 590C312 650 306 710 286 744"
        "C270 768 240 764 232 740C220 690 220 570 236 518z"
    )
    yoke = "M216 470C206 500 196 530 190 566"
    outer, inner = (STEEL, c) if slim else (c, c)
    near = (
        line(yoke, STEEL(-16), 15)
        + line(yoke, STEEL(14), 5, 0.8, 'transform="translate(-3 0)"')
        + fill(cushion, pen.across([(0, c(-14)), (0.35, c(-4)), (0.6, c(-10)), (1, c(-22))]))
        + line("M262 526C286 560 292 700 264 752", c(-26), 3, 0.6)
        + stitch("M268 530C292 566 298 694 272 748", c(2), 1.5, 0.5)
        + crease((244, 540, 236, 640, 248, 736), 8, WHITE, 0.26)
        + fill(cup, pen.across([(0, c(-6)), (0.25, c(11)), (0.55, c(2)), (1, c(-14))]))
        + line("M240 536C226 600 224 690 236 742", c(-22), 4, 0.7)
        + fill(
            "M186 560C180 600 180 670 190 704C196 716 208 716 212 704"
            "C206 660 206 610 212 566C210 550 190 548 186 560z",
            pen.across([(0, outer(-4)), (0.4, outer(14)), (1, outer(-12))]),
        )
        + line("M186 560C180 600 180 670 190 704", c(22), 2.5, 0.5)
        + ellipse(200, 636, 6, 10, c(-20))
    )
    far = (
        line(yoke, STEEL(-22), 15)
        + line(yoke, STEEL(4), 4, 0.7, 'transform="translate(2 0)"')
        + fill(cushion, pen.across([(0, c(-20)), (0.4, c(-10)), (0.7, c(-4)), (1, c(-12))]))
        + line("M262 526C286 560 292 700 264 752", c(-28), 3, 0.6)
        + fill(cup, pen.across([(0, c(-22)), (0.3, c(-10)), (0.7, c(2)), (1, c(-8))]))
        + line("M240 536C226 600 224 690 236 742", c(-26), 4, 0.7)
        + fill(
            "M186 560C180 600 180 670 190 704C196 716 208 716 212 704"
            "C206 660 206 610 212 566C210 550 190 548 186 560z",
            pen.across([(0, outer(-22)), (0.6, outer(0)), (1, outer(-16))]),
        )
        + ellipse(200, 636, 6, 10, c(-26))
    )
    arc = "M216 480C216 320 280 226 400 226C520 226 584 320 584 480"
    pad = "M256 372C286 276 336 244 400 244C464 244 514 276 544 372"
    head = (
        line(arc, STEEL(-20), 15)
        + line(arc, pen.across([(0, STEEL(12)), (0.5, STEEL(20)), (1, STEEL(-10))]), 10)
        + line(pad, inner(-16), 22)
        + line(pad, inner(-2), 14)
        + line("M270 346C296 280 340 252 396 250", WHITE, 4, 0.3)
        if slim
        else line(pad, c(-24), 30, 1, 'transform="translate(0 12)"')
        + line(arc, c(-12), 46)
        + line(arc, pen.across([(0, c(2)), (0.3, c(7)), (1, c(-10))]), 38)
        + line("M210 440C218 310 280 214 396 211", WHITE, 5, 0.26)
        + stitch("M230 476C230 330 290 240 400 240C510 240 570 330 570 476", c(-18), 1.7, 0.7)
        + "".join(
            box(x - 25, 462, 50, 34, 7, pen.across([(0, STEEL(8)), (0.3, STEEL(20)), (1, STEEL(-22))]))
            for x in (217, 583)
        )
    )
    return ground(pen, 400, 752, 236, shade(c), 0.11) + head + near + flipped(far)


def speaker(pen: Pen, c: Tones, style: str) -> str:
    """A speaker: a bookshelf box with a wooden shell or a portable cylinder in cloth."""
    return (_portable if style == "portable" else _shelf)(pen, c)


def _shelf(pen: Pen, c: Tones) -> str:
    wood = pen.linear([(0, WOOD(6)), (0.5, WOOD(0)), (1, WOOD(-16))], 0.5, 1)
    grain = "".join(f"M{572 + x} 248C{566 + x} 420 {580 + x} 620 {572 + x} 772" for x in (10, 20, 31, 40))
    cone = pen.radial([(0, GRAPHITE(-12)), (0.35, GRAPHITE(-4)), (0.8, GRAPHITE(8)), (1, GRAPHITE(-10))])
    return (
        ground(pen, 420, 804, 216, shade(c), 0.11)
        + fill("M560 232L618 252L618 780L560 806z", pen.across([(0, WOOD(-12)), (1, WOOD(-24))]))
        + line(grain, WOOD(-34), 1.4, 0.5)
        + box(222, 228, 346, 578, 12, wood)
        + line("M232 233H556", WOOD(20), 3, 0.6)
        + box(236, 242, 318, 550, 6, pen.linear([(0, c(7)), (0.5, c(0)), (1, c(-11))], 0.5, 1))
        + line("M238 244H552M238 244V790", BLACK, 3, 0.25)
        + ellipse(395, 368, 72, 72, BLACK, 'fill-opacity=".25" transform="translate(3 5)"')
        + ellipse(395, 366, 72, 72, pen.linear([(0, c(16)), (1, c(-20))], 1, 1))
        + ellipse(395, 366, 62, 62, pen.linear([(0, GRAPHITE(-14)), (1, GRAPHITE(4))], 1, 1))
        + ellipse(
            395, 366, 40, 40, pen.radial([(0, BRASS(16)), (0.5, BRASS(-2)), (1, BRASS(-24))], 0.35, 0.3, 0.85)
        )
        + ring(395, 366, 49, 49, GRAPHITE(20), 1.6, 0.5)
        + ellipse(395, 596, 138, 138, BLACK, 'fill-opacity=".22" transform="translate(4 7)"')
        + ellipse(395, 594, 138, 138, pen.linear([(0, c(16)), (1, c(-22))], 1, 1))
        + ellipse(395, 594, 126, 126, pen.linear([(0, GRAPHITE(-16)), (1, GRAPHITE(10))], 1, 1))
        + ring(395, 594, 114, 114, GRAPHITE(12), 8, 0.6)
        + ellipse(395, 594, 102, 102, cone)
        + "".join(ring(395, 594, r, r, WHITE, 1.2, 0.07) for r in (92, 80, 68, 56))
        + fill("M395 594L316 530A102 102 0 0 1 352 502z", WHITE, 'fill-opacity=".09"')
        + fill("M395 594L474 658A102 102 0 0 1 438 686z", WHITE, 'fill-opacity=".06"')
        + ellipse(
            395,
            594,
            42,
            42,
            pen.radial([(0, GRAPHITE(34)), (0.4, GRAPHITE(6)), (1, GRAPHITE(-14))], 0.34, 0.3, 0.85),
        )
        + "".join(
            ellipse(395 + dx, 594 + dy, 4.5, 4.5, STEEL(4))
            for dx, dy in ((-92, -92), (92, -92), (-92, 92), (92, 92))
        )
        + "".join(
            ellipse(395 + dx, 366 + dy, 3.5, 3.5, STEEL(4))
            for dx, dy in ((-47, -47), (47, -47), (-47, 47), (47, 47))
        )
        + ellipse(520, 768, 4, 4, "#f3e6c0")
        + box(262, 764, 56, 8, 4, pen.across([(0, BRASS(12)), (1, BRASS(-16))]))
    )


def _portable(pen: Pen, c: Tones) -> str:
    body = "M236 330C236 296 564 296 564 330L564 762C564 800 236 800 236 762z"
    rows = "".join(f"M237 {y}C290 {y + 27} 510 {y + 27} 563 {y}" for y in range(346, 750, 9))
    weave = line(rows, c(-20), 3.4, 0.5, 'stroke-dasharray="3.5 4.5"') + line(
        rows, c(16), 2, 0.3, 'stroke-dasharray="2.5 5.5" transform="translate(2 3)"'
    )
    return (
        ground(pen, 400, 790, 176, shade(c), 0.14)
        + line("M556 360C640 380 640 470 566 480", TAN(-20), 20)
        + line("M556 358C634 378 634 468 566 478", TAN(2), 15)
        + stitch("M566 366C618 386 618 458 572 472", LINEN(-10), 1.5)
        + fill(
            body,
            pen.across(
                [
                    (0, c(-14)),
                    (0.1, c(-4)),
                    (0.28, c(10)),
                    (0.5, c(3)),
                    (0.8, c(-9)),
                    (0.95, c(-18)),
                    (1, c(-13)),
                ]
            ),
        )
        + weave
        + fill(
            "M236 742C280 772 520 772 564 742L564 764C564 802 236 802 236 764z",
            pen.across([(0, GRAPHITE(-6)), (0.28, GRAPHITE(20)), (0.6, GRAPHITE(2)), (1, GRAPHITE(-10))]),
        )
        + line("M236 742C280 772 520 772 564 742", BLACK, 2, 0.5)
        + ellipse(
            400,
            331,
            164,
            35,
            pen.across([(0, GRAPHITE(2)), (0.3, GRAPHITE(26)), (0.7, GRAPHITE(6)), (1, GRAPHITE(-6))]),
        )
        + ellipse(400, 327, 156, 31, pen.linear([(0, GRAPHITE(-6)), (1, GRAPHITE(10))], 0.6, 1))
        + ellipse(400, 326, 92, 17, pen.across([(0, c(10)), (1, c(-10))]))
        + ring(400, 326, 92, 17, c(20), 2, 0.5)
        + line("M392 326h16M400 322v8", LINEN(2), 3)
        + line("M344 326h14M442 326h14", LINEN(2), 3, 0.8)
        + line("M260 316C300 304 350 299 396 299", WHITE, 3, 0.35)
        + box(352, 560, 96, 34, 5, pen.linear([(0, TAN(8)), (1, TAN(-6))], 0.7, 1))
        + stitch("M358 566h84v22h-84z", LINEN(-8), 1.5)
        + crease((276, 380, 268, 560, 284, 744), 14, WHITE, 0.2)
    )


TECH = {
    "headphones": Kind(headphones, ("studio", "slim"), 752, (120, 180, 368, 460)),
    "speaker": Kind(speaker, ("shelf", "portable"), 804, (216, 220, 352, 440)),
}
