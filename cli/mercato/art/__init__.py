"""The pictures of the demo catalogue: drawn, so that every product is to be had in every color."""

from mercato.art.catalogue import (
    KINDS,
    STYLES,
    VIEWS,
    UnknownColor,
    UnknownKind,
    UnknownStyle,
    UnknownView,
    picture,
)
from mercato.art.colors import COLORS, Color, contrast
from mercato.art.raster import rasterise
from mercato.art.scenes import SCENE_COLORS, SCENES, SceneColors, UnknownScene, scene

__all__ = [
    "COLORS",
    "KINDS",
    "SCENES",
    "SCENE_COLORS",
    "STYLES",
    "VIEWS",
    "Color",
    "SceneColors",
    "UnknownColor",
    "UnknownKind",
    "UnknownScene",
    "UnknownStyle",
    "UnknownView",
    "contrast",
    "picture",
    "rasterise",
    "scene",
]
