"""manage.py changepassword: Django's, which alone would leave those who knew the old one logged in."""

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import transaction

from gateway.accounts import operations
from gateway.accounts.models import User
from gateway.limits import devices


class Command(changepassword.Command):
    help = "Ask for a new password of a user, by their e-mail, and end every session of theirs."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> str | None:
        said = super().handle(*args, **options)
        user = User.objects.get_by_natural_key(options["username"])
        operations.void_sessions(user=user)
        devices.forget(user)
        return said
