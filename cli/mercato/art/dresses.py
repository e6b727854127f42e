"""Dresses, as if on an invisible figure before a wall."""

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.fastenings import button
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BLACK,
    Pen,
    both,
    crease,
    fill,
    flipped,
    halo,
    line,
    seam,
    stitch,
)


def dress(pen: Pen, c: Tones, style: str) -> str:
    """A dress: a slip with thin straps or a tiered summer dress with sleeves."""
    return (_tiered if style == "tiered" else _slip)(pen, c)


def _slip(pen: Pen, c: Tones) -> str:
    body = both(
        "M400 268C380 268 356 250 336 214C326 246 308 276 290 296C298 350 308 "
        "396 306 436C296 560 258 710 226 872C284 892 342 896 400 896"
    )
    folds = "".join(
        crease(points, width, c(-25), depth)
        for points, width, depth in (
            ((322, 440, 306, 660, 268, 876), 20, 0.42),
            ((362, 470, 356, 690, 334, 890), 22, 0.44),
            ((420, 440, 432, 680, 420, 894), 22, 0.42),
            ((462, 450, 484, 660, 492, 888), 26, 0.48),
            ((488, 450, 520, 660, 556, 874), 24, 0.5),
            ((306, 310, 350, 380, 352, 430), 12, 0.34),
            ((492, 310, 452, 380, 448, 430), 14, 0.38),
        )
    )
    lights = "".join(
        crease(points, width, c(22), depth)
        for points, width, depth in (
            ((330, 450, 312, 660, 296, 880), 16, 0.5),
            ((392, 400, 392, 680, 374, 890), 20, 0.42),
            ((452, 470, 462, 680, 458, 888), 14, 0.34),
            ((326, 290, 320, 350, 334, 420), 12, 0.4),
        )
    )
    straps = "M337 220C340 180 348 142 356 108M463 220C460 180 452 142 444 108"
    return (
        halo(pen, body, shade(c))
        + line("M358 112C362 160 368 200 374 232M442 112C438 160 432 200 426 232", c(-20), 4)
        + fill(both("M400 236C376 234 352 226 340 220L352 262L400 278"), c(-22))
        + fill(body, pen.cloth(c, 1.15))
        + folds
        + lights
        + line(
            "M290 296C308 276 326 246 336 214C356 250 380 268 400 268"
            "C420 268 444 250 464 214C474 246 492 276 510 296",
            c(8),
            4.5,
            0.9,
        )
        + line(straps, BLACK, 5, 0.18, 'transform="translate(5 6)"')
        + line(straps, c(6), 5)
        + crease((306, 436, 400, 456, 494, 436), 5, c(-22), 0.4)
        + stitch("M228 860C286 880 342 884 400 884C458 884 514 880 572 860", c(-14), 1.6, 0.6)
    )


def _tiered(pen: Pen, c: Tones) -> str:
    outline = both(
        "M400 170C376 170 352 164 338 158L270 184C232 202 210 262 198 324L262 346"
        "L292 300C300 350 304 380 302 410C286 480 270 520 258 566C240 650 214 740 "
        "192 858C260 884 330 890 400 890"
    )
    sleeve = "M276 180C232 200 208 262 196 322C216 336 244 346 266 348L296 296C294 256 288 216 276 180z"
    bodice = both("M400 236C366 234 344 200 336 158L274 181C286 230 294 300 302 412L400 420")
    middle = both("M400 404L302 408C288 470 272 520 256 580C300 600 350 606 400 606")
    lower = both(
        "M400 590C350 590 304 586 258 568C240 650 214 740 192 858C216 876 240 "
        "868 262 878C290 890 320 880 346 888C366 894 384 886 400 890"
    )
    arm = (
        crease((262, 200, 228, 260, 232, 330), 12, c(-24), 0.4)
        + crease((276, 210, 262, 270, 254, 338), 12, c(-24), 0.36)
        + line("M199 314C218 328 244 338 268 340", c(-18), 2, 0.7)
    )
    return (
        halo(pen, outline, shade(c))
        + fill(both("M400 178C372 178 350 168 338 160C348 206 370 236 400 240"), c(-23))
        + fill(lower, pen.cloth(c, 1.2))
        + _gathers(c, 266, 534, 582, 214, 586, 868)
        + line(
            "M258 575C304 592 350 596 400 596C450 596 496 592 542 575",
            BLACK,
            12,
            0.16,
            'transform="translate(3 8)"',
        )
        + fill(middle, pen.cloth(c, 1.1))
        + _gathers(c, 310, 490, 418, 276, 524, 592)
        + line("M258 578C304 595 350 600 400 600C450 600 496 595 542 578", c(-16), 2.4, 0.8)
        + fill(sleeve, pen.linear([(0, c(8)), (0.6, c(0)), (1, c(-8))], 0.8, 0.7))
        + arm
        + flipped(
            fill(sleeve, pen.linear([(0, c(-10)), (0.6, c(-6)), (1, c(-3))], 0.8, 0.7)) + pen.again(arm)
        )
        + fill(bodice, pen.cloth(c))
        + crease((306, 300, 350, 340, 356, 400), 14, c(-24), 0.32)
        + crease((494, 300, 452, 340, 446, 400), 16, c(-24), 0.36)
        + crease((322, 220, 312, 300, 330, 390), 16, c(20), 0.34)
        + seam("M275 182C288 226 294 256 297 298", c)
        + seam("M525 182C512 226 506 256 503 298", c)
        + line("M337 158C344 200 366 236 400 238C434 236 456 200 463 158", c(7), 7, 0.9)
        + line("M302 408C350 420 450 420 498 408", c(-18), 3, 0.8)
        + line("M302 400C350 412 450 412 498 400", c(10), 2, 0.6)
        + line("M400 240L400 402", c(-14), 2, 0.7)
        + "".join(button(pen, 400, y, c) for y in (264, 302, 340, 378))
    )


def _gathers(c: Tones, left: float, right: float, top: float, start: float, end: float, bottom: float) -> str:
    parts = (0.05, 0.24, 0.42, 0.6, 0.78, 0.92)
    width = 800 - 2 * start
    return "".join(
        crease(
            (
                left + (right - left) * part,
                top,
                400 + (part - 0.5) * width * 0.72,
                (top + bottom) / 2,
                start + width * part,
                bottom - 8,
            ),
            16 + 6 * (index % 2),
            c(-25),
            0.34 + 0.1 * (index % 3),
        )
        for index, part in enumerate(parts)
    ) + "".join(
        crease(
            (
                left + (right - left) * (part + 0.08),
                top + 4,
                400 + (part - 0.42) * width * 0.7,
                (top + bottom) / 2,
                start + width * (part + 0.08),
                bottom - 14,
            ),
            12,
            c(20),
            0.3,
        )
        for part in parts[:5:2]
    )


DRESSES = {
    "dress": Kind(dress, ("slip", "tiered"), 0, (250, 130, 340, 425)),
}
