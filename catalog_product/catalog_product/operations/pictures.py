"""Uploads become pictures: rendered once for the same bytes, and written where nobody sees half a file."""

from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from catalog_product.models import Picture
from chassis import images
from chassis.files import replace_file


class PictureStorage(FileSystemStorage):
    """Files that are there whole or not at all, also after the machine stops in between."""

    def _save(self, name: str, content: "File[Any]") -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, b"".join(content.chunks()))
        return name


def make_picture(data: bytes) -> Picture:
    """The picture of an upload, its files written. It is not saved yet unless the bytes are known.

    Known bytes are rendered again when their files are gone, as after a restore of the database alone.
    Raises: UnusableImage, ImageTooLarge, Busy.
    """
    known = Picture.objects.filter(sha256=images.digest(data)).first()
    if known and all(default_storage.exists(_path(known.sha256, one["name"])) for one in known.renditions):
        return known
    rendered = _render(data)
    return known or rendered


def keep_picture(picture: Picture) -> Picture:
    """Save a picture that make_picture made, or find the one that somebody else saved meanwhile."""
    if picture.pk:
        return picture
    members = {name: getattr(picture, name) for name in ("width", "height", "color", "renditions")}
    return Picture.objects.get_or_create(sha256=picture.sha256, defaults=members)[0]


def _render(data: bytes) -> Picture:
    made = images.render(data)
    for rendition in made.renditions:
        default_storage.save(_path(made.sha256, rendition.name), ContentFile(rendition.data))
    return Picture(
        sha256=made.sha256,
        width=made.width,
        height=made.height,
        color=made.color,
        renditions=[
            {"name": one.name, "width": one.width, "height": one.height, "type": one.media_type}
            for one in made.renditions
        ],
    )


def _path(sha256: str, name: str) -> str:
    return f"{sha256}/{name}"
