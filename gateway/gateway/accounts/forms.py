"""The forms of the account pages: allauth's, with our words, and with as much work for a known e-mail."""

from typing import Any, Final

from allauth.account import forms
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from gateway.accounts import operations
from gateway.accounts.models import User

_RULES: Final = "Eight characters or more, and none of the well-known ones."
_LONGEST: Final = 1024


class LogIn(forms.LoginForm):  # type: ignore[misc]
    """E-mail and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _describe(self, "login", "E-mail", autocomplete="username")
        _describe(self, "password", "Password", autocomplete="current-password")


class SignUp(forms.SignupForm):  # type: ignore[misc]
    """E-mail and a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _describe(self, "email", "E-mail", autocomplete="email")
        _describe(self, "password1", "Password", autocomplete="new-password")
        self.fields["password1"].help_text = _RULES

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Make the account, or do as much for an e-mail that has one."""
        if not self.account_already_exists:  # type: ignore[has-type]
            try:
                with transaction.atomic():
                    made: tuple[User | None, HttpResponse | None] = super().try_save(request)
                return made
            except IntegrityError:
                self.account_already_exists = True  # Somebody else took the e-mail in that moment.
        operations.hash_in_vain(self.cleaned_data["password1"])
        refused: tuple[User | None, HttpResponse | None] = super().try_save(request)
        return refused


class ResetPassword(forms.ResetPasswordForm):  # type: ignore[misc]
    """The e-mail that a code is sent to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _describe(self, "email", "E-mail", autocomplete="username")

    def clean_email(self) -> str:
        email = str(super().clean_email())
        if self.users:
            # allauth looks a second time for an e-mail that it has not found; that time would tell.
            list(User.objects.filter(email=email).iterator())
        return email


class ConfirmEmail(forms.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    """The code that proves an e-mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _describe_code(self)


class ConfirmReset(forms.ConfirmPasswordResetCodeForm):  # type: ignore[misc]
    """The code that lets somebody choose a new password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _describe_code(self)


class NewPassword(forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _describe_new_password(self)


class ChangePassword(forms.ChangePasswordForm):  # type: ignore[misc]
    """The password there is, and a new one, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _describe(self, "oldpassword", "Your password now", autocomplete="current-password")
        _describe_new_password(self)


class Reauthenticate(forms.ReauthenticateForm):  # type: ignore[misc]
    """The password once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _describe(self, "password", "Password", autocomplete="current-password")


def _describe_new_password(form: Any) -> None:
    _describe(form, "password1", "New password", autocomplete="new-password")
    _describe(form, "password2", "New password, once more", autocomplete="new-password")
    form.fields["password1"].help_text = _RULES


def _describe_code(form: Any) -> None:
    _describe(form, "code", "Code", autocomplete="one-time-code")
    form.fields["code"].max_length = 16
    form.fields["code"].widget.attrs |= {"inputmode": "numeric", "maxlength": "16"}


def _describe(form: Any, name: str, label: str, *, autocomplete: str) -> None:
    field = form.fields[name]
    field.label, field.help_text = label, ""
    field.widget.attrs["autocomplete"] = autocomplete
    field.widget.attrs.pop("placeholder", None)
    if "password" in autocomplete:
        field.validators.append(MaxLengthValidator(_LONGEST))
