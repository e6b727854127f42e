"""The sessions of API clients, to look at and to end."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from gateway.accounts.site import Permitted
from gateway.tokens import operations
from gateway.tokens.models import RefreshFamily


@admin.register(RefreshFamily)
class RefreshFamilyAdmin(Permitted, admin.ModelAdmin):  # type: ignore[type-arg]
    """One row for each log-in by the API, with where it came from and why it ended."""

    list_display = ["sid", "email", "created_at", "ip_prefix", "user_agent", "revoked_at", "revoked_because"]
    list_filter = ["revoked_because", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user"]
    search_fields = ["user__email", "ip_prefix"]
    ordering = ["-pk"]
    actions = ["end"]
    show_full_result_count = False
    list_per_page = 50

    @admin.display(ordering="user__email")
    def email(self, family: RefreshFamily) -> str:
        return family.user.email

    @admin.action(description="End these sessions")
    def end(self, request: HttpRequest, queryset: Any) -> None:
        for family in queryset.select_related("user").order_by("pk"):
            if operations.end_family(sid=family.sid, reason=RefreshFamily.Reason.STAFF):
                self.log_change(request, family, "Ended.")
        self.message_user(request, "The sessions have ended.")
