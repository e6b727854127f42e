"""Caps, watches and sunglasses."""

from math import cos, radians, sin

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BLACK,
    BRASS,
    GRAPHITE,
    LINEN,
    STEEL,
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
    moved,
    ring,
    seam,
    stitch,
)


def cap(pen: Pen, c: Tones, style: str) -> str:
    """A cap: a classic one or a trucker with a mesh back."""
    return moved(_cap(pen, c, style), -40, 40)


def _cap(pen: Pen, c: Tones, style: str) -> str:
    crown = (
        "M196 590C178 450 240 340 380 330C520 324 600 420 606 566"
        "C560 592 480 606 400 606C320 606 250 602 196 590z"
    )
    front = "M400 332C340 380 318 480 322 600C400 610 510 602 606 566C600 420 520 324 400 332z"
    peak = (
        "M322 598C420 560 540 548 606 564C680 590 716 628 722 662C724 676 716 "
        "684 702 684C600 664 470 660 352 652C326 648 316 620 322 598z"
    )
    under = (
        "M352 652C470 660 600 664 702 684C716 684 724 676 722 662C726 684 722 696 708 700"
        "C590 688 460 684 356 668C336 664 326 640 322 612C328 636 338 648 352 652z"
    )
    mesh = style == "trucker"
    back = (
        pen.linear([(0, LINEN(2)), (0.6, LINEN(-4)), (1, LINEN(-14))])
        if mesh
        else pen.linear([(0, c(5)), (0.5, c(0)), (1, c(-8))], 0.5, 1)
    )
    net = "".join(f"M{x} 330L{x - 90} 610" for x in range(206, 420, 11)) + "".join(
        f"M180 {y}L410 {y - 26}" for y in range(350, 640, 11)
    )
    side = "M196 590C178 450 240 340 380 330L400 332C340 380 318 480 322 602C270 600 230 596 196 590z"
    return (
        ground(pen, 450, 700, 280, shade(c), 0.1)
        + fill("M200 584C196 606 202 622 220 630C250 642 300 648 352 650L340 600z", c(-18))
        + fill(crown, back)
        + (f'<g clip-path="{pen.clip(side)}">{line(net, LINEN(-34), 1.8, 0.75)}</g>' if mesh else "")
        + fill(front, pen.linear([(0, c(9)), (0.4, c(2)), (1, c(-13))], 0.8, 1))
        + crease((240, 440, 214, 500, 212, 580), 16, WHITE, 0.2)
        + crease((420, 360, 370, 440, 362, 580), 26, WHITE, 0.26)
        + crease((560, 420, 590, 480, 592, 560), 30, BLACK, 0.2)
        + seam("M400 332C340 380 318 480 322 600", c)
        + stitch("M411 336C353 386 332 482 335 596M388 336C328 380 305 480 309 598", c(-16), 1.7)
        + seam("M400 332C480 350 512 450 514 588", c, 0.8)
        + stitch("M410 340C488 358 522 452 525 584", c(-16), 1.7)
        + (
            ""
            if mesh
            else seam("M376 331C300 350 252 440 246 594", c)
            + stitch("M366 336C290 356 242 440 236 590", c(-16), 1.7)
            + ellipse(290, 420, 7, 7, c(-24))
            + ring(290, 420, 9, 9, c(-12), 3)
        )
        + ellipse(446, 416, 7, 7, c(-26))
        + ring(446, 416, 9, 9, c(-10), 3)
        + ellipse(392, 330, 20, 11, c(-8))
        + ellipse(388, 327, 13, 6, c(6))
        + (
            box(376, 462, 104, 62, 8, LINEN(0), 'transform="rotate(-2 428 492)"')
            + stitch("M382 469L474 466L474 516L382 520z", LINEN(-26), 1.6)
            + line("M398 500C410 478 420 478 428 492C436 506 446 506 458 484", c(-4), 5)
            if mesh
            else ""
        )
        + fill("M322 598C420 560 540 548 606 564C560 590 470 606 330 622z", BLACK, 'fill-opacity=".28"')
        + fill(under, c(-24))
        + fill(peak, pen.linear([(0, c(1)), (0.4, c(7)), (1, c(-9))], 0.6, 1))
        + "".join(
            stitch(
                f"M{330 + i * 5} {612 + i * 9}"
                f"C430 {574 + i * 13} {560 - i * 4} {562 + i * 17} {632 + i * 15} {580 + i * 18}",
                c(-15),
                1.7,
                0.7,
            )
            for i in range(5)
        )
        + crease((420, 606, 560, 596, 690, 660), 14, WHITE, 0.28)
        + line("M352 652C470 660 600 664 702 684C716 684 723 676 722 662", c(-14), 3, 0.8)
    )


