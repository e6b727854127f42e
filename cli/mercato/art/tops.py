"""T-shirts and hooded sweatshirts, as if on an invisible figure before a wall."""

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.fastenings import zipper
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BLACK,
    STEEL,
    Pen,
    both,
    crease,
    ellipse,
    fill,
    flipped,
    halo,
    line,
    seam,
    stitch,
)

TEE_BODY = both(
    "M400 272C360 268 332 240 322 212L216 246C214 300 216 350 218 "
    "392C224 520 218 640 206 786C270 800 340 802 400 802"
)

TEE_SLEEVE = (
    "M217 245C168 262 142 302 126 350C112 392 100 424 88 456C116 478 152 "
    "494 190 504C200 466 208 432 219 394C222 340 222 290 217 245z"
)

TEE = both(
    "M400 212L322 212L216 246C168 262 142 302 126 350C112 392 100 424 88 456"
    "C116 478 152 494 190 504C200 466 208 432 219 394C224 520 218 640 206 786C270 800 340 802 400 802"
)

HOODIE = both(
    "M400 150C340 148 306 176 300 232C262 244 226 256 204 276C170 310 152 420 138 520C128 596 116 664 104 726"
    "C102 742 108 752 122 756C140 762 158 764 172 762C184 760 188 754 190 742C200 664 216 580 230 506"
    "C234 600 232 690 226 752L224 800C280 814 340 816 400 816"
)

HOODIE_BODY = both(
    "M400 300C350 300 318 270 300 232L222 262C226 350 232 440 232 520C234 620 232 690 226 752L400 770"
)

HOODIE_SLEEVE = (
    "M224 261C176 274 166 330 156 400C142 500 128 610 112 700L192 "
    "716C202 650 216 576 231 506C236 420 232 330 224 261z"
)


def tee(pen: Pen, c: Tones, style: str) -> str:
    """A T-shirt: plain, striped or with a pocket."""
    neck = both("M400 214C366 214 340 212 322 208C334 246 362 276 400 276")
    collar = both("M400 274C364 272 334 246 322 211L338 206C348 234 370 256 400 257")
    sleeve = fill(TEE_SLEEVE, pen.linear([(0, c(5)), (0.5, c(1)), (1, c(-9))], 0.8, 0.6))
    far = fill(TEE_SLEEVE, pen.linear([(0, c(-12)), (0.5, c(-6)), (1, c(-3))], 0.9, 0.5))
    folds = "".join(
        crease(points, width, c(-24), depth)
        for points, width, depth in (
            ((222, 400, 250, 560, 236, 760), 26, 0.4),
            ((226, 404, 300, 450, 330, 560), 14, 0.3),
            ((578, 400, 556, 580, 572, 770), 34, 0.5),
            ((574, 404, 510, 450, 476, 560), 16, 0.32),
            ((330, 300, 322, 420, 350, 540), 10, 0.2),
            ((500, 560, 470, 690, 492, 790), 18, 0.3),
            ((318, 600, 342, 700, 326, 792), 14, 0.26),
        )
    )
    lights = crease((300, 330, 262, 520, 286, 740), 26, c(18), 0.3) + crease(
        (440, 420, 424, 600, 446, 780), 20, c(14), 0.2
    )
    arms = "".join(
        crease(points, width, c(-24), 0.3)
        for points, width in (((214, 400, 172, 420, 128, 400), 10), ((212, 440, 170, 468, 120, 440), 8))
    )
    hems = (
        stitch("M205 768C270 782 340 784 400 784C460 784 530 782 595 768", c(-16))
        + stitch("M94 442C122 462 156 478 192 487", c(-16))
        + stitch("M706 442C678 462 644 478 608 487", c(-20))
    )
    return (
        halo(pen, TEE, shade(c))
        + fill(neck, pen.linear([(0, c(-26)), (1, c(-16))]))
        + line("M336 211C362 219 438 219 464 211", c(-7), 12)
        + sleeve
        + pen.again(arms)
        + flipped(far + pen.again(arms))
        + fill(TEE_BODY, pen.cloth(c))
        + _tee_print(pen, c, style)
        + folds
        + lights
        + seam("M217 248C222 300 222 340 219 392", c)
        + seam("M583 248C578 300 578 340 581 392", c)
        + hems
        + fill(collar, pen.across([(0, c(1)), (0.4, c(6)), (1, c(-8))]))
        + line("M323 212C334 246 364 272 400 274C436 272 466 246 477 212", c(-15), 2, 0.8)
        + stitch("M318 218C330 254 362 282 400 283C438 282 470 254 482 218", c(-13), 1.6, 0.6)
    )


