"""Users and groups for those who look after the gateway; what anybody may do follows from the groups."""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Exists, ManyToManyField, OuterRef
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest

from chassis.django.refusable import RefusableAdmin, RefusableForm
from gateway.accounts import operations
from gateway.accounts.models import User
from gateway.accounts.roles import GROUP_SCOPES
from gateway.accounts.site import Permitted, may_administer


@admin.register(User)
class UserAdmin(Permitted, RefusableAdmin):
    """Whoever is here signed up, or was made by `create_users`. There is no field for a password."""

    form = RefusableForm
    list_display = ["email", "in_groups", "is_active", "has_proved_email", "created_at", "last_login"]
    list_filter = ["groups", "is_active"]
    search_fields = ["email", "public_id__startswith"]
    search_help_text = "E-mail, or the beginning of a public id."
    ordering = ["-pk"]
    readonly_fields = ["email", "public_id", "created_at", "last_login", "credentials_changed_at"]
    fields = ["email", "public_id", "groups", "is_active", *readonly_fields[2:]]
    formfield_overrides = {ManyToManyField: {"widget": CheckboxSelectMultiple}}
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> Any:
        proved = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
        return super().get_queryset(request).prefetch_related("groups").annotate(is_proved=Exists(proved))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_administer(request)

    @admin.display(description="groups")
    def in_groups(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all()))

    @admin.display(description="e-mail proved", boolean=True)
    def has_proved_email(self, user: Any) -> bool:
        return bool(user.is_proved)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        groups = [group.name for group in form.cleaned_data["groups"]]
        operations.change_access(user_id=obj.pk, groups=groups, is_active=form.cleaned_data["is_active"])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        pass  # The operation has seen to the groups.


@admin.register(Group)
class GroupAdmin(Permitted, admin.ModelAdmin):  # type: ignore[type-arg]
    """The table of roles stands in the code (gateway.accounts.roles); here is what it says."""

    list_display = ["name", "scopes"]
    fields = ["name", "scopes"]
    readonly_fields = ["name", "scopes"]
    ordering = ["name"]

    @admin.display
    def scopes(self, group: Group) -> str:
        return " ".join(sorted(GROUP_SCOPES.get(group.name, ())))