def watch(pen: Pen, c: Tones, style: str) -> str:
    """A wrist watch: a dress watch or a chronograph."""
    chrono = style == "chronograph"
    upper = both("M400 96L352 98C346 100 342 108 341 120L330 350L400 352")
    lower = both("M400 650L330 652L341 880C344 900 356 908 370 908L400 908")
    dial = c.at(0.24, min(0.05, c.chroma)) if chrono else c.at(0.95, 0.012)
    marks = LINEN(4) if chrono else GRAPHITE(-2)
    case = BRASS if c.hue < 1.8 and c.chroma > 0.03 and not chrono else STEEL
    ticks = "".join(_tick(a, 118, 100) for a in range(0, 360, 30))
    minutes = "".join(_tick(a, 118, 111) for a in range(0, 360, 6) if a % 30)
    holes = "".join(ellipse(400, y, 5.5, 6.5, BLACK, 'fill-opacity=".6"') for y in range(740, 860, 30))
    subs = "".join(
        ellipse(x, y, 30, 30, c.at(0.32, min(0.06, c.chroma)))
        + ring(x, y, 30, 30, marks, 1.2, 0.6)
        + line(f"M{x} {y}l{dx} {dy}", marks, 2.4)
        for x, y, dx, dy in ((352, 500, -10, -16), (448, 500, 4, -20), (400, 556, 16, 10))
    )
    band = "".join(
        fill(part, pen.across([(0, c(-15)), (0.14, c(-2)), (0.35, c(8)), (0.7, c(-2)), (1, c(-18))]))
        for part in (upper, lower)
    )
    return (
        halo(
            pen,
            both("M400 96L352 98L338 350C240 400 240 600 338 650L352 908L400 908"),
            shade(c),
            18,
            22,
            0.05,
            0.4,
        )
        + band
        + stitch(
            "M352 112L342 340M448 112L458 340M342 664L353 890M458 664L447 890",
            c(14) if c.lightness < 0.55 else c(-18),
            2,
            0.8,
        )
        + fill(upper, pen.veil(BLACK, 0, 0.3))
        + fill(lower, pen.veil(BLACK, 0.3, 0))
        + holes
        + line("M354 108C356 92 366 84 400 84C434 84 444 92 446 108", case(-6), 9)
        + line("M356 104C358 92 368 86 398 85", case(18), 3)
        + line("M400 86L400 130", case(2), 6)
        + box(342, 158, 116, 24, 5, c(-3))
        + line("M342 182h116", BLACK, 3, 0.3)
        + line("M346 161h108", c(14), 2, 0.5)
        + "".join(
            fill(d, pen.across([(0, case(14)), (0.4, case(2)), (1, case(-24))]))
            for d in (
                "M322 390L326 338C330 328 342 328 346 338L350 390z",
                "M450 390L454 338C458 328 470 328 474 338L478 390z",
                "M322 610L326 662C330 672 342 672 346 662L350 610z",
                "M450 610L454 662C458 672 470 672 474 662L478 610z",
            )
        )
        + box(548, 484, 26, 32, 6, pen.linear([(0, case(16)), (0.4, case(-4)), (1, case(-28))]))
        + line("M553 492h18M553 500h18M553 508h18", case(-30), 1.6, 0.8)
        + (
            "".join(
                box(
                    530,
                    y,
                    30,
                    22,
                    5,
                    pen.linear([(0, case(16)), (1, case(-26))]),
                    f'transform="rotate({a} 400 500)"',
                )
                for y, a in ((489, -32), (489, 32))
            )
            if chrono
            else ""
        )
        + ellipse(
            400,
            500,
            156,
            156,
            pen.linear([(0, case(22)), (0.45, case(0)), (0.7, case(-16)), (1, case(4))], 0.9, 1),
        )
        + ring(400, 500, 154, 154, case(-26), 2, 0.6)
        + ellipse(400, 500, 139, 139, pen.linear([(0, case(-26)), (0.5, case(-4)), (1, case(20))], 0.9, 1))
        + ellipse(400, 500, 132, 132, dial)
        + ellipse(
            400,
            500,
            132,
            132,
            pen.radial([(0, dial), (0.8, dial), (1, c.at(0.14, 0.02) if chrono else c.at(0.84, 0.015))]),
        )
        + line(minutes, marks, 1.6, 0.7)
        + line(ticks, case(-8) if not chrono else marks, 5)
        + (subs if chrono else "")
        + line("M404 506L346 440M404 504L464 452", BLACK, 6, 0.22, 'transform="translate(3 6)"')
        + line("M406 508L350 442", marks, 7)
        + line("M394 507L470 446", marks, 5)
        + line("M388 530L424 404", c(4) if not chrono else "#d0603f", 2)
        + ellipse(400, 500, 7.5, 7.5, case(4))
        + ellipse(399, 498.5, 3, 3, case(24))
        + fill(
            "M300 420C330 376 380 366 430 372C370 400 330 450 312 540C288 500 286 450 300 420z",
            WHITE,
            'fill-opacity=".13"',
        )
    )


