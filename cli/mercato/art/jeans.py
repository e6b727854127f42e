"""Jeans, as if on an invisible figure before a wall."""

from mercato.art.backdrop import shade
from mercato.art.colors import Tones
from mercato.art.kinds import Kind
from mercato.art.pen import (
    BLACK,
    BRASS,
    Pen,
    both,
    box,
    crease,
    ellipse,
    fill,
    flipped,
    halo,
    line,
    ring,
    stitch,
)

JEANS_LEG = (
    "M270 132C262 200 248 300 244 400C242 560 252 720 256 886C290 "
    "896 330 896 362 888C372 720 384 560 398 380L400 132z"
)

WIDE_LEG = (
    "M270 132C258 200 238 300 228 400C214 560 204 720 196 882C246 "
    "896 310 898 362 888C376 720 388 560 398 380L400 132z"
)


def jeans(pen: Pen, c: Tones, style: str) -> str:
    """A pair of jeans: straight or wide."""
    leg = WIDE_LEG if style == "wide" else JEANS_LEG
    hem_start = 199 if style == "wide" else 258
    thread = BRASS(4) if c.lightness < 0.7 else c(-22)
    near = fill(leg, pen.across([(0, c(-9)), (0.18, c(0)), (0.42, c(5)), (0.72, c(0)), (1, c(-13))]))
    far = fill(leg, pen.across([(0, c(-17)), (0.25, c(-6)), (0.55, c(4)), (0.8, c(0)), (1, c(-10))]))
    hem = stitch(f"M{hem_start} 873C{hem_start + 34} 884 324 885 362 875", thread, 1.8, 0.8)
    folds = "".join(
        crease(points, width, c(-24), depth)
        for points, width, depth in (
            ((396, 396, 330, 410, 286, 380), 12, 0.4),
            ((394, 420, 340, 450, 300, 444), 10, 0.34),
            ((258, 560, 310, 590, 372, 570), 10, 0.3),
            ((256, 600, 306, 616, 366, 606), 8, 0.26),
            ((374, 480, 350, 680, 354, 880), 22, 0.36),
            ((262, 850, 300, 864, 356, 846), 10, 0.3),
        )
    )
    fade = crease((318, 240, 300, 500, 312, 860), 60, c(16), 0.26)
    outline = both(leg.split("L400 132z")[0].replace("M270 132", "M400 112L276 112L270 132"))
    return (
        halo(pen, outline, shade(c))
        + flipped(far + folds + fade + hem)
        + near
        + folds
        + fade
        + hem
        + line("M399 380C386 560 374 720 364 886", c(-26), 3, 0.8)
        + _waist(pen, c, thread)
        + stitch("M276 176C262 240 252 320 249 400", thread, 1.6, 0.6)
    )


def _waist(pen: Pen, c: Tones, thread: str) -> str:
    band = both("M400 96L280 96C277 112 274 126 270 140C310 148 360 150 400 150")
    loops = "".join(
        box(x, 92, 13, 60, 3, c(3)) + stitch(f"M{x + 3} 98v50M{x + 10} 98v50", thread, 1.3, 0.8, "5 4")
        for x in (300, 352, 440, 490)
    )
    pockets = (
        fill("M272 146C300 150 322 150 344 150C340 190 316 224 262 232z", c(-3))
        + line("M344 150C340 190 316 224 262 232", c(-22), 3, 0.9)
        + stitch("M352 150C348 196 322 232 262 241M338 150C334 184 312 214 266 223", thread)
    )
    return (
        pockets
        + flipped(pockets)
        + stitch("M404 152L404 376M438 152L438 330C436 352 420 366 404 372", thread)
        + line("M398 150L398 384", c(-24), 2.4, 0.9)
        + fill(both("M400 96L284 96C290 90 340 86 400 86"), c(-22))
        + fill(band, pen.cloth(c, 1.1))
        + stitch("M282 104L518 104M274 140C310 146 490 146 526 140", thread)
        + loops
        + line("M412 98L412 149", c(-18), 1.6, 0.6)
        + ellipse(402, 125, 12, 12, BLACK, 'fill-opacity=".3"')
        + ellipse(400, 122, 11.5, 11.5, pen.radial([(0, BRASS(14)), (1, BRASS(-22))], 0.35, 0.3, 0.8))
        + ring(400, 122, 7, 7, BRASS(-26), 1.5, 0.8)
        + "".join(
            ellipse(x, y, 3.6, 3.6, BRASS(-6)) for x, y in ((347, 156), (453, 156), (267, 236), (533, 236))
        )
    )


JEANS = {
    "jeans": Kind(jeans, ("straight", "wide"), 0, (240, 70, 320, 400)),
}