def _tee_print(pen: Pen, c: Tones, style: str) -> str:
    if style == "striped":
        paint = c.at(0.93, 0.012) if c.lightness < 0.78 else "#31405c"
        rows = "".join(f"M180 {y}C290 {y + 16} 510 {y + 16} 620 {y}" for y in range(310, 790, 42))
        arm = "".join(
            f"M{60 + y / 9:g} {y - 30}C130 {y + 4} 170 {y + 18} 222 {y + 24}" for y in range(300, 480, 42)
        )
        body = f'<g clip-path="{pen.clip(TEE_BODY)}">{line(rows, paint, 13, 0.9)}</g>'
        left = f'<g clip-path="{pen.clip(TEE_SLEEVE)}">{line(arm, paint, 12, 0.85)}</g>'
        return left + flipped(left) + body
    if style == "pocket":
        pocket = "M452 360L536 360L536 444L494 462L452 444z"
        return (
            fill(pocket, BLACK, 'fill-opacity=".16" transform="translate(3 5)"')
            + fill(pocket, pen.linear([(0, c(4)), (1, c(-4))], 0.5, 1))
            + line(pocket, c(-14), 1.6, 0.7)
            + stitch("M458 368L530 368M458 376L530 376M457 440L494 456L531 440", c(-15), 1.5)
        )
    return ""


def hoodie(pen: Pen, c: Tones, style: str) -> str:
    """A hooded sweatshirt: pullover or with a zip."""
    cuff = (
        "M112 698L104 728C102 744 108 752 122 757C140 762 158 764 172 762"
        "C184 760 188 754 190 742L193 712C166 706 138 701 112 693z"
    )
    hem = both("M400 764C340 766 280 762 227 748L224 800C280 814 340 816 400 816")
    ribs = "".join(
        f"M{x} {y}L{x} {y + 44}"
        for x, y in ((x, 760 + round((1 - abs(x - 400) / 200) * 10)) for x in range(240, 566, 12))
    )
    near = fill(HOODIE_SLEEVE, pen.across([(0, c(-3)), (0.3, c(6)), (0.65, c(0)), (1, c(-11))]))
    far = fill(HOODIE_SLEEVE, pen.across([(0, c(-15)), (0.4, c(-5)), (0.7, c(-3)), (1, c(-11))]))
    wrinkles = "".join(
        crease(points, width, c(-24), depth)
        for points, width, depth in (
            ((228, 470, 190, 470, 156, 430), 12, 0.36),
            ((222, 520, 184, 540, 142, 510), 12, 0.34),
            ((202, 640, 164, 664, 124, 640), 10, 0.34),
            ((196, 690, 160, 704, 116, 686), 9, 0.4),
        )
    )
    cuffs = fill(cuff, pen.across([(0, c(-8)), (0.35, c(2)), (1, c(-14))])) + line(
        "".join(f"M{x} {704 + (x - 112) // 6}L{x - 8} {756}" for x in range(122, 190, 11)), c(-18), 1.4, 0.45
    )
    folds = "".join(
        crease(points, width, c(-24), depth)
        for points, width, depth in (
            ((234, 500, 300, 540, 318, 610), 18, 0.34),
            ((566, 500, 504, 540, 482, 610), 20, 0.36),
            ((238, 560, 262, 660, 240, 750), 20, 0.36),
            ((562, 540, 530, 660, 556, 752), 32, 0.46),
        )
    )
    return (
        halo(pen, HOODIE, shade(c))
        + near
        + pen.again(wrinkles)
        + flipped(far + pen.again(wrinkles))
        + pen.again(cuffs)
        + flipped(pen.again(cuffs))
        + fill(HOODIE_BODY, pen.cloth(c))
        + folds
        + crease((290, 330, 266, 480, 290, 700), 24, c(18), 0.28)
        + seam("M224 262C231 340 235 420 231 506", c)
        + seam("M576 262C569 340 565 420 569 506", c)
        + fill(hem, pen.cloth(c, 1.1))
        + line(ribs, c(-18), 1.4, 0.42)
        + seam("M227 748C280 762 340 766 400 766C460 766 520 762 573 748", c)
        + _pouch(pen, c)
        + _hood(pen, c)
        + (zipper(pen, c, 306, 812) if style == "zip" else "")
        + _cords(c)
    )


