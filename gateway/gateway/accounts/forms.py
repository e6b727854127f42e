"""The forms of the account pages: allauth's, with our words, and with as much work for a known e-mail."""

from typing import Any, Final

from allauth.account import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.forms import CharField, Form, HiddenInput, PasswordInput, TextInput
from django.http import HttpRequest, HttpResponse

from chassis.strict_json import parse_object
from gateway.accounts import operations
from gateway.accounts.models import User
from gateway.limits import operations as limits
from gateway.limits.devices import browser_of
from gateway.limits.quotas import REAUTHENTICATE, RESET, SIGN_UP

_RULES: Final = "Eight characters or more, and none of the well-known ones."
_LONGEST: Final = 1024
_CODE_MAILED: Final = (
    "There were many attempts to log in with this e-mail. If it has an account, we have mailed it a code. "
    "Enter it below, and your password once more."
)
_WRONG_CODE: Final = "This is not the code, or not the latest one. Enter it again, and your password."


class LogIn(forms.LoginForm):  # type: ignore[misc]
    """E-mail and password, and a mailed code where many others have tried."""

    code = CharField(required=False, max_length=16)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _describe(self, "login", "E-mail", autocomplete="username")
        _describe(self, "password", "Password", autocomplete="current-password")
        _describe(self, "code", "Code from the mail", autocomplete="one-time-code")
        self.fields["code"].widget.attrs["inputmode"] = "numeric"
        self.fields["code"].required = bool(self.data.get("code"))

    def user_credentials(self) -> dict[str, str]:
        return dict(super().user_credentials()) | {"code": self.cleaned_data.get("code", "")}

    def _clean_with_password(self, credentials: dict[str, str]) -> Any:
        try:
            return super()._clean_with_password(credentials)
        except operations.LoginCodeRequired as exc:
            self.fields["code"].required = True
            raise ValidationError(_WRONG_CODE if credentials["code"] else _CODE_MAILED) from exc


class SignUp(forms.SignupForm):  # type: ignore[misc]
    """E-mail and a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _describe(self, "email", "E-mail", autocomplete="email")
        _describe(self, "password1", "Password", autocomplete="new-password")
        self.fields["password1"].help_text = _RULES

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Make the account, or do as much for an e-mail that has one.

        Raises: TooManyRequests.
        """
        limits.take(SIGN_UP, browser_of(request).address)
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

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        limits.take(RESET, browser_of(request).address)
        return str(super().save(request, **kwargs))


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

    def clean_oldpassword(self) -> str:
        """The password there is. Raises: TooManyRequests."""
        taken = limits.take(REAUTHENTICATE, str(self.user))
        password = str(super().clean_oldpassword())
        limits.give_back(taken)
        return password


class PasswordAgain(Form):
    """The password once more."""

    password = CharField(
        label="Password",
        strip=False,
        max_length=_LONGEST,
        widget=PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class OneTimeCode(Form):
    """A code of an authenticator app, or a recovery code."""

    code = CharField(
        label="Code",
        max_length=16,
        widget=TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class Credential(Form):
    """What the browser says of a passkey, in JSON."""

    credential = CharField(max_length=16 * 1024, strip=False, widget=HiddenInput())

    def clean_credential(self) -> dict[str, Any]:
        try:
            return parse_object(self.cleaned_data["credential"].encode())
        except ValueError as exc:
            raise ValidationError("That is no passkey.") from exc


class PasskeyName(Form):
    """What the owner of a passkey calls it."""

    name = CharField(label="Name", max_length=60, help_text="For example where it is: “Phone”, “Laptop”.")


class NewPasskey(PasskeyName, Credential):
    """A passkey that the browser has just made."""


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
