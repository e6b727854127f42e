"""What a query may say."""

from typing import Any

from rest_framework import serializers

from catalog_product.models import Status
from catalog_product.queries import ORDERS
from chassis.django.fields import MAX_IDS, MAX_SLUG, Ids


class ListQuery(serializers.Serializer[Any]):
    q = serializers.CharField(required=False, max_length=100, help_text="Words of a customer.")
    category = serializers.UUIDField(required=False, help_text="In this category or any below it.")
    brand = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(Status.choices, required=False, help_text="Needs `catalog:read`.")
    ids = Ids(required=False, help_text=f"Up to {MAX_IDS} ids with commas between them.")
    sort = serializers.ChoiceField(
        list(ORDERS), required=False, help_text="`relevance` needs `q`, and is meant where `q` stands."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nothing is relevant to no words."""
        sort = attrs.setdefault("sort", "relevance" if "q" in attrs else "newest")
        if sort == "relevance" and "q" not in attrs:
            raise serializers.ValidationError({"sort": "Only with q."})
        return attrs


class SlugQuery(serializers.Serializer[Any]):
    slug = serializers.CharField(
        required=False, max_length=MAX_SLUG, help_text="That one, as `/products/{id}` shows it; goes alone."
    )


class BrandsQuery(serializers.Serializer[Any]):
    q = serializers.CharField(required=False, max_length=100, help_text="Part of the name, in any case.")
    ids = Ids(required=False, help_text=f"Up to {MAX_IDS} ids with commas between them.")
