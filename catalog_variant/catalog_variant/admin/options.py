"""Options with their values for staff."""

from contextlib import AbstractContextManager
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from catalog_variant import operations
from catalog_variant.admin.ordered import OrderedForm
from catalog_variant.admin.site import site
from catalog_variant.models import SWATCH_FORM, Option, OptionValue
from chassis.django.etags import ANY
from chassis.django.fields import SLUG_FORM
from chassis.django.refusable import RefusableAdmin


class OptionForm(OrderedForm):
    # It may be the code of a value.
    shown_at: ClassVar = {"code": ""}
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
class OptionAdmin(RefusableAdmin):
    form = OptionForm
    fields = ["code", "name", "display", "position", "seen"]
    inlines = [OptionValueInline]
    list_display = ["name", "code", "display", "position"]
    search_fields = ["name", "code"]
    ordering = ["position", "public_id"]
    show_full_result_count = False
    actions = None

    def saving(self) -> AbstractContextManager[Any]:
        """An option and its values, each by an operation, are saved together or not at all."""
        return transaction.atomic()

    def save_model(self, request: HttpRequest, obj: Option, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in ("code", "name", "display")}
        position = form.cleaned_data["position"]
        if not change:
            saved = operations.create_option(**values, position=position)
        else:
            place = {} if position is None else {"position": position}
            saved = operations.update_option(
                option_id=obj.public_id, expected=form.expected(), **values, **place
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


def _given(value: OptionValue, names: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names if getattr(value, name) is not None}
