"""The drawn catalogue: every picture there is, and the mistakes that have a name."""

import io
import re
from collections.abc import Callable
from itertools import pairwise, product
from xml.etree import ElementTree

import pytest
from PIL import Image

from mercato import art
from mercato.demo.painter import SCENE_WIDTH, WIDTH

EVERY = [(kind, style) for kind in art.KINDS for style in art.STYLES[kind]]
KINDS_PROMISED = {
    *("tee", "hoodie", "jacket", "dress", "jeans", "sneaker", "boot", "cap", "backpack", "tote", "watch"),
    *("sunglasses", "headphones", "speaker", "lamp", "chair", "mug", "bottle", "plant-pot", "candle"),
}
LIMIT = 12_000


def bitmap(svg: str, width: int = 80) -> Image.Image:
    return Image.open(io.BytesIO(art.rasterise(svg, width))).convert("RGB")


def object_pixels(kind: str, style: str, color: str) -> list[tuple[int, ...]]:
    # The middle of the tile, away from the backdrop, which is tinted too.
    return list(bitmap(art.picture(kind, style, color)).crop((20, 25, 60, 80)).get_flattened_data())


def distance(one: list[tuple[int, ...]], other: list[tuple[int, ...]]) -> float:
    return sum(abs(a - b) for p, q in zip(one, other, strict=True) for a, b in zip(p, q, strict=True)) / len(
        one
    )


def test_has_every_kind_of_product() -> None:
    assert set(art.KINDS) >= KINDS_PROMISED


@pytest.mark.parametrize(("kind", "style"), EVERY)
@pytest.mark.parametrize("color", ["ink", "chalk", "terracotta"])
def test_draws_a_sound_small_picture(kind: str, style: str, color: str) -> None:
    svg = art.picture(kind, style, color)

    assert ElementTree.fromstring(svg).get("viewBox") == "0 0 800 1000"  # noqa: S314 (ours)
    assert len(svg.encode()) < LIMIT
    assert bitmap(svg).size == (80, 100)


@pytest.mark.parametrize(
    ("svg", "width"),
    [
        (art.picture("hoodie", art.STYLES["hoodie"][0], "ocean"), WIDTH),
        (art.picture("lamp", art.STYLES["lamp"][0], "ink"), WIDTH),
        (art.scene(art.SCENES[0]), SCENE_WIDTH),
    ],
)
def test_leaves_nothing_for_a_page_to_shine_through(svg: str, width: int) -> None:
    drawn = Image.open(io.BytesIO(art.rasterise(svg, width))).convert("RGBA")

    assert drawn.getchannel("A").getextrema() == (255, 255)


@pytest.mark.parametrize(("kind", "style"), EVERY)
def test_draws_the_same_bytes_again(kind: str, style: str) -> None:
    assert art.picture(kind, style, "olive") == art.picture(kind, style, "olive")


@pytest.mark.parametrize(("kind", "style"), EVERY)
def test_refers_to_nothing_it_does_not_define(kind: str, style: str) -> None:
    svg = art.picture(kind, style, "sky")

    wanted = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg))

    assert {one or other for one, other in wanted} == set(re.findall(r' id="([^"]+)"', svg))


@pytest.mark.parametrize(("kind", "style"), EVERY)
def test_paints_the_product_in_its_color(kind: str, style: str) -> None:
    brick, teal = (object_pixels(kind, style, color) for color in ("brick", "teal"))

    assert distance(brick, teal) > 12


@pytest.mark.parametrize("kind", art.KINDS)
def test_shows_a_closer_view_of_the_same_shape(kind: str) -> None:
    svg = art.picture(kind, art.STYLES[kind][0], "navy", "detail")

    assert bitmap(svg).size == (80, 100)
    assert svg.partition("<defs>")[2] == art.picture(kind, art.STYLES[kind][0], "navy").partition("<defs>")[2]


@pytest.mark.parametrize("kind", [kind for kind in art.KINDS if len(art.STYLES[kind]) > 1])
def test_tells_the_styles_of_a_kind_apart(kind: str) -> None:
    drawn = [object_pixels(kind, style, "sand") for style in art.STYLES[kind]]

    assert min(distance(one, other) for one, other in pairwise(drawn)) > 1


@pytest.mark.parametrize(
    ("wrong", "call"),
    [
        (art.UnknownKind, lambda: art.picture("unicorn", "plain", "ink")),
        (art.UnknownStyle, lambda: art.picture("tee", "dome", "ink")),
        (art.UnknownColor, lambda: art.picture("tee", "plain", "puce")),
        (art.UnknownView, lambda: art.picture("tee", "plain", "ink", "behind")),
        (art.UnknownScene, lambda: art.scene("moon")),
    ],
)
def test_names_what_it_does_not_know(wrong: type[Exception], call: Callable[[], str]) -> None:
    with pytest.raises(wrong):
        call()


def test_names_colors_that_are_all_different() -> None:
    assert len({color.hex for color in art.COLORS.values()}) == len(art.COLORS) >= 20


@pytest.mark.parametrize("name", art.SCENES)
def test_draws_a_scene(name: str) -> None:
    svg = art.scene(name)

    assert ElementTree.fromstring(svg).get("viewBox") == "0 0 1600 640"  # noqa: S314 (ours)
    assert svg == art.scene(name)


@pytest.mark.parametrize(("name", "tenth"), list(product(art.SCENES, range(4))))
def test_keeps_text_legible_on_the_left_of_a_scene(name: str, tenth: int) -> None:
    quiet = bitmap(art.scene(name), 160).crop((tenth * 12, 0, tenth * 12 + 12, 64))
    text = art.SCENE_COLORS[name].text

    shades = {f"#{bytes(shade).hex()}" for shade in set(quiet.get_flattened_data())}

    assert min(art.contrast(text, shade) for shade in shades) >= 4.5
    assert art.contrast(text, art.SCENE_COLORS[name].background) >= 4.5
