"""What we do when Django or allauth tell of something: every receiver of signals stands here."""

from typing import Any

from allauth.account.signals import password_changed
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from gateway.accounts import sessions
from gateway.accounts.models import User


@receiver(user_logged_in)
def remember_the_log_in(sender: object, request: HttpRequest, user: User, **more: Any) -> None:
    sessions.begin(request.session, user)


@receiver(password_changed)
def keep_this_session(sender: object, request: HttpRequest, user: User, **more: Any) -> None:
    """Every session from before the change is void but the one in which it was made."""
    sessions.prove_again(request.session, user.credentials_changed_at)
