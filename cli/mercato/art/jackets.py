"""Jackets, as if on an invisible figure before a wall."""

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.fastenings import button, zipper
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BLACK,
    LINEN,
    Pen,
    both,
    box,
    crease,
    fill,
    flipped,
    halo,
    line,
    moved,
    seam,
    stitch,
)

JACKET = both(
    "M400 196C368 194 340 196 326 206L214 250C176 270 160 350 150 430"
    "C138 530 128 620 118 706L120 744C142 754 166 758 190 756"
    "C202 680 214 600 228 520C232 610 230 690 226 796C280 806 340 808 400 808"
)

JACKET_SLEEVE = (
    "M222 247C178 262 166 330 155 410C140 520 130 620 118 706L120 744C142 754 "
    "166 758 190 756C202 680 214 600 230 520C238 430 232 330 222 247z"
)


def jacket(pen: Pen, c: Tones, style: str) -> str:
    """A jacket: a chore coat with patch pockets or a quilted puffer."""
    near = fill(JACKET_SLEEVE, pen.across([(0, c(-4)), (0.3, c(7)), (0.65, c(0)), (1, c(-12))]))
    far = fill(JACKET_SLEEVE, pen.across([(0, c(-16)), (0.4, c(-6)), (0.7, c(-3)), (1, c(-12))]))
    details = _puffer if style == "puffer" else _chore
    return halo(pen, JACKET, shade(c)) + details(pen, c, near, far)


def _chore(pen: Pen, c: Tones, near: str, far: str) -> str:
    left = (
        "M326 206L222 247C232 330 238 430 230 520C233 610 230 690 226 796"
        "C280 806 340 808 392 808L392 360C372 300 346 250 326 206z"
    )
    right = (
        "M474 206L578 247C568 330 562 430 570 520C567 610 570 690 574 796C520 "
        "806 460 808 410 808L392 808L392 330C420 290 452 250 474 206z"
    )
    collar = (
        "M330 200C320 206 314 216 312 226L318 300L362 336C372 318 384 300 396 290C366 268 342 236 330 200z"
    )
    arms = "".join(
        crease(points, width, c(-24), 0.34)
        for points, width in (
            ((228, 470, 190, 476, 152, 440), 12),
            ((220, 540, 180, 556, 140, 530), 12),
            ((206, 640, 166, 660, 130, 640), 9),
        )
    )
    cuff = (
        stitch("M121 728C142 738 168 742 192 740", c(-16))
        + line("M170 706L166 757", c(-16), 1.8, 0.6)
        + button(pen, 176, 730, c)
    )
    folds = "".join(
        crease(points, width, c(-24), depth)
        for points, width, depth in (
            ((232, 510, 290, 540, 316, 600), 16, 0.34),
            ((234, 560, 262, 660, 240, 790), 22, 0.36),
            ((568, 510, 510, 540, 484, 600), 18, 0.36),
            ((566, 560, 528, 670, 560, 790), 32, 0.44),
        )
    )
    return (
        near
        + arms
        + flipped(far + arms)
        + cuff
        + flipped(cuff)
        + fill(both("M400 200C368 200 344 200 330 204C340 250 370 310 400 400"), c(-24))
        + box(372, 214, 56, 26, 3, LINEN(-6))
        + fill(left, pen.across([(0, c(-7)), (0.3, c(4)), (0.8, c(0)), (1, c(-4))]))
        + fill(right, pen.across([(0, c(2)), (0.4, c(1)), (0.75, c(-6)), (1, c(-12))]))
        + folds
        + crease((296, 320, 270, 420, 296, 560), 22, c(18), 0.28)
        + line("M392 336L392 808", BLACK, 7, 0.12, 'transform="translate(-4 2)"')
        + line("M392 332L392 808", c(-18), 2.2, 0.9)
        + stitch(
            "M400 344L400 800M428 330L428 800M227 778C280 790 340 "
            "791 392 791M400 791C460 791 520 788 573 778",
            c(8) if c.lightness < 0.5 else c(-15),
            1.7,
            0.7,
        )
        + seam("M222 248C233 330 238 430 230 520", c)
        + seam("M578 248C567 330 562 430 570 520", c)
        + _patch(pen, c, 250, 590, 122, 138)
        + _patch(pen, c, 440, 590, 116, 138)
        + _patch(pen, c, 452, 392, 88, 100)
        + _collar_shadows(pen, collar)
        + fill(collar, pen.linear([(0, c(9)), (1, c(-2))], 0.6, 1))
        + flipped(fill(collar, pen.linear([(0, c(-2)), (1, c(-9))], 0.4, 1)))
        + stitch(
            "M319 228L326 296L360 323M481 228L474 296L440 323",
            c(8) if c.lightness < 0.5 else c(-15),
            1.6,
            0.7,
        )
        + "".join(button(pen, 412, y, c) for y in (378, 474, 570, 666, 762))
    )


