"""The page about one's own account."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from allauth.account import views as allauth
from allauth.account.adapter import get_adapter
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gateway.accounts import tries
from gateway.accounts.sessions import BrowserSession, browser_session
from gateway.limits.devices import browser_of
from gateway.limits.operations import give_back, take
from gateway.limits.quotas import CODE

_WORDS: Final = {
    "customer": "Customer",
    "catalogue-editor": "Edits categories and products",
    "stock-keeper": "Keeps prices and stock",
    "marketing": "Makes banners",
    "finance": "Looks after wallets",
    "support": "Helps customers",
    "superuser": "May do everything",
}


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Who somebody is, in words."""

    email: str
    member_since: datetime
    groups: tuple[str, ...]
    is_staff: bool
    has_wallet: bool
    has_gateway_admin: bool


class CountedTries:
    """Mixed into allauth's pages for codes: only a try that was counted is told whether it was right."""

    def form_valid(self, form: Any) -> HttpResponse:
        return self._counted(form, super().form_valid)  # type: ignore[misc]

    def form_invalid(self, form: Any) -> HttpResponse:
        return self._counted(form, super().form_invalid)  # type: ignore[misc]

    def _counted(self, form: Any, answer: Callable[[Any], HttpResponse]) -> HttpResponse:
        process = self._process  # type: ignore[attr-defined]
        if getattr(self, "_action", "verify") != "verify":
            return answer(form)
        taken = take(CODE, browser_of(self.request).address)  # type: ignore[attr-defined]
        if not tries.take_try(process.state):
            process.state["failed_attempts"] = process.max_attempts
            answer = super().form_invalid  # type: ignore[misc]
        elif form.is_valid():
            give_back(taken)
        return answer(form)


class ConfirmReset(CountedTries, allauth.ConfirmPasswordResetCodeView):  # type: ignore[misc]
    """The code that lets somebody choose a new password."""


class ConfirmEmail(CountedTries, allauth.ConfirmEmailVerificationCodeView):  # type: ignore[misc]
    """The code that proves the e-mail of a new account."""

    def _resend_form_valid(self, form: Any) -> HttpResponse:
        if self._process.user is None:
            # allauth mails nothing here to an e-mail that has an account. Mails are counted: that would tell.
            get_adapter(self.request).send_account_already_exists_mail(self._process.email)
        answer: HttpResponse = super()._resend_form_valid(form)
        return answer


@login_required
def account(request: HttpRequest) -> HttpResponse:
    session = browser_session(request)
    assert session is not None  # noqa: S101  login_required has seen to that.
    return render(request, "account/index.html", {"page": _page(session)})


def _page(session: BrowserSession) -> AccountPage:
    return AccountPage(
        email=session.user.email,
        member_since=session.user.created_at,
        groups=tuple(_WORDS.get(group, group) for group in session.groups),
        is_staff=session.is_staff,
        has_wallet="wallet:read" in session.scopes,
        has_gateway_admin="gateway:admin" in session.scopes,
    )
