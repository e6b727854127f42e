"""Variants, options and stock for staff. What is saved goes through the operations, whose rules hold here."""

from typing import Any, Final, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from catalog_variant import operations
from catalog_variant.models import SKU_FORM, SWATCH_FORM, Money, Option, OptionValue, StockMovement, Variant
from catalog_variant.serializers import is_gtin
from chassis.django.admin import ProblemMessages, ServiceAdminSite
from chassis.django.etags import ANY, Expected
from chassis.django.fields import SLUG_FORM
from chassis.ids import uuid7

site = ServiceAdminSite(name="admin")
_MOVED: Final = ("variant", "delta", "reason", "note")
_PLAIN: Final = ("sku", "barcode", "weight_grams", "status", "position", "safety")


class SeenForm(forms.ModelForm):  # type: ignore[type-arg]
    """Remembers the version that it shows, and does not undo what somebody else changed meanwhile."""

    position = forms.IntegerField(required=False, min_value=0, max_value=10**6, help_text="Last when empty.")
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["seen"].initial = self.instance.version
        else:
            self.fields["position"].initial = None

    @property
    def expected(self) -> Expected:
        """The version that was shown."""
        return Expected(frozenset({self.cleaned_data["seen"] or 0}))


class OptionForm(SeenForm):
    code = forms.RegexField(SLUG_FORM, max_length=80)

    class Meta:
        model = Option
        fields = ["code", "name", "display", "position"]


class OptionValueForm(forms.ModelForm):  # type: ignore[type-arg]
    code = forms.RegexField(SLUG_FORM, max_length=80)
    swatch = forms.RegexField(SWATCH_FORM, required=False, max_length=7, help_text="Like #2e5a3c.")
    position = forms.IntegerField(required=False, min_value=0, max_value=10**6)

    class Meta:
        model = OptionValue
        fields = ["code", "name", "swatch", "position"]


class OptionValueInline(admin.TabularInline):  # type: ignore[type-arg]
    model = OptionValue
    form = OptionValueForm
    ordering = ["position", "public_id"]
    extra = 1


@admin.register(Option, site=site)
class OptionAdmin(ProblemMessages):
    form = OptionForm
    fields = ["code", "name", "display", "position", "seen"]
    inlines = [OptionValueInline]
    list_display = ["name", "code", "display", "position"]
    search_fields = ["name", "code"]
    ordering = ["position", "public_id"]
    show_full_result_count = False
    actions = None

    def save_model(self, request: HttpRequest, obj: Option, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in ("code", "name", "display")}
        position = form.cleaned_data["position"]
        if not change:
            saved = operations.create_option(**values, position=position)
        else:
            place = {} if position is None else {"position": position}
            saved = operations.update_option(
                option_id=obj.public_id, expected=form.expected, **values, **place
            )
        # The log entry and the values that follow speak of what was saved.
        obj.pk, obj.public_id = saved.pk, saved.public_id

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        option_id = form.instance.public_id
        for value in formset.deleted_objects:
            operations.delete_value(option_id=option_id, value_id=value.public_id, expected=ANY)
        for value, names in formset.changed_objects:
            operations.update_value(
                option_id=option_id, value_id=value.public_id, expected=ANY, **_given(value, names)
            )
        for value in formset.new_objects:
            operations.add_value(option_id=option_id, **_given(value, ("code", "name", "swatch", "position")))

    def delete_model(self, request: HttpRequest, obj: Option) -> None:
        operations.delete_option(option_id=obj.public_id, expected=ANY)


class VariantForm(SeenForm):
    sku = forms.RegexField(SKU_FORM, max_length=64, label="SKU")
    currency = forms.ChoiceField(choices=[(code, code) for code in settings.CURRENCIES])
    price_minor = forms.IntegerField(min_value=1, max_value=10**12, help_text="In minor units (cents).")
    values = forms.ModelMultipleChoiceField(
        OptionValue.objects.select_related("option").order_by("option__position", "position", "public_id"),
        required=False,
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


@admin.register(Variant, site=site)
class VariantAdmin(ProblemMessages):
    form = VariantForm
    fields = ["product", "sku", "values", "price_minor", "currency", "compare_at_minor", "barcode"]
    fields += ["weight_grams", "status", "position", "safety", "on_hand", "reserved", "allocated"]
    fields += ["available", "seen"]
    readonly_fields = ["on_hand", "reserved", "allocated", "available"]
    list_display = ["sku", "product", "price_minor", "currency", "status", "on_hand", "available"]
    list_filter = ["status"]
    search_fields = ["sku", "product", "public_id"]
    ordering = ["-pk"]
    show_full_result_count = False
    actions = None

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
            saved = operations.update_variant(variant_id=obj.public_id, expected=form.expected, **values)
        else:
            saved = operations.create_variant(product=cleaned["product"], options=cleaned["values"], **values)
        # The log entry and the page that follows speak of what was saved.
        obj.pk, obj.public_id = saved.pk, saved.public_id


class AdjustmentForm(forms.ModelForm):  # type: ignore[type-arg]
    """The key makes a form that is sent twice move once."""

    delta = forms.IntegerField(min_value=-(10**6), max_value=10**6, help_text="Units, signed.")
    note = forms.CharField(required=False, max_length=500)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)

    class Meta:
        model = StockMovement
        fields = _MOVED

    def clean_delta(self) -> int:
        delta = cast(int, self.cleaned_data["delta"])
        if delta == 0:
            raise ValidationError("A movement moves something.")
        return delta


@admin.register(StockMovement, site=site)
class StockMovementAdmin(ProblemMessages):
    """Movements to read, and a form that makes one."""

    form = AdjustmentForm
    autocomplete_fields = ["variant"]
    list_display = ["created_at", "variant", "delta", "on_hand_after", "reason", "note", "actor_sub"]
    list_filter = ["reason"]
    list_select_related = ["variant"]
    search_fields = ["variant__sku", "note", "actor_sub", "public_id"]
    ordering = ["-pk"]
    show_full_result_count = False
    actions = None

    def has_change_permission(self, request: HttpRequest, obj: StockMovement | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StockMovement | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: StockMovement | None = None) -> Any:
        """The key belongs to the form, not to the movement."""
        return [*_MOVED, "on_hand_after", "actor_sub", "created_at"] if obj else [*_MOVED, "key"]

    def save_model(self, request: HttpRequest, obj: StockMovement, form: Any, change: bool) -> None:
        posting = operations.adjust_stock(
            variant=obj.variant.public_id,
            delta=obj.delta,
            reason=obj.reason,
            note=obj.note,
            actor_sub=request.user.get_username(),
            idempotency_key=str(form.cleaned_data["key"]),
        )
        obj.pk = StockMovement.objects.get(public_id=posting.movement.id).pk


def _given(value: OptionValue, names: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names if getattr(value, name) is not None}


def _option_codes(variant: Variant) -> list[str]:
    values = OptionValue.objects.filter(pk__in=variant.value_ids)
    return list(values.values_list("option__code", flat=True))
