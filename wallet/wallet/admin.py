"""The ledger for staff to read. Nothing can be added, changed or deleted here, whatever the claims say."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chassis.django.admin import ServiceAdminSite, amount, shortened
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
    fields = ["account", "amount", "balance_after", "account_seq", "posted_at"]
    readonly_fields = ["amount", "balance_after"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("account").order_by("pk")

    @admin.display(description="amount")
    def amount(self, entry: Entry) -> str:
        """What the account gained or lost."""
        return amount(entry.amount_minor, entry.currency)

    @admin.display(description="balance after")
    def balance_after(self, entry: Entry) -> str:
        """What it held then."""
        return amount(entry.balance_after_minor, entry.currency)


@admin.register(Account, site=site)
class AccountAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "kind", "balance", "held", "seq", "last_posted_at"]
    list_filter = ["kind", "currency"]
    search_fields = ["owner_sub", "public_id"]
    search_help_text = "The subject of a customer, or the id of an account."
    ordering = ["-pk"]
    fields = [
        *("public_id", "kind", "owner_sub", "currency", "balance", "held"),
        *("last_posted_at", "created_at", "seq", "stripe", "guarded"),
    ]
    readonly_fields = ["balance", "held"]
    show_full_result_count = False

    @admin.display(description="balance", ordering="balance_minor")
    def balance(self, account: Account) -> str:
        """What it holds."""
        return amount(account.balance_minor, account.currency)

    @admin.display(description="held", ordering="held_minor")
    def held(self, account: Account) -> str:
        """What of that is promised."""
        return amount(account.held_minor, account.currency)


@admin.register(Transfer, site=site)
class TransferAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["created_at", "kind", "amount", "reason", "order_ref", "actor", "id_short"]
    # By date without a hierarchy, which would look at every row of the ledger for each page.
    list_filter = ["kind", "currency", "created_at"]
    search_fields = ["public_id", "order_ref", "reason", "actor_sub"]
    search_help_text = "An id, an order, words of the reason, or the subject who did it."
    ordering = ["-pk"]
    fields = ["public_id", "kind", "amount", "order_ref", "reason", "actor_sub", "created_at"]
    readonly_fields = ["amount"]
    inlines = [EntryInline]
    show_full_result_count = False

    @admin.display(description="amount", ordering="amount_minor")
    def amount(self, transfer: Transfer) -> str:
        """What was moved."""
        return amount(transfer.amount_minor, transfer.currency)

    @admin.display(description="by")
    def actor(self, transfer: Transfer) -> str:
        """Who moved it."""
        return shortened(transfer.actor_sub)

    @admin.display(description="id")
    def id_short(self, transfer: Transfer) -> str:
        """The id as customers see it."""
        return shortened(transfer.public_id)


@admin.register(AuditEvent, site=site)
class AuditEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["created_at", "action", "outcome", "actor", "owner", "what"]
    list_filter = ["action", "outcome", "created_at"]
    list_select_related = ["transfer"]
    search_fields = ["actor_sub", "owner_sub"]
    search_help_text = "The subject who did it, or to whom it was done."
    ordering = ["-pk"]
    show_full_result_count = False

    @admin.display(description="by")
    def actor(self, event: AuditEvent) -> str:
        """Who did it."""
        return shortened(event.actor_sub)

    @admin.display(description="to")
    def owner(self, event: AuditEvent) -> str:
        """Whose wallet it was."""
        return shortened(event.owner_sub)

    @admin.display(description="transfer")
    def what(self, event: AuditEvent) -> str:
        """What came of it."""
        moved = event.transfer
        return f"{amount(moved.amount_minor, moved.currency)}, {moved.reason}" if moved else "-"
