"""The demo catalogue as its files tell it."""

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from mercato.art import COLORS, SCENE_COLORS
from mercato.art.colors import contrast
from mercato.demo.models import COLOR, Banner, Brand, Catalogue, Category, Option, OptionValue, Product

_DATA = files("mercato.demo") / "data"
_WHITE, _BLACK = "#ffffff", "#000000"


@cache
def catalogue() -> Catalogue:
    """The catalogue; the same each time."""
    return Catalogue(
        categories=tuple(Category(**entry) for entry in _entries("categories.toml", "category")),
        brands=tuple(Brand(**entry) for entry in _entries("brands.toml", "brand")),
        options=tuple(_option(entry) for entry in _entries("options.toml", "option")),
        products=tuple(
            _product(entry)
            for file in _product_files()
            for entry in tomllib.loads(file.read_text(encoding="utf-8"))["product"]
        ),
        banners=tuple(_banner(entry) for entry in _entries("banners.toml", "banner")),
    )


@cache
def looks() -> Mapping[tuple[str, str], str]:
    """What is seen in the picture of a kind in a style, without its color."""
    content = tomllib.loads((_DATA / "looks.toml").read_text(encoding="utf-8"))
    return {(kind, style): look for kind, styles in content.items() for style, look in styles.items()}


@cache
def fingerprint() -> str:
    """Changes whenever a file of the catalogue does."""
    content = hashlib.sha256()
    for file in (*_sorted(_DATA), *_product_files()):
        content.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return content.hexdigest()


def paragraphs(text: str) -> str:
    """A text without the line breaks of its file: blank lines stay, each paragraph is one line."""
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


def _entries(name: str, kind: str) -> list[dict[str, Any]]:
    # What tomllib reads has no type; each entry is checked by the dataclass that takes it, and by the tests.
    entries: list[dict[str, Any]] = tomllib.loads((_DATA / name).read_text(encoding="utf-8"))[kind]
    return entries


def _product_files() -> list[Traversable]:
    return _sorted(_DATA / "products")


def _sorted(folder: Traversable) -> list[Traversable]:
    found = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    return sorted(found, key=lambda file: file.name)


def _option(entry: dict[str, Any]) -> Option:
    if entry["code"] == COLOR:
        values = tuple(OptionValue(each.code, each.name, each.hex) for each in COLORS.values())
    else:
        values = tuple(OptionValue(code, name) for code, name in entry["values"])
    return Option(entry["code"], entry["name"], entry["display"], values)


def _product(entry: dict[str, Any]) -> Product:
    return Product(
        **{
            **entry,
            "description": paragraphs(entry["description"]),
            "categories": tuple(entry["categories"]),
            "colors": tuple(entry["colors"]),
            "close_up": tuple(entry.get("close_up", ())),
            "details": tuple((label, value) for label, value in entry["details"]),
            "options": {code: tuple(values) for code, values in entry.get("options", {}).items()},
        }
    )


def _banner(entry: dict[str, Any]) -> Banner:
    target, categories = tuple(entry["target"]), tuple(entry.get("categories", ()))
    return Banner(**{**entry, **_colors(entry), "target": target, "categories": categories})


def _colors(entry: dict[str, Any]) -> dict[str, str]:
    if "scene" not in entry:
        return {}
    colors = SCENE_COLORS[entry["scene"]]
    is_dark = contrast(colors.background, _WHITE) > contrast(colors.background, _BLACK)
    return {
        "theme": "dark" if is_dark else "light",
        "background": colors.background,
        "foreground": colors.text,
    }