def _tick(angle: int, outer: float, inner: float) -> str:
    x, y = sin(radians(angle)), -cos(radians(angle))
    return f"M{400 + x * outer:.0f} {500 + y * outer:.0f}L{400 + x * inner:.0f} {500 + y * inner:.0f}"


def sunglasses(pen: Pen, c: Tones, style: str) -> str:
    """Sunglasses: round wire or a bold acetate frame."""
    return moved(_glasses(pen, c, style), 0, 60)


def _glasses(pen: Pen, c: Tones, style: str) -> str:
    wire = style == "round"
    lens = (
        "M276 444C334 444 372 484 372 540C372 598 332 636 276 636"
        "C220 636 180 598 180 540C180 484 218 444 276 444z"
        if wire
        else "M172 462C220 446 320 446 372 464C380 500 376 560 350 600"
        "C326 634 232 640 202 604C174 568 162 510 172 462z"
    )
    frame = (
        lens
        if wire
        else "M140 440C200 418 330 420 388 442C412 446 412 470 402 500C398 560 384 600 360 624"
        "C324 656 222 660 188 624C160 592 148 540 146 492C136 480 132 452 140 440z"
    )
    tint = c.at(0.3, min(0.07, c.chroma + 0.01))
    glass = pen.linear(
        [(0, c.at(0.22, 0.03)), (0.5, tint), (1, c.at(0.62, min(0.1, c.chroma + 0.02)))], 0.25, 1
    )
    temple = "M146 446L236 366C250 354 268 354 276 366L268 378C262 370 254 371 246 378L182 452z"
    gleam = "M214 500C230 476 262 464 300 466C262 486 232 524 222 572C206 552 204 522 214 500z"
    sheen = (
        fill(lens, glass)
        + fill(gleam, WHITE, 'fill-opacity=".16"')
        + line("M318 604C342 588 354 566 356 540", WHITE, 5, 0.22)
    )
    spots = "".join(ellipse(x, 656, 128, 30, pen.glow(tint, 0.5, 0.7)) for x in (298, 544))
    temples = (
        line("M184 512L236 392C242 378 262 374 272 388", BRASS(-12), 7)
        if wire
        else fill(temple, pen.across([(0, c(-8)), (1, c(-20))]))
    )
    halves = ground(pen, 400, 644, 256, shade(c), 0.07) + spots + temples + flipped(temples)
    if wire:
        rim = (
            line(lens, BRASS(-22), 10, 1, 'transform="translate(1 2)"')
            + line(lens, BRASS(4), 8)
            + line("M184 520C194 474 230 448 276 448", BRASS(22), 2.5)
        )
        bridge = line("M366 510C376 474 424 474 434 510", BRASS(-14), 10) + line(
            "M368 506C378 472 422 472 432 506", BRASS(12), 4
        )
        pads = ellipse(384, 548, 7, 15, WHITE, 'fill-opacity=".5"') + ellipse(
            416, 548, 7, 15, WHITE, 'fill-opacity=".4"'
        )
        return halves + sheen + rim + flipped(sheen + rim) + bridge + pads
    rim = fill(
        frame + lens, pen.linear([(0, c(8)), (0.35, c(0)), (1, c(-14))], 0.5, 1), 'fill-rule="evenodd"'
    )
    edge = (
        line(frame, c(-20), 1.6, 0.6)
        + line("M146 444C206 426 326 428 380 446", c(26), 4, 0.6)
        + line(lens, BLACK, 2.4, 0.5)
    )
    bridge = fill(
        "M372 452C390 442 410 442 428 452L420 500C414 482 386 482 380 500z",
        pen.linear([(0, c(6)), (1, c(-12))]),
    ) + line("M384 451C394 447 406 447 416 451", c(26), 3, 0.5)
    rivet = ellipse(160, 462, 6, 3.5, STEEL(16)) + ellipse(160, 474, 6, 3.5, STEEL(8))
    return halves + sheen + rim + edge + rivet + flipped(sheen + rim + edge + rivet) + bridge


ACCESSORIES = {
    "cap": Kind(cap, ("classic", "trucker"), 740, (210, 340, 336, 420)),
    "watch": Kind(watch, ("dress", "chronograph"), 0, (232, 290, 336, 420)),
    "sunglasses": Kind(sunglasses, ("bold", "round"), 700, (130, 420, 288, 360)),
}
