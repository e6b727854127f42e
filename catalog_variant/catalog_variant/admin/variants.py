"""Variants for staff; their stock is only shown here."""

from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog_variant import operations
from catalog_variant.admin.ordered import OrderedForm
from catalog_variant.admin.site import site
from catalog_variant.models import SKU_FORM, Money, OptionValue, Variant
from catalog_variant.serializers import is_gtin
from chassis.django.admin import amount, shortened
from chassis.django.refusable import RefusableAdmin

_PLAIN: Final = ("sku", "barcode", "weight_grams", "status", "position", "safety")


class ValuesWidget(FilteredSelectMultiple):
    """Two lists with a search, set beside its label as the admin does it with its own."""

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return format_html('<div class="related-widget-wrapper">{}</div>', super().render(*args, **kwargs))


class VariantForm(OrderedForm):
    shown_at: ClassVar = {"options": "values", "price": "currency", "compare_at": "compare_at_minor"}
    sku = forms.RegexField(SKU_FORM, max_length=64, label="SKU")
    currency = forms.ChoiceField(choices=[(code, code) for code in settings.CURRENCIES])
    price_minor = forms.IntegerField(min_value=1, max_value=10**12, help_text="In minor units (cents).")
    values = forms.ModelMultipleChoiceField(
        OptionValue.objects.select_related("option").order_by("option__position", "position", "public_id"),
        required=False,
        widget=ValuesWidget("values", is_stacked=False),
        help_text="One of each option.",
    )

    class Meta:
        model = Variant
        fields = ["product", "sku", "price_minor", "currency", "compare_at_minor", "barcode", "weight_grams"]
        fields += ["status", "position", "safety"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["values"].initial = self.instance.value_ids

    def clean_barcode(self) -> str:
        barcode = str(self.cleaned_data["barcode"])
        if barcode and not is_gtin(barcode):
            raise ValidationError("This is no GTIN: digits or check digit are wrong.")
        return barcode

    def clean_values(self) -> dict[str, str]:
        """As the operations take them: the code of a value by the code of its option."""
        values = self.cleaned_data["values"]
        options = {value.option.code: value.code for value in values}
        if len(options) < len(values):
            raise ValidationError("Choose one value of each option.")
        return options


class StockFilter(admin.SimpleListFilter):
    """What can be sold, and what soon cannot."""

    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in", "In stock"), ("out", "Sold out"), ("promised", "All promised")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Variant]) -> QuerySet[Variant]:
        chosen = {
            "in": queryset.filter(available__gt=0),
            "out": queryset.filter(available=0),
            "promised": queryset.filter(available=0, on_hand__gt=F("safety")),
        }
        return chosen.get(self.value() or "", queryset)


@admin.register(Variant, site=site)
class VariantAdmin(RefusableAdmin):
    form = VariantForm
    fields = ["product", "sku", "values", "price_minor", "currency", "compare_at_minor", "barcode"]
    fields += ["weight_grams", "status", "position", "safety", "on_hand", "reserved", "allocated"]
    fields += ["available", "seen"]
    readonly_fields = ["on_hand", "reserved", "allocated", "available"]
    list_display = ["sku", "of_product", "price", "status", "on_hand", "available", "updated_at"]
    list_filter = ["status", StockFilter, "currency"]
    search_fields = ["sku", "product", "public_id", "barcode"]
    search_help_text = "A SKU, a barcode, or the id of a product or a variant."
    ordering = ["-pk"]
    show_full_result_count = False
    actions = None

    @admin.display(description="product", ordering="product")
    def of_product(self, variant: Variant) -> SafeString:
        """The product, which leads to all of its variants."""
        return format_html('<a href="?product={}">{}</a>', variant.product, shortened(variant.product))

    @admin.display(description="price", ordering="price_minor")
    def price(self, variant: Variant) -> str:
        """What one costs."""
        return amount(variant.price_minor, variant.currency)

    def has_delete_permission(self, request: HttpRequest, obj: Variant | None = None) -> bool:
        """What is no longer sold is archived."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Variant | None = None) -> list[str]:
        """A variant stays with its product."""
        return [*self.readonly_fields, *(["product"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: Variant, form: Any, change: bool) -> None:
        cleaned = form.cleaned_data
        values = {name: cleaned[name] for name in _PLAIN if (name, cleaned[name]) != ("position", None)}
        values["price"] = Money(cleaned["price_minor"], cleaned["currency"])
        before = cleaned["compare_at_minor"]
        values["compare_at"] = None if before is None else Money(before, cleaned["currency"])
        if change:
            values["options"] = dict.fromkeys(_option_codes(obj)) | cleaned["values"]
            row = operations.update_variant(variant_id=obj.public_id, expected=form.expected(), **values)
        else:
            row = operations.create_variant(product=cleaned["product"], options=cleaned["values"], **values)
        # The log entry and the page that follows speak of what was saved.
        obj.pk, obj.public_id = row.variant.pk, row.variant.public_id


def _option_codes(variant: Variant) -> list[str]:
    values = OptionValue.objects.filter(pk__in=variant.value_ids)
    return list(values.values_list("option__code", flat=True))
