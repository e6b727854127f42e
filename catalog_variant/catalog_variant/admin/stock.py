"""Movements of stock for staff, and the form that makes one."""

from typing import Any, Final, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from catalog_variant import operations
from catalog_variant.admin.site import site
from catalog_variant.models import StockMovement
from catalog_variant.operations.stock import NOTHING_MOVED
from chassis.django.admin import shortened
from chassis.django.refusable import RefusableAdmin, RefusableForm
from chassis.ids import uuid7

_MOVED: Final = ("variant", "delta", "reason", "note")


class AdjustmentForm(RefusableForm):
    """The key makes a form that is sent twice move once."""

    delta = forms.IntegerField(min_value=-(10**6), max_value=10**6, help_text="Units, signed.")
    note = forms.CharField(required=False, max_length=500)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)

    class Meta:
        model = StockMovement
        fields = _MOVED

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(self.refusal, NOTHING_MOVED):
            # The refusal stays with its key; what is typed now is another try.
            self.data = {**self.data.dict(), "key": str(uuid7())}  # type: ignore[attr-defined]

    def clean_delta(self) -> int:
        delta = cast(int, self.cleaned_data["delta"])
        if delta == 0:
            raise ValidationError("A movement moves something.")
        return delta


@admin.register(StockMovement, site=site)
class StockMovementAdmin(RefusableAdmin):
    """Movements to read, and a form that makes one."""

    form = AdjustmentForm
    autocomplete_fields = ["variant"]
    list_display = ["created_at", "variant", "moved", "on_hand_after", "reason", "note", "actor"]
    # By date without a hierarchy, which would look at every movement for each page.
    list_filter = ["reason", "created_at"]
    list_select_related = ["variant"]
    search_fields = ["variant__sku", "note", "actor_sub", "public_id"]
    search_help_text = "A SKU, words of a note, the subject who did it, or an id."
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

    @admin.display(description="moved", ordering="delta")
    def moved(self, movement: StockMovement) -> str:
        """How many units came or went."""
        return f"{movement.delta:+,}".replace("-", "\N{MINUS SIGN}")

    @admin.display(description="by")
    def actor(self, movement: StockMovement) -> str:
        """Who moved it."""
        return shortened(movement.actor_sub)

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