def _pouch(pen: Pen, c: Tones) -> str:
    pouch = both("M400 566L312 566C300 606 284 640 266 668L264 752C310 762 356 765 400 765")
    return (
        fill(pouch, pen.linear([(0, c(4)), (0.5, c(0)), (1, c(-7))], 0.6, 1))
        + crease((318, 572, 308, 630, 272, 672), 10, c(-26), 0.5)
        + crease((482, 572, 492, 630, 528, 672), 10, c(-26), 0.5)
        + line(
            "M312 566L488 566M312 566C300 606 284 640 266 668L264 "
            "752M488 566C500 606 516 640 534 668L536 752",
            c(-15),
            2,
            0.8,
        )
        + stitch(
            "M318 575L482 575M321 578C308 616 293 648 275 674M479 578C492 616 507 648 525 674",
            c(-14),
            1.6,
            0.6,
        )
    )


def _hood(pen: Pen, c: Tones) -> str:
    outer = both("M400 150C340 148 306 176 300 232C300 270 340 316 400 330")
    opening = both("M400 182C358 182 332 200 330 236C334 268 364 296 400 316")
    return (
        fill(outer, pen.linear([(0, c(8)), (0.35, c(2)), (1, c(-9))], 0.8, 0.6))
        + fill(opening, pen.linear([(0, c(-28)), (0.6, c(-18)), (1, c(-12))]))
        + crease((352, 200, 346, 240, 372, 286), 12, c(-34), 0.5)
        + crease((452, 200, 456, 240, 430, 286), 10, c(-4), 0.3)
        + line(
            "M400 316C364 296 334 268 330 236C332 200 358 182 400 182"
            "C442 182 468 200 470 236C466 268 436 296 400 316",
            c(5),
            7,
            0.9,
        )
        + stitch(
            "M400 324C356 304 324 272 321 236C322 194 352 172 400 172"
            "C448 172 478 194 479 236C476 272 444 304 400 324",
            c(-14),
            1.6,
            0.7,
        )
        + seam("M302 240C310 276 348 316 400 332C452 316 490 276 498 240", c, 0.9)
    )


def _cords(c: Tones) -> str:
    cord = c.at(0.92, 0.012) if c.lightness < 0.8 else c.at(0.5, 0.03)
    left = "M368 296C362 340 366 390 360 430"
    right = "M432 296C440 336 434 372 438 414"
    return (
        line(left + right, BLACK, 8, 0.2, 'transform="translate(5 6)"')
        + line(left + right, cord, 6.5)
        + line("M360 430L359 446M438 414L439 430", STEEL(-4), 8)
        + ellipse(368, 295, 5.5, 5.5, STEEL(-12))
        + ellipse(432, 295, 5.5, 5.5, STEEL(-18))
    )


TOPS = {
    "tee": Kind(tee, ("plain", "striped", "pocket"), 0, (290, 170, 320, 400)),
    "hoodie": Kind(hoodie, ("pullover", "zip"), 0, (240, 130, 340, 425)),
}
