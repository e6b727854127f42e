"""What comes in, checked for shape."""

import re
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog_product.models import Status
from catalog_product.operations import MAX_CATEGORIES
from chassis.django.fields import (
    MAX_SLUG,
    SLUG_FORM,
    PublicId,
    ShortList,
    ShortMap,
    Slug,
    StrictInput,
    Text,
    WholeNumber,
    slug_of,
)
from chassis.strict_json import parse_object

MAX_DETAILS: Final = 40
MAX_OPTIONS: Final = 5
MAX_POSITION: Final = 10**6


class Categories(ShortList):
    """Ids of categories, none of them twice."""

    child = PublicId()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_CATEGORIES, **kwargs)

    def to_internal_value(self, data: Any) -> list[UUID]:
        ids = super().to_internal_value(data)
        twice = [index for index, one in enumerate(ids) if one in ids[:index]]
        if twice:
            error = serializers.ErrorDetail("This category stands here already.", "duplicate")
            raise serializers.ValidationError({str(index): [error] for index in twice})
        return list(ids)


class Options(ShortMap):
    """An object of option codes and value codes, such as {"colour": "forest"}."""

    child = Slug()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_OPTIONS, **kwargs)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        options = super().to_internal_value(data)
        wrong = [code for code in options if len(code) > MAX_SLUG or not re.fullmatch(SLUG_FORM, code)]
        if wrong:
            error = serializers.ErrorDetail("This is no code of an option.", "invalid")
            raise serializers.ValidationError({code: [error] for code in wrong})
        return dict(options)


@extend_schema_field({"type": "string", "contentMediaType": "application/json"})
class OptionsText(Options):
    """The same as the text of a form field."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        try:
            return super().to_internal_value(parse_object(str(data).encode()))
        except (ValueError, UnicodeEncodeError) as exc:
            raise serializers.ValidationError("This must be one JSON object.", "invalid") from exc


class DetailInput(StrictInput):
    label = Text(max_length=80)  # type: ignore[assignment]  # Its name hides Field.label.
    value = Text(max_length=500)


class ProductInput(StrictInput):
    title = Text(max_length=200)
    slug = Slug(required=False, help_text="Made from the title when absent.")
    subtitle = Text(max_length=200, allow_blank=True, default="")
    description = Text(max_length=20_000, allow_blank=True, default="")
    details = serializers.ListField(child=DetailInput(), max_length=MAX_DETAILS, default=list)
    brand = PublicId(allow_null=True, default=None)
    categories = Categories(default=list, help_text="The first one is the primary one.")
    status = serializers.ChoiceField(Status.choices, default=Status.DRAFT.value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A title in letters that no path takes needs a slug beside it."""
        return _with_slug(attrs, "title")


class ProductPatch(StrictInput):
    """A merge patch (RFC 7396). Null empties a member that may be empty; the rest cannot be absent."""

    title = Text(max_length=200, required=False)
    slug = Slug(required=False)
    subtitle = Text(max_length=200, allow_blank=True, allow_null=True, required=False)
    description = Text(max_length=20_000, allow_blank=True, allow_null=True, required=False)
    details = serializers.ListField(
        child=DetailInput(), max_length=MAX_DETAILS, allow_null=True, required=False
    )
    brand = PublicId(allow_null=True, required=False)
    categories = Categories(allow_null=True, required=False, help_text="The first one is the primary one.")
    status = serializers.ChoiceField(Status.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Null stands for the empty value of its member."""
        empty = {"subtitle": "", "description": "", "details": [], "categories": []}
        return {name: empty.get(name) if value is None else value for name, value in attrs.items()}


class MediaInput(StrictInput):
    file = serializers.FileField(help_text="JPEG, PNG or WebP; 8 MiB and 25 million pixels at most.")
    alt = Text(max_length=300, help_text="What the picture shows, for those who do not see it.")
    options = OptionsText(
        default=dict, help_text='Which options it shows, as `{"colour": "forest"}`; `{}` is all of them.'
    )
    position = serializers.IntegerField(
        min_value=0, max_value=MAX_POSITION, required=False, help_text="Index in the gallery; else the last."
    )


class MediaPatch(StrictInput):
    alt = Text(max_length=300, required=False)
    options = Options(required=False)
    position = WholeNumber(min_value=0, max_value=MAX_POSITION, required=False)


class BrandInput(StrictInput):
    name = Text(max_length=120)
    slug = Slug(required=False, help_text="Made from the name when absent.")
    description = Text(max_length=10_000, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A name in letters that no path takes needs a slug beside it."""
        return _with_slug(attrs, "name")


class BrandPatch(StrictInput):
    """A merge patch (RFC 7396). Null takes the description away; the rest cannot be absent."""

    name = Text(max_length=120, required=False)
    slug = Slug(required=False)
    description = Text(max_length=10_000, allow_blank=True, allow_null=True, required=False)

    def validate_description(self, value: str | None) -> str:
        return value or ""


def _with_slug(attrs: dict[str, Any], source: str) -> dict[str, Any]:
    slug = attrs.get("slug") or slug_of(attrs[source])
    if not slug:
        raise serializers.ValidationError({"slug": f"No slug can be made from this {source}."}, "required")
    return attrs | {"slug": slug}
