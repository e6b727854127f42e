"""What goes out."""

from typing import Any, Final

from django.conf import settings
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from catalog_product.models import Brand, Media, Picture, Status
from catalog_product.serializers.inputs import DetailInput

_WEBP: Final = "image/webp"
_JPEG: Final = "image/jpeg"


class RenditionOutput(serializers.Serializer[Any]):
    url = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    type = serializers.CharField()


class MediaOutput(serializers.Serializer[Media]):
    id = serializers.UUIDField()
    alt = serializers.CharField()
    options = serializers.DictField(child=serializers.CharField())
    position = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    color = serializers.CharField(help_text="Its mean, as `#rrggbb`.")
    sha256 = serializers.CharField(help_text="Of the upload.")
    renditions = RenditionOutput(many=True)
    jpeg = serializers.CharField(help_text="URL of the one rendition that every program shows.")

    def to_representation(self, instance: Media) -> dict[str, Any]:
        """Written out by hand, as a product is: field by field a page takes several times as long."""
        picture = instance.picture
        return {
            "id": instance.public_id,
            "alt": instance.alt,
            "options": instance.options,
            "position": instance.position,
            "width": picture.width,
            "height": picture.height,
            "color": picture.color,
            "sha256": picture.sha256,
            "renditions": [_rendition(picture, one) for one in picture.renditions if one["type"] == _WEBP],
            "jpeg": next(_url(picture, one) for one in picture.renditions if one["type"] == _JPEG),
        }


class BrandLink(serializers.Serializer[Brand]):
    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    slug = serializers.CharField()


class BrandOutput(BrandLink):
    description = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class BrandList(serializers.Serializer[Any]):
    data = BrandOutput(many=True)  # type: ignore[assignment]  # The list's name hides Serializer.data.
    next_cursor = serializers.CharField(allow_null=True)


class ProductOutput(serializers.Serializer[Any]):
    """A product as lists show it."""  # It needs what queries.rows() fetches.

    id = serializers.UUIDField()
    title = serializers.CharField()
    slug = serializers.CharField()
    subtitle = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(Status.choices)
    brand = BrandLink(allow_null=True)
    categories = serializers.ListField(child=serializers.UUIDField())
    primary_category = serializers.UUIDField(allow_null=True)
    image = MediaOutput(allow_null=True, help_text="The first of its pictures.")
    published_at = serializers.DateTimeField(allow_null=True, help_text="When it was published first.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        brand, categories = instance.brand, instance.category_ids
        image = next(iter(instance.gallery), None)
        return {
            "id": instance.public_id,
            "title": instance.title,
            "slug": instance.slug,
            "subtitle": instance.subtitle,
            "status": instance.status,
            "brand": brand and {"id": brand.public_id, "name": brand.name, "slug": brand.slug},
            "categories": categories,
            "primary_category": next(iter(categories), None),
            "image": image and _media_output.to_representation(image),
            "published_at": instance.published_at,
            "created_at": instance.created_at,
            "updated_at": instance.updated_at,
        }


class ProductDetailOutput(ProductOutput):
    """A product with all that belongs to it."""  # It needs what queries.details() fetches.

    description = serializers.CharField(allow_blank=True)
    details = DetailInput(many=True)
    media = MediaOutput(many=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return super().to_representation(instance) | {
            "description": instance.description,
            "details": instance.details,
            "media": [_media_output.to_representation(one) for one in instance.gallery],
        }


class ProductList(serializers.Serializer[Any]):
    data = ProductOutput(many=True)  # type: ignore[assignment]
    next_cursor = serializers.CharField(allow_null=True)


LIST_OR_ONE: Final = PolymorphicProxySerializer(
    component_name="ProductListOrDetail",
    serializers=[ProductList, ProductDetailOutput],
    resource_type_field_name=None,
    many=False,
)


_media_output: Final = MediaOutput()


def _rendition(picture: Picture, rendition: dict[str, Any]) -> dict[str, Any]:
    size = {name: rendition[name] for name in ("width", "height", "type")}
    return {"url": _url(picture, rendition)} | size


def _url(picture: Picture, rendition: dict[str, Any]) -> str:
    return f"{settings.MEDIA_PATH}{picture.sha256}/{rendition['name']}"
