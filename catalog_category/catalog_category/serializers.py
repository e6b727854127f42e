"""The wire format of the tree: what comes in, checked for shape, and what goes out."""

from typing import Any, Final

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from catalog_category.models import Status
from catalog_category.operations import MAX_DEPTH
from catalog_category.queries import Node
from chassis.django.fields import (
    MAX_IDS,
    Ids,
    PublicId,
    Slug,
    StrictInput,
    Text,
    WholeNumber,
    slug_of,
    uuid_of,
)

ROOT: Final = "root"
MAX_POSITION: Final = 10**6


class ParentId(serializers.CharField):
    """A UUID, or `root` for what has no parent."""

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        return text if text == ROOT else uuid_of(text)


class ListQuery(serializers.Serializer[Any]):
    parent = ParentId(required=False, help_text="Children of this one; `root` for the roots.")  # type: ignore[assignment]  # Its name hides Field.parent.
    q = serializers.CharField(required=False, max_length=100, help_text="Part of the name, in any case.")
    status = serializers.ChoiceField(Status.choices, required=False, help_text="Needs `catalog:read`.")
    ids = Ids(required=False, help_text=f"Up to {MAX_IDS} ids with commas between them.")


class PathQuery(serializers.Serializer[Any]):
    path = serializers.CharField(
        required=False, max_length=1000, help_text="Slugs from the root down with `/` between: that one."
    )


class TreeQuery(serializers.Serializer[Any]):
    root = serializers.UUIDField(required=False, help_text="Only this one and what is below it.")  # type: ignore[assignment]
    depth = serializers.IntegerField(min_value=1, max_value=MAX_DEPTH, default=MAX_DEPTH)


class DescendantsQuery(serializers.Serializer[Any]):
    ids_only = serializers.BooleanField(default=False, help_text="All ids in one answer, without pages.")


class CategoryInput(StrictInput):
    name = Text(max_length=120)
    slug = Slug(required=False, help_text="Made from the name when absent.")
    description = Text(max_length=10_000, allow_blank=True, default="")
    status = serializers.ChoiceField(Status.choices, default=Status.DRAFT.value)
    parent = PublicId(allow_null=True, default=None)  # type: ignore[assignment]
    position = WholeNumber(
        min_value=0,
        max_value=MAX_POSITION,
        allow_null=True,
        default=None,
        help_text="Index among its siblings; last when absent.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A name in letters that no path takes needs a slug beside it."""
        slug = attrs.get("slug") or slug_of(attrs["name"])
        if not slug:
            raise serializers.ValidationError(
                {"slug": "No slug can be made from this name."}, code="required"
            )
        return attrs | {"slug": slug}


class CategoryPatch(StrictInput):
    """A merge patch (RFC 7396). Null takes the description away; the rest cannot be absent."""

    name = Text(max_length=120, required=False)
    slug = Slug(required=False)
    description = Text(max_length=10_000, allow_blank=True, allow_null=True, required=False)
    status = serializers.ChoiceField(Status.choices, required=False)

    def validate_description(self, value: str | None) -> str:
        return value or ""


class MoveInput(StrictInput):
    parent = PublicId(allow_null=True, help_text="Null makes it a root.")  # type: ignore[assignment]
    position = WholeNumber(
        min_value=0,
        max_value=MAX_POSITION,
        allow_null=True,
        default=None,
        help_text="Index among its new siblings; last when absent.",
    )


class LinkOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()
    path = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)


class CategoryOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()
    path = serializers.CharField(help_text="Slugs from the root down with `/` between.")
    parent = serializers.UUIDField(allow_null=True)  # type: ignore[assignment]
    position = serializers.IntegerField()
    status = serializers.ChoiceField(Status.choices)
    description = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class CategoryDetailOutput(CategoryOutput):
    breadcrumb = LinkOutput(many=True, help_text="From the root down to the category itself.")
    children = LinkOutput(many=True)
    siblings = LinkOutput(many=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """The category's own members first, then its family."""
        family = {name: LinkOutput(getattr(instance, name), many=True).data for name in _FAMILY}
        return {**CategoryOutput(instance.row).data, **family}


class CategoryList(serializers.Serializer[Any]):
    data = CategoryOutput(many=True)  # type: ignore[assignment]  # The list's name hides Serializer.data.
    next_cursor = serializers.CharField(allow_null=True)


class IdList(serializers.Serializer[Any]):
    data = serializers.ListField(child=serializers.UUIDField())  # type: ignore[assignment]
    next_cursor = serializers.CharField(allow_null=True)


class CategoryNode(LinkOutput):
    children = serializers.SerializerMethodField()

    @extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/CategoryNode"}})
    def get_children(self, node: Node) -> list[Any]:
        return [node_output(child) for child in node.children]


class CategoryTreeOutput(serializers.Serializer[Any]):
    data = CategoryNode(many=True)  # type: ignore[assignment]


class ExistsOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    exists = serializers.BooleanField()
    status = serializers.ChoiceField(Status.choices)


LIST_OR_ONE: Final = PolymorphicProxySerializer(
    component_name="CategoryListOrDetail",
    serializers=[CategoryList, CategoryDetailOutput],
    resource_type_field_name=None,
    many=False,
)
DESCENDANTS: Final = PolymorphicProxySerializer(
    component_name="CategoryDescendants",
    serializers=[CategoryList, IdList],
    resource_type_field_name=None,
    many=False,
)
_FAMILY: Final = ("breadcrumb", "children", "siblings")


def node_output(node: Node) -> dict[str, Any]:
    """What CategoryNode says, written out by hand: a large tree is many nodes."""
    return {
        "id": str(node.id),
        "name": node.name,
        "slug": node.slug,
        "path": node.path,
        "status": node.status,
        "children": [node_output(child) for child in node.children],
    }
