"""Still lifes for banners, with calm space on the left for words."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mercato.art.backdrop import bands
from mercato.art.catalogue import drawing, kind_of, svg, tones_of
from mercato.art.colors import Tones
from mercato.art.pen import Pen, moved
from mercato.art.scenery import (
    HEIGHT,
    HORIZON,
    WIDTH,
    Scene,
    Thing,
    audio,
    autumn,
    ceramics,
    dawn,
    denim,
    gift,
    kitchen,
    trail,
)


class UnknownScene(LookupError):
    """There is no such scene."""


@dataclass(frozen=True, slots=True)
class SceneColors:
    """The colors around and on a scene: `background` continues its left edge, `text` is legible on it."""

    background: str
    text: str


def scene(name: str) -> str:
    """The SVG (5:2, 1600 by 640) of a scene; its left third holds nothing but wall and floor.

    Raises: UnknownScene.
    """
    plan = _plan(name)
    tones = tones_of(plan.mood)
    pens = [Pen(f"s{index}-") for index in range(len(plan.things) + 1)]
    things = "".join(_placed(pen, thing) for pen, thing in zip(pens[1:], plan.things, strict=True))
    body = _room(tones, plan) + plan.props(pens[0], tones, plan) + things
    return svg((0, 0, WIDTH, HEIGHT), pens, body)


def _plan(name: str) -> Scene:
    try:
        return _SCENES[name]
    except KeyError as exc:
        raise UnknownScene(f"There is no scene {name!r}.") from exc


def _room(tones: Tones, plan: Scene) -> str:
    return (
        bands((0, HORIZON), (plan.wall(tones, 0.8), plan.wall(tones, -1.5)), WIDTH)
        + bands((HORIZON, HORIZON + 44), (plan.wall(tones, -1.5), plan.wall(tones, -4)), WIDTH)
        + bands((HORIZON + 44, HEIGHT), (plan.wall(tones, -4), plan.wall(tones, -2.2)), WIDTH)
    )


def _placed(pen: Pen, thing: Thing) -> str:
    foot = kind_of(thing.kind).foot
    product = drawing(pen, thing.kind, thing.style, tones_of(thing.color))
    return moved(product, thing.x - 400 * thing.scale, thing.y - foot * thing.scale, thing.scale)


_SCENES: dict[str, Scene] = {
    "autumn-layers": Scene("sand", 0.87, 0.042, autumn, (
        Thing("jacket", "chore", "olive", 730, 4, 0.54),
        Thing("hoodie", "pullover", "terracotta", 1010, 16, 0.54),
        Thing("backpack", "rolltop", "walnut", 1270, 572, 0.54),
        Thing("boot", "hiker", "clay", 1462, 596, 0.38),
    )),
    "desk-at-dawn": Scene("blush", 0.9, 0.035, dawn, (
        Thing("plant-pot", "tall", "chalk", 640, 540, 0.52),
        Thing("lamp", "dome", "terracotta", 1410, 550, 0.72),
        Thing("headphones", "studio", "charcoal", 1090, 572, 0.56),
        Thing("mug", "classic", "ocean", 832, 592, 0.3),
    )),
    "trail": Scene("sage", 0.88, 0.035, trail, (
        Thing("bottle", "flask", "mustard", 700, 560, 0.5),
        Thing("backpack", "rolltop", "forest", 930, 572, 0.66),
        Thing("boot", "hiker", "walnut", 1196, 588, 0.52),
        Thing("cap", "trucker", "brick", 1470, 600, 0.36),
    )),
    "kitchen": Scene("oat", 0.89, 0.028, kitchen, (
        Thing("plant-pot", "round", "terracotta", 720, 540, 0.56),
        Thing("bottle", "glass", "forest", 980, 556, 0.56),
        Thing("mug", "tall", "chalk", 1150, 588, 0.38),
        Thing("mug", "classic", "teal", 1330, 556, 0.38),
        Thing("candle", "jar", "oat", 1490, 552, 0.3),
    )),
    "ceramics": Scene("clay", 0.86, 0.035, ceramics, (
        Thing("lamp", "table", "terracotta", 780, 560, 0.62),
        Thing("plant-pot", "round", "oat", 1080, 456, 0.54),
        Thing("mug", "tall", "sage", 1420, 508, 0.4),
        Thing("mug", "classic", "rose", 1230, 592, 0.32),
        Thing("candle", "pillars", "chalk", 960, 600, 0.32),
    )),
    "audio": Scene("navy", 0.27, 0.03, audio, (
        Thing("speaker", "shelf", "charcoal", 820, 566, 0.66),
        Thing("headphones", "slim", "sand", 1140, 490, 0.58),
        Thing("speaker", "portable", "terracotta", 1410, 590, 0.5),
    )),
    "denim": Scene("sky", 0.88, 0.028, denim, (
        Thing("jeans", "straight", "navy", 730, 34, 0.56),
        Thing("jeans", "wide", "ocean", 930, 34, 0.56),
        Thing("jeans", "straight", "sky", 1130, 34, 0.56),
        Thing("tee", "striped", "chalk", 1400, -30, 0.54),
        Thing("sneaker", "court", "chalk", 1390, 596, 0.44),
    )),
    "gift": Scene("forest", 0.3, 0.045, gift, (
        Thing("mug", "classic", "mustard", 790, 580, 0.38),
        Thing("candle", "jar", "chalk", 930, 596, 0.36),
        Thing("sunglasses", "round", "brick", 1150, 610, 0.34),
        Thing("headphones", "studio", "rose", 1490, 560, 0.34),
    )),
}  # fmt: skip

SCENES: tuple[str, ...] = tuple(_SCENES)


def _colors(plan: Scene) -> SceneColors:
    tones = tones_of(plan.mood)
    dark = plan.lightness < 0.5
    return SceneColors(plan.wall(tones), tones.at(0.97, 0.012) if dark else tones.at(0.24, 0.03))


SCENE_COLORS: Mapping[str, SceneColors] = MappingProxyType(
    {name: _colors(plan) for name, plan in _SCENES.items()}
)
