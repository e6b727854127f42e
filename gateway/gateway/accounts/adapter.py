"""What allauth asks of us: who may be sent where, how an account is made, how mail goes out."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.forms import BaseForm
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from gateway.accounts import operations, registration
from gateway.accounts.models import User
from gateway.limits import devices
from gateway.limits import operations as limits
from gateway.mail import operations as mail
from gateway.mail.addresses import validate_address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's own, with the rules of the gateway."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The e-mail or the password is wrong.",
        "incorrect_code": "This is not the code, or not the latest one.",
        "incorrect_password": "This is not your password.",
        "enter_current_password": "This is not your password.",
        "too_many_login_attempts": "That was wrong too often. Please begin again.",
    }

    def is_safe_url(self, url: str | None) -> bool:
        return is_path_of_ours(url or "")

    def is_ajax(self, request: HttpRequest) -> bool:
        return False  # Programs have the API.

    def clean_email(self, email: str) -> str:
        validate_address(email)
        return email

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url("account")

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        return operations.create_customer(
            email=form.cleaned_data["email"], password=form.cleaned_data["password1"]
        )

    def set_password(self, user: User, password: str) -> None:
        operations.change_password(user=user, password=password)

    def send_mail(self, template_prefix: str, email: str, said: dict[str, Any]) -> None:
        limits.take_together(*registration.mail_claims(email, devices.browser_of(context.request)))
        # allauth names its mails "account/email/<name>"; ours say more or less the same under that name.
        mail.send(name=template_prefix.rpartition("/")[2], to=email, code=said.get("code", ""))


def is_path_of_ours(url: str) -> bool:
    """Whether a `next` leads to a page of this site, however a browser reads it."""
    is_plain = url.isprintable() and "\\" not in url
    return url.startswith("/") and is_plain and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
