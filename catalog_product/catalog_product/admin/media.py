"""Pictures for staff: uploads, what is said of them, and their places."""

from typing import Any, Final, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from rest_framework import serializers

from catalog_product import operations
from catalog_product.admin.previews import LARGE, THUMBNAIL, preview
from catalog_product.admin.site import site
from catalog_product.admin.versioned import MembersForm
from catalog_product.models import Media
from catalog_product.serializers import MAX_POSITION, Options
from chassis import images
from chassis.django.etags import ANY
from chassis.django.refusable import RefusableAdmin

_SAID: Final = ("alt", "options", "place")


class OptionsField(forms.JSONField):
    """Options as the API takes them."""

    def clean(self, value: Any) -> dict[str, str]:
        try:
            return cast(dict[str, str], Options().run_validation(super().clean(value) or {}))
        except serializers.ValidationError as exc:
            raise ValidationError('Enter codes of options and values, such as {"colour": "forest"}.') from exc


class MediaForm(MembersForm):
    # Not an ImageField, which would decode the file: chassis.images alone does, after a look at its header.
    file = forms.FileField(help_text="JPEG, PNG or WebP; 8 MiB and 25 million pixels at most.")
    options = OptionsField(required=False, initial=dict, help_text='Such as {"colour": "forest"}; else all.')
    alt = forms.CharField(
        max_length=Media._meta.get_field("alt").max_length,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
    )
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
        # Read a second time when the form is shown again.
        file.seek(0)
        return cast(bytes, file.read())


@admin.register(Media, site=site)
class MediaAdmin(RefusableAdmin):
    form = MediaForm
    autocomplete_fields = ["product"]
    readonly_fields = ["preview"]
    list_display = ["thumbnail", "product", "alt", "shown_for", "position"]
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

    @admin.display(description="shown for")
    def shown_for(self, media: Media) -> str:
        """The options it belongs to."""
        return ", ".join(f"{code}: {value}" for code, value in media.options.items()) or "-"

    @admin.display(description="picture")
    def thumbnail(self, media: Media) -> SafeString:
        """The picture, small."""
        return preview(media.picture, media.alt, THUMBNAIL)

    @admin.display(description="picture")
    def preview(self, media: Media) -> SafeString:
        """The picture as customers see it."""
        return preview(media.picture, media.alt, LARGE)

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
