"""The tree for staff. What they save goes through the operations, whose rules hold here as everywhere."""

from contextlib import AbstractContextManager
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog_category import operations
from catalog_category.models import Category
from chassis.django.admin import ServiceAdminSite
from chassis.django.etags import ANY, Expected
from chassis.django.fields import SLUG_FORM
from chassis.django.refusable import RefusableAdmin, VersionedForm
from chassis.problems import DomainError

site = ServiceAdminSite(name="admin")


class CategoryForm(VersionedForm):
    """Says beside the field what would be refused, so that nothing typed is lost."""

    slug = forms.RegexField(SLUG_FORM, max_length=80)
    position = forms.IntegerField(required=False, min_value=0, max_value=10**6, help_text="Last when empty.")

    class Meta:
        model = Category
        fields = ["parent", "position", "name", "slug", "description", "status"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "parent" in cleaned:
            try:
                operations.check_move(self.instance, cleaned["parent"])
            except DomainError as exc:
                self.add_error("parent", ValidationError(exc.detail))
        return cleaned


@admin.register(Category, site=site)
class CategoryAdmin(RefusableAdmin):
    form = CategoryForm
    fields = ["parent", "position", "name", "slug", "description", "status", "seen"]
    autocomplete_fields = ["parent"]
    list_display = ["indented_name", "slug", "status", "position", "updated_at"]
    list_filter = ["status"]
    list_select_related = False
    search_fields = ["name", "slug", "public_id"]
    search_help_text = "A name, a slug, or an id."
    show_full_result_count = False
    # One delete is one question to the product service; there is no button for many.
    actions = None

    def saving(self) -> AbstractContextManager[Any]:
        """A move and a change of one form are saved together, or neither."""
        return transaction.atomic()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        """As the tree is read, in the list and where a parent is chosen."""
        return Category.objects.with_place().order_by("place")

    @admin.display(description="name")
    def indented_name(self, category: Any) -> str:
        """The name, moved to the right as deep as it hangs."""
        return f"{chr(0x2003) * (len(category.place) - 1)}{category.name}"

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in ("name", "slug", "description", "status")}
        place = {name: form.cleaned_data[name] for name in ("parent", "position")}
        place["parent"] = place["parent"].public_id if place["parent"] else None
        if not change:
            saved = operations.create_category(**values, **place)
        else:
            saved = self._change(obj, form, values, place)
        # The log entry and the page that follows speak of what was saved.
        obj.pk, obj.public_id, obj.version = saved.pk, saved.public_id, saved.version

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        operations.delete_category(category_id=obj.public_id, expected=ANY)

    def _change(self, obj: Category, form: Any, values: Any, place: Any) -> Category:
        # The move first: it waits for its turn, which must come before any row is locked.
        expected = form.expected()
        if {"parent", "position"} & set(form.changed_data):
            moved = operations.move_category(category_id=obj.public_id, expected=expected, **place)
            expected = Expected(frozenset({moved.version}))
        return operations.update_category(category_id=obj.public_id, expected=expected, **values)
