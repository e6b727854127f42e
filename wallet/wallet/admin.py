"""The ledger for staff to read. Nothing can be added, changed or deleted here, whatever the claims say."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chassis.django.admin import ServiceAdminSite
from wallet.models import Account, AuditEvent, Entry, Transfer

site = ServiceAdminSite(name="admin")


class ReadOnly:
    """Mixed into an admin class to take every right but looking."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EntryInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Entry
    fields = ["account", "amount_minor", "currency", "account_seq", "balance_after_minor", "posted_at"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("account").order_by("pk")


@admin.register(Account, site=site)
class AccountAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "kind", "currency", "balance_minor", "held_minor", "seq", "last_posted_at"]
    list_filter = ["kind", "currency"]
    search_fields = ["owner_sub"]
    ordering = ["-pk"]
    exclude = ["head_hash"]
    show_full_result_count = False


@admin.register(Transfer, site=site)
class TransferAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["public_id", "kind", "amount_minor", "currency", "reason", "actor_sub", "created_at"]
    list_filter = ["kind", "currency"]
    search_fields = ["public_id", "order_ref", "reason", "actor_sub"]
    ordering = ["-pk"]
    inlines = [EntryInline]
    show_full_result_count = False


@admin.register(AuditEvent, site=site)
class AuditEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["created_at", "action", "outcome", "actor_sub", "owner_sub", "transfer", "db_role"]
    list_filter = ["action", "outcome"]
    list_select_related = ["transfer"]
    search_fields = ["actor_sub", "owner_sub"]
    ordering = ["-pk"]
    show_full_result_count = False
