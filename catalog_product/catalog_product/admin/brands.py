"""Brands for staff."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from catalog_product import operations
from catalog_product.admin.site import site
from catalog_product.admin.versioned import MembersForm, VersionedAdmin
from catalog_product.models import Brand
from chassis.django.etags import ANY
from chassis.django.fields import MAX_SLUG, SLUG_FORM


class BrandForm(MembersForm):
    slug = forms.RegexField(SLUG_FORM, max_length=MAX_SLUG)

    class Meta:
        model = Brand
        fields = ["name", "slug", "description"]


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
