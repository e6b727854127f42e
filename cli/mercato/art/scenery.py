"""What stands behind and below the things of a scene."""

from collections.abc import Callable
from dataclasses import dataclass

from mercato.art.catalogue import tones_of
from mercato.art.colors import Tones
from mercato.art.pen import BLACK, BRASS, WOOD, Pen, box, crease, ellipse, fill, line

WIDTH = 1600

HEIGHT = 640

HORIZON = 430


@dataclass(frozen=True, slots=True)
class Thing:
    """A product whose middle is at x and whose foot (or hanger) is at y."""

    kind: str
    style: str
    color: str
    x: float
    y: float
    scale: float


@dataclass(frozen=True, slots=True)
class Scene:
    """The mood of the wall, what stands behind the things, and the things from back to front."""

    mood: str
    lightness: float
    chroma: float
    props: Callable[[Pen, Tones, "Scene"], str]
    things: tuple[Thing, ...]

    def wall(self, tones: Tones, steps: float = 0) -> str:
        """The color of the wall, or one that many hundredths lighter."""
        return tones.at(self.lightness + steps / 100, self.chroma)


def _disc(x: float, y: float, radius: float, paint: str) -> str:
    return ellipse(x, y, radius, radius, paint)


def _arch(x: float, width: float, top: float, paint: str) -> str:
    half = width / 2
    return fill(
        f"M{x - half:g} {HORIZON + 44}V{top + half:g}"
        f"A{half:g} {half:g} 0 0 1 {x + half:g} {top + half:g}"
        f"V{HORIZON + 44}z",
        paint,
    )


def _plinth(pen: Pen, tones: Tones, plan: Scene, x: float, y: float, width: float, height: float) -> str:
    light, middle, dark = (plan.wall(tones, step) for step in (4, -3, -13))
    half = width / 2
    side = (
        f"M{x - half} {y}V{y + height}"
        f"C{x - half} {y + height + 22} {x + half} {y + height + 22} {x + half} {y + height}"
        f"V{y}z"
    )
    return (
        ellipse(x + half * 0.3, y + height + 6, half * 1.5, 24, pen.glow(plan.wall(tones, -60), 0.4))
        + fill(side, pen.across([(0, middle), (0.25, light), (0.6, middle), (1, dark)]))
        + ellipse(x, y, half, 16, plan.wall(tones, 5.5))
    )


def _rail(pen: Pen, xs: tuple[float, ...], y: float) -> str:
    pegs = "".join(
        fill(
            f"M{x - 7} {y + 8}h14v22a7 7 0 0 1 -14 0z", BLACK, 'fill-opacity=".2" transform="translate(6 7)"'
        )
        + fill(f"M{x - 7} {y + 8}h14v22a7 7 0 0 1 -14 0z", pen.across([(0, BRASS(14)), (1, BRASS(-18))]))
        for x in xs
    )
    left, right = min(xs) - 150, max(xs) + 150
    return (
        box(left, y - 4, right - left, 22, 5, BLACK, 'fill-opacity=".14" transform="translate(8 12)"')
        + box(left, y - 8, right - left, 24, 5, pen.linear([(0, WOOD(10)), (1, WOOD(-10))]))
        + line(f"M{left + 8} {y + 1}H{right - 8}M{left + 60} {y + 8}H{right - 120}", WOOD(-18), 1.4, 0.4)
        + pegs
    )


def autumn(pen: Pen, tones: Tones, plan: Scene) -> str:
    return _rail(pen, (730, 1010), 74)


def dawn(pen: Pen, tones: Tones, plan: Scene) -> str:
    sun = ellipse(1080, 300, 330, 330, pen.glow("#ffd9a8", 0.75)) + _disc(1080, 290, 150, "#ffe2bd")
    desk = fill(f"M540 {HORIZON + 40}H1600V640H480z", pen.linear([(0, WOOD(11)), (1, WOOD(2))]))
    grain = "".join(
        f"M{560 - i * 9} {500 + i * 30}C820 {490 + i * 32} 1200 {512 + i * 28} 1600 {498 + i * 31}"
        for i in range(5)
    )
    return sun + desk + line(grain, WOOD(-12), 1.5, 0.3) + line(f"M540 {HORIZON + 40}H1600", WOOD(20), 3, 0.8)


def trail(pen: Pen, tones: Tones, plan: Scene) -> str:
    far = (
        f"M520 {HORIZON + 44}C640 330 720 300 800 350C900 240 1000 160 1100 260C1180 "
        f"330 1260 200 1380 170C1480 160 1540 240 1600 230V{HORIZON + 44}z"
    )
    near = (
        f"M540 {HORIZON + 44}C720 380 840 390 960 400C1120 330 1260 340 "
        f"1360 380C1460 400 1540 350 1600 330V{HORIZON + 44}z"
    )
    return (
        _disc(1290, 130, 66, plan.wall(tones, 5.5))
        + fill(far, pen.linear([(0, plan.wall(tones, -7)), (1, plan.wall(tones, -4))]))
        + fill(near, pen.linear([(0, plan.wall(tones, -13)), (1, plan.wall(tones, -4))]))
    )


