"""Products for staff, with the pictures they have."""

from typing import Any, ClassVar, Final
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from catalog_product import operations
from catalog_product.admin.previews import LARGE, THUMBNAIL, preview
from catalog_product.admin.site import site
from catalog_product.admin.versioned import MembersForm, VersionedAdmin
from catalog_product.models import Media, Product
from catalog_product.serializers import MAX_DETAILS
from chassis.django.fields import MAX_SLUG, SLUG_FORM
from chassis.problems import DomainError

_WIDE: Final = forms.TextInput(attrs={"class": "vLargeTextField"})
_NOTHING: Final = SafeString("-")


class DetailLines(forms.CharField):
    """Details as lines of `Label: value`."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return "\n".join(f"{one['label']}: {one['value']}" for one in value)
        return value

    def clean(self, value: Any) -> list[dict[str, str]]:
        lines = [line for line in super().clean(value).splitlines() if line.strip()]
        if len(lines) > MAX_DETAILS:
            raise ValidationError(f"At most {MAX_DETAILS} lines.")
        return [_detail(line) for line in lines]


class CategoryLines(forms.CharField):
    """Ids of categories, one a line; the first one is the primary one."""

    widget = forms.Textarea

    def clean(self, value: Any) -> list[UUID]:
        try:
            ids = [UUID(one) for one in super().clean(value).split()]
        except ValueError as exc:
            raise ValidationError("Enter ids of categories, one a line.") from exc
        if len(set(ids)) < len(ids) or len(ids) > operations.MAX_CATEGORIES:
            raise ValidationError(f"At most {operations.MAX_CATEGORIES} categories, none of them twice.")
        try:
            operations.check_categories(ids)
        except DomainError as exc:
            raise ValidationError(exc.detail) from exc
        return ids


class ProductForm(MembersForm):
    slug = forms.RegexField(SLUG_FORM, max_length=MAX_SLUG)
    details = DetailLines(required=False, help_text="One a line, as `Material: Leather`.")
    categories = CategoryLines(required=False, help_text="Ids, one a line; the first one is the primary one.")

    class Meta:
        model = Product
        fields = ["title", "slug", "subtitle", "brand", "status", "description", "details"]
        widgets: ClassVar = dict.fromkeys(("title", "subtitle"), _WIDE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            ids = self.instance.in_categories.order_by("position").values_list("category", flat=True)
            self.fields["categories"].initial = "\n".join(map(str, ids))

    def values(self) -> dict[str, Any]:
        brand = self.cleaned_data["brand"]
        return super().values() | {"brand": brand.public_id if brand else None}


@admin.register(Product, site=site)
class ProductAdmin(VersionedAdmin):
    form = ProductForm
    fields = [
        *("title", "slug", "subtitle", "brand", "status", "categories", "description", "details"),
        *("gallery", "published_at", "seen"),
    ]
    readonly_fields = ["gallery", "published_at"]
    autocomplete_fields = ["brand"]
    list_display = ["thumbnail", "title", "brand", "status", "updated_at"]
    list_display_links = ["thumbnail", "title"]
    list_filter = ["status", "brand", "updated_at"]
    list_select_related = ["brand"]
    search_fields = ["title", "slug", "public_id"]
    search_help_text = "Words of a title, a slug, or an id."
    ordering = ["-pk"]

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """Variants refer to products, so they are archived instead."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        media = Media.objects.select_related("picture").order_by("position")
        return super().get_queryset(request).prefetch_related(Prefetch("media", media))

    @admin.display(description="picture")
    def thumbnail(self, product: Product) -> SafeString:
        """The first picture, small."""
        first = next(iter(product.media.all()), None)
        return preview(first.picture, first.alt, THUMBNAIL) if first else _NOTHING

    @admin.display(description="pictures")
    def gallery(self, product: Product) -> SafeString:
        """All pictures in order, each a link to its form."""
        pictures = [(one.pk, preview(one.picture, one.alt, LARGE // 2)) for one in product.media.all()]
        form = '<a href="../../../media/{}/change/">{}</a> '
        return format_html_join("", form, pictures) if product.pk and pictures else _NOTHING

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        if change:
            values = form.values()
            saved = operations.update_product(product_id=obj.public_id, expected=form.expected(), **values)
        else:
            saved = operations.create_product(**form.values())
        self.save_through(obj, saved)


def _detail(line: str) -> dict[str, str]:
    label, colon, value = (part.strip() for part in line.partition(":"))
    if not (colon and label and value) or len(label) > 80 or len(value) > 500:
        raise ValidationError(f"Not `Label: value`: {line[:40]}")
    return {"label": label, "value": value}