def _collar_shadows(pen: Pen, collar: str) -> str:
    shadow = pen.again(fill(collar, BLACK, 'fill-opacity=".18" transform="translate(3 9)"'))
    return shadow + flipped(shadow)


def _patch(pen: Pen, c: Tones, x: float, y: float, width: float, height: float) -> str:
    shape = f"M{x} {y}h{width}v{height - 14}l-14 14h{28 - width}l-14 -14z"
    thread = c(8) if c.lightness < 0.5 else c(-15)
    return (
        fill(shape, BLACK, 'fill-opacity=".17" transform="translate(4 6)"')
        + fill(shape, pen.linear([(0, c(5)), (0.5, c(1)), (1, c(-5))], 0.5, 1))
        + line(shape, c(-16), 1.6, 0.8)
        + stitch(
            f"M{x + 7} {y + 9}h{width - 14}M{x + 7} {y + 17}h{width - 14}"
            f"M{x + 7} {y + 24}v{height - 44}l11 11h{width - 36}l11 -11v{44 - height}",
            thread,
            1.5,
            0.65,
        )
    )


def _puffer(pen: Pen, c: Tones, near: str, far: str) -> str:
    body = both(
        "M400 214C366 214 340 214 330 216L222 247C212 300 232 330 226 346C214 380 "
        "222 410 228 424C214 460 220 490 228 504C216 540 220 570 226 584C214 620 220 "
        "650 224 664C214 700 220 728 224 744L224 796C280 806 340 808 400 808"
    )
    quilts = "".join(moved(pen.again(_quilt(c)), 0, y) for y in range(344, 744, 80))
    bend = crease((228, 14, 186, 34, 149, -8), 22, c(-26), 0.55) + crease(
        (220, -16, 182, 4, 157, -30), 14, c(20), 0.4
    )
    bends = "".join(moved(pen.again(bend), round((300 - y) / 9), y) for y in range(320, 720, 74))
    bends = f'<g clip-path="{pen.clip(JACKET_SLEEVE)}">{bends}</g>'
    neck = both("M400 150C356 150 330 158 322 172C316 200 318 226 324 254C346 276 374 284 400 286")
    return (
        near
        + bends
        + flipped(far + bends)
        + fill(body, pen.cloth(c, 1.2))
        + crease((236, 270, 330, 320, 396, 290), 26, c(-18), 0.2)
        + crease((250, 262, 320, 282, 388, 300), 20, c(20), 0.36)
        + quilts
        + crease((566, 280, 520, 520, 566, 790), 50, BLACK, 0.3)
        + line("M226 748C280 758 340 760 400 760C460 760 520 758 574 748", c(-22), 3, 0.8)
        + seam("M222 250C218 320 232 420 230 520", c)
        + seam("M578 250C582 320 568 420 570 520", c)
        + fill(neck, pen.cloth(c, 1.3))
        + fill(both("M400 158C362 158 338 164 330 174C350 190 374 194 400 194"), c(-27))
        + crease((330, 216, 360, 236, 396, 240), 12, c(18), 0.45)
        + line("M326 214C348 232 374 238 400 238C426 238 452 232 474 214", c(-20), 2.2, 0.7)
        + zipper(pen, c, 196, 806)
        + line("M262 640L292 706M538 640L508 706", c(-26), 5, 0.8)
    )


def _quilt(c: Tones) -> str:
    return (
        crease((228, 4, 310, 44, 390, 10), 18, c(20), 0.42)
        + crease((410, 10, 490, 44, 560, 4), 15, c(16), 0.3)
        + crease((228, 78, 310, 72, 392, 88), 26, c(-26), 0.6)
        + crease((408, 88, 490, 72, 572, 78), 28, c(-28), 0.65)
        + line("M228 0C280 10 340 12 390 12M410 12C460 12 520 10 572 0", c(-24), 2.2, 0.8)
    )


JACKETS = {
    "jacket": Kind(jacket, ("chore", "puffer"), 0, (290, 170, 320, 400)),
}