def kitchen(pen: Pen, tones: Tones, plan: Scene) -> str:
    grid = "".join(f"M560 {y}H1600" for y in range(54, 470, 76)) + "".join(
        f"M{560 + 76 * column + (38 if row % 2 else 0)} {54 + 76 * row - 76}v76"
        for row in range(6)
        for column in range(14)
    )
    counter = fill(f"M520 {HORIZON + 30}H1600V640H480z", pen.linear([(0, WOOD(13)), (1, WOOD(4))]))
    board = fill("M1200 500H1560L1590 560H1190z", pen.linear([(0, WOOD(-4)), (1, WOOD(-12))]))
    wall = line(grid, plan.wall(tones, 6), 3, 0.55) + fill(
        "M540 0H760V470H540z", pen.veil(plan.wall(tones, -0.2), 1, 0, 1, 0)
    )
    return (
        wall
        + counter
        + line(f"M520 {HORIZON + 30}H1600", WOOD(21), 4)
        + board
        + fill("M1190 560H1590V568H1190z", WOOD(-24))
    )


def ceramics(pen: Pen, tones: Tones, plan: Scene) -> str:
    return (
        _arch(1080, 520, 50, plan.wall(tones, -6))
        + _plinth(pen, tones, plan, 1080, 452, 230, 70)
        + _plinth(pen, tones, plan, 1420, 506, 240, 56)
    )


def audio(pen: Pen, tones: Tones, plan: Scene) -> str:
    rings = "".join(
        ellipse(1120, 300, r, r, plan.wall(tones, 1.1 * step + 1.2))
        for step, r in enumerate((330, 258, 190, 126))
    )
    return (
        rings
        + fill(
            f"M0 {HORIZON + 44}H1600V640H0z",
            pen.linear([(0, plan.wall(tones, -4)), (1, plan.wall(tones, -2.2))]),
        )
        + _plinth(pen, tones, plan, 1140, 488, 290, 80)
    )


def denim(pen: Pen, tones: Tones, plan: Scene) -> str:
    return _rail(pen, (730, 930, 1130, 1400), 60)


def gift(pen: Pen, tones: Tones, plan: Scene) -> str:
    return (
        _arch(1120, 600, 40, plan.wall(tones, 4))
        + _parcel(pen, 1060, 330, 300, 236, tones_of("blush"), tones_of("brick"))
        + _parcel(pen, 1312, 450, 190, 130, tones_of("chalk"), tones_of("mustard"))
    )


def _parcel(pen: Pen, x: float, y: float, width: float, height: float, paper: Tones, ribbon: Tones) -> str:
    left, half = x - width / 2, width * 0.07
    bow = (
        f"M{x} {y}"
        f"C{x - width * 0.1:g} {y - 70} {x - width * 0.36:g} {y - 74} {x - width * 0.34:g} {y - 34}"
        f"C{x - width * 0.3:g} {y - 4} {x - width * 0.1:g} {y + 4} {x} {y}z",
        f"M{x} {y}"
        f"C{x + width * 0.1:g} {y - 70} {x + width * 0.36:g} {y - 74} {x + width * 0.34:g} {y - 34}"
        f"C{x + width * 0.3:g} {y - 4} {x + width * 0.1:g} {y + 4} {x} {y}z",
    )
    return (
        ellipse(x + 30, y + height, width * 0.75, 26, pen.glow(BLACK, 0.5))
        + box(
            left, y, width, height, 5, pen.linear([(0, paper(3)), (0.5, paper(-2)), (1, paper(-12))], 0.8, 1)
        )
        + box(
            left - 7,
            y - 4,
            width + 14,
            height * 0.24,
            5,
            BLACK,
            'fill-opacity=".18" transform="translate(0 7)"',
        )
        + box(
            left - 7, y - 4, width + 14, height * 0.24, 5, pen.linear([(0, paper(6)), (1, paper(-6))], 1, 0.4)
        )
        + box(
            x - half,
            y - 4,
            half * 2,
            height + 4,
            0,
            pen.across([(0, ribbon(-4)), (0.4, ribbon(8)), (1, ribbon(-12))]),
        )
        + fill(f"M{x} {y}L{x - width * 0.2:g} {y + 66}l{width * 0.09:g} -4l{width * 0.06:g} 12z", ribbon(-9))
        + fill(
            f"M{x} {y}L{x + width * 0.2:g} {y + 60}l{-width * 0.09:g} -2l{-width * 0.06:g} 12z", ribbon(-14)
        )
        + fill(bow[0], pen.linear([(0, ribbon(12)), (1, ribbon(-8))], 0.8, 1))
        + fill(bow[1], pen.linear([(0, ribbon(4)), (1, ribbon(-15))], 0.6, 1))
        + crease((x - 6, y - 8, x - width * 0.16, y - 46, x - width * 0.28, y - 36), 8, ribbon(-26), 0.5)
        + crease((x + 6, y - 8, x + width * 0.16, y - 46, x + width * 0.28, y - 36), 8, ribbon(-28), 0.5)
        + ellipse(x, y - 3, width * 0.06, 15, pen.across([(0, ribbon(10)), (1, ribbon(-12))]))
    )
