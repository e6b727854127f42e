"""Products for staff. What they save goes through the operations, whose rules hold here as everywhere."""

from typing import Any, Final, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from rest_framework import serializers

from catalog_product import operations
from catalog_product.models import Brand, Media, Picture, Product
from catalog_product.serializers import MAX_DETAILS, MAX_POSITION, Options
from chassis import images
from chassis.django.admin import ProblemMessages, ServiceAdminSite
from chassis.django.etags import ANY, Expected
from chassis.django.fields import MAX_SLUG, SLUG_FORM
from chassis.problems import DomainError

site = ServiceAdminSite(name="admin")

_NOTHING: Final = SafeString("-")
_THUMBNAIL: Final = 60
_LARGE: Final = 320
_SAID: Final = ("alt", "options", "place")


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


class OptionsField(forms.JSONField):
    """Options as the API takes them."""

    def clean(self, value: Any) -> dict[str, str]:
        try:
            return cast(dict[str, str], Options().run_validation(super().clean(value) or {}))
        except serializers.ValidationError as exc:
            raise ValidationError('Enter codes of options and values, such as {"colour": "forest"}.') from exc


class VersionedForm(forms.ModelForm):  # type: ignore[type-arg]
    """Carries the version that was shown, so that nobody undoes what somebody else has saved meanwhile."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["seen"].initial = self.version()

    def version(self) -> int:
        """That of what is changed."""
        return cast(int, self.instance.version)

    def expected(self) -> Expected:
        """What the operation compares with."""
        return Expected(frozenset({self.cleaned_data["seen"] or 0}))

    def values(self) -> dict[str, Any]:
        """What the operation takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}


class BrandForm(VersionedForm):
    slug = forms.RegexField(SLUG_FORM, max_length=MAX_SLUG)

    class Meta:
        model = Brand
        fields = ["name", "slug", "description"]


