"""Pictures as staff see them."""

from typing import Final

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog_product.models import Picture

THUMBNAIL: Final = 60
"""Height of a picture in a list, in pixels."""

LARGE: Final = 320
"""Height of a picture by itself, in pixels."""


def preview(picture: Picture, alt: str, height: int) -> SafeString:
    """A picture in this height, in pixels."""
    smallest = picture.renditions[0]["name"]
    name = smallest if height == THUMBNAIL else picture.renditions[-1]["name"]
    url = f"{settings.MEDIA_PATH}{picture.sha256}/{name}"
    return format_html('<img src="{}" alt="{}" height="{}">', url, alt, height)
