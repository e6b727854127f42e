"""Writes of a product's gallery. Each makes a new version of the product, whose lock they take turns by."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from catalog_product.models import Media, Product
from catalog_product.operations.pictures import keep_picture, make_picture
from catalog_product.operations.products import get_product, lock_product, save_version
from chassis.django.constraints import refusing
from chassis.django.etags import ANY, Expected
from chassis.problems import DomainError

MAX_MEDIA: Final = 24
"""How many pictures a product may have."""


class NoSuchMedia(DomainError):
    """The product has no picture with this id."""

    code = "not-found"
    status = 404


class TooManyMedia(DomainError):
    """The product has as many pictures as it may have."""

    code = "too-many-media"

    def __init__(self) -> None:
        super().__init__(f"A product may have {MAX_MEDIA} pictures.")


class MediaExists(DomainError):
    """The product shows the same picture for the same options already."""

    code = "media-exists"


def add_media(
    *, product_id: UUID, data: bytes, alt: str, options: dict[str, str], position: int | None = None
) -> Media:
    """Add an uploaded picture at an index of a product's gallery, at the end when there is none.

    options says which values of which options it shows; {} is all of them. The files are written before
    anything is saved, so a failure leaves at most files that nothing names.
    Raises: NoSuchProduct, UnusableImage, ImageTooLarge, Busy, TooManyMedia, MediaExists.
    """
    _check_room(get_product(product_id))
    picture = make_picture(data)
    with transaction.atomic():
        product = lock_product(product_id, ANY)
        _check_room(product)
        media = Media(product=product, picture=keep_picture(picture), alt=alt, options=options)
        gallery = list(product.media.order_by("position"))
        media.position = len(gallery)
        with _refusing_twins():
            media.save(force_insert=True)
        if position is not None:
            _arrange(gallery, media, position)
        save_version(product)
    return media


@transaction.atomic
def update_media(
    *, product_id: UUID, media_id: UUID, expected: Expected, position: int | None = None, **changes: Any
) -> Media:
    """Set alt or options of a picture, or bring it to an index of the gallery.

    What is set to the value it had is no change.
    Raises: NoSuchProduct, PreconditionFailed, NoSuchMedia, MediaExists.
    """
    product = lock_product(product_id, expected)
    gallery, media = _find(product, media_id)
    changed = [name for name, value in changes.items() if getattr(media, name) != value]
    for name in changed:
        setattr(media, name, changes[name])
    with _refusing_twins():
        media.save(update_fields=changed)
    is_moved = position is not None and _arrange(gallery, media, position)
    if changed or is_moved:
        save_version(product)
    return media


@transaction.atomic
def remove_media(*, product_id: UUID, media_id: UUID, expected: Expected) -> None:
    """Take a picture out of a product's gallery. Its files stay, for others may show them.

    Raises: NoSuchProduct, PreconditionFailed, NoSuchMedia.
    """
    product = lock_product(product_id, expected)
    gallery, media = _find(product, media_id)
    media.delete()
    _number(gallery)
    save_version(product)


def _check_room(product: Product) -> None:
    if product.media.count() >= MAX_MEDIA:
        raise TooManyMedia


def _find(product: Product, media_id: UUID) -> tuple[list[Media], Media]:
    # The picture, and the others of its gallery.
    gallery = list(product.media.select_related("picture").order_by("position"))
    for media in gallery:
        if media.public_id == media_id:
            media.product = product
            gallery.remove(media)
            return gallery, media
    raise NoSuchMedia


def _arrange(others: list[Media], media: Media, index: int) -> bool:
    # Whether that was a change.
    return _number([*others[:index], media, *others[index:]])


def _number(gallery: Sequence[Media]) -> bool:
    moved = [media for number, media in enumerate(gallery) if media.position != number]
    for number, media in enumerate(gallery):
        media.position = number
    Media.objects.bulk_update(moved, ["position"])
    return bool(moved)


def _refusing_twins() -> Any:
    detail = "This product shows the same picture for the same options."
    return refusing({"media_picture_key": lambda: MediaExists(detail)})