class ProductForm(VersionedForm):
    slug = forms.RegexField(SLUG_FORM, max_length=MAX_SLUG)
    details = DetailLines(required=False, help_text="One a line, as `Material: Leather`.")
    categories = CategoryLines(required=False, help_text="Ids, one a line; the first one is the primary one.")

    class Meta:
        model = Product
        fields = ["title", "slug", "subtitle", "brand", "status", "description", "details"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            ids = self.instance.in_categories.order_by("position").values_list("category", flat=True)
            self.fields["categories"].initial = "\n".join(map(str, ids))

    def values(self) -> dict[str, Any]:
        brand = self.cleaned_data["brand"]
        return super().values() | {"brand": brand.public_id if brand else None}


class MediaForm(VersionedForm):
    # Not an ImageField, which would decode the file: chassis.images alone does, after a look at its header.
    file = forms.FileField(help_text="JPEG, PNG or WebP; 8 MiB and 25 million pixels at most.")
    options = OptionsField(required=False, initial=dict, help_text='Such as {"colour": "forest"}; else all.')
    # An index, at which another picture may stand; what stands there moves on.
    place = forms.IntegerField(
        required=False, min_value=0, max_value=MAX_POSITION, label="Position", help_text="Last when empty."
    )

    class Meta:
        model = Media
        fields = ["product", "alt", "options"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["file"]
            self.fields["place"].initial = self.instance.position

    def version(self) -> int:
        """That of the product, of which every write of a picture makes a new one."""
        return cast(Media, self.instance).product.version

    def values(self) -> dict[str, Any]:
        said = {name: self.cleaned_data[name] for name in ("alt", "options")}
        return said | {"position": self.cleaned_data["place"]}

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        if file.size > images.MAX_BYTES:
            raise ValidationError(f"A picture may have {images.MAX_BYTES} bytes.")
        return cast(bytes, file.read())


class VersionedAdmin(ProblemMessages):
    """What the admins of brands and products have in common."""

    show_full_result_count = False
    actions = None

    def save_through(self, obj: Any, saved: Any) -> None:
        """The log entry and the page that follows speak of what was saved."""
        obj.pk, obj.public_id, obj.version = saved.pk, saved.public_id, saved.version


@admin.register(Brand, site=site)
class BrandAdmin(VersionedAdmin):
    form = BrandForm
    fields = ["name", "slug", "description", "seen"]
    list_display = ["name", "slug", "updated_at"]
    search_fields = ["name", "slug", "public_id"]
    ordering = ["name", "pk"]

    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:
        if change:
            values = form.values()
            saved = operations.update_brand(brand_id=obj.public_id, expected=form.expected(), **values)
        else:
            saved = operations.create_brand(**form.values())
        self.save_through(obj, saved)

    def delete_model(self, request: HttpRequest, obj: Brand) -> None:
        operations.delete_brand(brand_id=obj.public_id, expected=ANY)


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
    list_filter = ["status", "brand"]
    list_select_related = ["brand"]
    search_fields = ["title", "slug", "public_id"]
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
        return _preview(first.picture, first.alt, _THUMBNAIL) if first else _NOTHING

    @admin.display(description="pictures")
    def gallery(self, product: Product) -> SafeString:
        """All pictures in order, each a link to its form."""
        pictures = [(one.pk, _preview(one.picture, one.alt, _LARGE // 2)) for one in product.media.all()]
        form = '<a href="../../../media/{}/change/">{}</a> '
        return format_html_join("", form, pictures) if product.pk and pictures else _NOTHING

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        if change:
            values = form.values()
            saved = operations.update_product(product_id=obj.public_id, expected=form.expected(), **values)
        else:
            saved = operations.create_product(**form.values())
        self.save_through(obj, saved)


@admin.register(Media, site=site)
class MediaAdmin(ProblemMessages):
    form = MediaForm
    autocomplete_fields = ["product"]
    readonly_fields = ["preview"]
    list_display = ["thumbnail", "product", "alt", "position"]
    list_display_links = ["thumbnail", "alt"]
    list_select_related = ["product", "picture"]
    search_fields = ["alt", "product__title", "public_id"]
    ordering = ["-pk"]
    show_full_result_count = False
    actions = None

    def get_fields(self, request: HttpRequest, obj: Media | None = None) -> Any:
        """A picture keeps its product and its file; another one is another picture."""
        return ["preview", *_SAID, "seen"] if obj else ["product", "file", *_SAID]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Media]:
        return super().get_queryset(request).select_related("product", "picture")

    @admin.display(description="picture")
    def thumbnail(self, media: Media) -> SafeString:
        """The picture, small."""
        return _preview(media.picture, media.alt, _THUMBNAIL)

    @admin.display(description="picture")
    def preview(self, media: Media) -> SafeString:
        """The picture as customers see it."""
        return _preview(media.picture, media.alt, _LARGE)

    def save_model(self, request: HttpRequest, obj: Media, form: Any, change: bool) -> None:
        values = form.values()
        product_id = obj.product.public_id
        if change:
            saved = operations.update_media(
                product_id=product_id, media_id=obj.public_id, expected=form.expected(), **values
            )
        else:
            saved = operations.add_media(product_id=product_id, data=form.cleaned_data["file"], **values)
        obj.pk, obj.public_id = saved.pk, saved.public_id

    def delete_model(self, request: HttpRequest, obj: Media) -> None:
        operations.remove_media(product_id=obj.product.public_id, media_id=obj.public_id, expected=ANY)


def _preview(picture: Picture, alt: str, height: int) -> SafeString:
    smallest = picture.renditions[0]["name"]
    name = smallest if height == _THUMBNAIL else picture.renditions[-1]["name"]
    url = f"{settings.MEDIA_PATH}{picture.sha256}/{name}"
    return format_html('<img src="{}" alt="{}" height="{}">', url, alt, height)


def _detail(line: str) -> dict[str, str]:
    label, colon, value = (part.strip() for part in line.partition(":"))
    if not (colon and label and value) or len(label) > 80 or len(value) > 500:
        raise ValidationError(f"Not `Label: value`: {line[:40]}")
    return {"label": label, "value": value}
