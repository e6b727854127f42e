"""The pages on how somebody logs in: password, authenticator app, passkeys, recovery codes, open sessions."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import generate_totp_secret, validate_totp_code
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.http import require_POST

from gateway.accounts import factors, notices, open_sessions, passkeys, sessions
from gateway.accounts.forms import NewPasskey, OneTimeCode, PasskeyName
from gateway.accounts.models import User
from gateway.accounts.passkeys import Passkey
from gateway.accounts.proofs import proof_required
from gateway.accounts.roles import ONE_TIME_CODE, PASSKEY
from gateway.accounts.sessions import BrowserSession, browser_session

_PENDING: Final = "totp_secret"
_TYPES: Final = Authenticator.Type


@dataclass(frozen=True, slots=True)
class SecurityPage:
    """How somebody logs in. needs_factor: they work here, and have shown no second factor."""

    has_app: bool
    passkeys: tuple[Passkey, ...]
    codes_left: int
    needs_factor: bool
    can_have_passkeys: bool

    @property
    def has_factor(self) -> bool:
        """Whether a password alone is not enough any more."""
        return self.has_app or bool(self.passkeys)


@login_required
def security(request: HttpRequest) -> HttpResponse:
    session = _session_of(request)
    devices = list(Authenticator.objects.filter(user=session.user).order_by("id"))
    by_type = {device.type: device for device in devices}
    codes = by_type.get(_TYPES.RECOVERY_CODES)
    page = SecurityPage(
        has_app=_TYPES.TOTP in by_type,
        passkeys=tuple(passkeys.passkey(device) for device in devices if device.type == _TYPES.WEBAUTHN),
        codes_left=len(RecoveryCodes(codes).get_unused_codes()) if codes else 0,
        needs_factor=session.is_staff and not {ONE_TIME_CODE, PASSKEY} & {*session.amr},
        can_have_passkeys=passkeys.are_possible(),
    )
    return render(request, "account/security.html", {"page": page})


@method_decorator(proof_required, name="dispatch")
class AddApp(View):
    """An authenticator app counts once it has shown a code."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._ask(request, OneTimeCode())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = OneTimeCode(request.POST)
        secret = request.session.get(_PENDING, "")
        if form.is_valid() and secret and validate_totp_code(secret, form.cleaned_data["code"]):
            return self._add(request, secret, form.cleaned_data["code"])
        if form.is_valid():
            form.add_error("code", "This is not the code that the app shows now.")
        return self._ask(request, form)

    @transaction.atomic
    def _add(self, request: HttpRequest, secret: str, code: str) -> HttpResponse:
        user = _session_of(request).user
        has_another = Authenticator.objects.filter(user=user, type=_TYPES.TOTP).exists()
        if factors.set_totp(user, secret, code=code):
            notices.tell_of_change(user, notices.APP_ADDED)
        del request.session[_PENDING]
        sessions.prove(request, ONE_TIME_CODE)
        if has_another:
            _end_others(request)
        messages.success(request, "Your authenticator app is set up.")
        device = Authenticator.objects.get(user=user, type=_TYPES.RECOVERY_CODES)
        return _show_codes(request, RecoveryCodes(device).get_unused_codes())

    def _ask(self, request: HttpRequest, form: OneTimeCode) -> HttpResponse:
        secret = request.session.setdefault(_PENDING, generate_totp_secret())
        adapter = factors.MFAAdapter()
        url = adapter.build_totp_url(_session_of(request).user, secret)
        picture = base64.b64encode(adapter.build_totp_svg(url).encode()).decode()
        context = {"form": form, "secret": _in_groups(secret), "url": url, "picture": picture}
        return render(request, "account/add_app.html", context)


@proof_required
@require_POST
def remove_app(request: HttpRequest) -> HttpResponse:
    device = Authenticator.objects.filter(user=_session_of(request).user, type=_TYPES.TOTP)
    _remove(request, device, notices.APP_REMOVED)
    messages.success(request, "Your authenticator app is removed. Every other session has ended.")
    return redirect("account_security")


@proof_required
@require_POST
@transaction.atomic
def new_codes(request: HttpRequest) -> HttpResponse:
    user = _session_of(request).user
    User.objects.select_for_update().get(pk=user.pk)
    if not factors.has_second_factor(user):
        raise Http404
    Authenticator.objects.filter(user=user, type=_TYPES.RECOVERY_CODES).delete()
    notices.tell_of_change(user, notices.CODES_MADE)
    return _show_codes(request, RecoveryCodes.activate(user).get_unused_codes())


@method_decorator(proof_required, name="dispatch")
class AddPasskey(View):
    """The browser makes the passkey, and the form brings it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._ask(request, NewPasskey())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewPasskey(request.POST)
        if not form.is_valid():
            return self._ask(request, form)
        user, said = _session_of(request).user, form.cleaned_data
        try:
            with transaction.atomic():
                codes = passkeys.add(request.session, user, name=said["name"], credential=said["credential"])
                sessions.prove(request, PASSKEY)
        except (passkeys.NotProved, passkeys.TooManyPasskeys):
            form.add_error(None, "That passkey could not be added. Please try again.")
            return self._ask(request, form)
        messages.success(request, "Your passkey is added.")
        return _show_codes(request, codes) if codes else redirect("account_security")

    def _ask(self, request: HttpRequest, form: NewPasskey) -> HttpResponse:
        return render(request, "account/add_passkey.html", {"form": form})


@proof_required
@require_POST
def challenge_to_add(request: HttpRequest) -> HttpResponse:
    """What the browser needs to make a passkey."""
    return JsonResponse(passkeys.begin_adding(request.session, _session_of(request).user))


@method_decorator(proof_required, name="dispatch")
class ChangePasskey(View):
    """Another name for a passkey, or its end."""

    def get(self, request: HttpRequest, passkey_id: UUID) -> HttpResponse:
        known = passkeys.passkey(self._row(request, passkey_id))
        return self._ask(request, known, PasskeyName({"name": known.name}))

    def post(self, request: HttpRequest, passkey_id: UUID) -> HttpResponse:
        row = self._row(request, passkey_id)
        if "remove" in request.POST:
            _remove(request, Authenticator.objects.filter(pk=row.pk), notices.PASSKEY_REMOVED)
            messages.success(request, "The passkey is removed. Every other session has ended.")
            return redirect("account_security")
        form = PasskeyName(request.POST)
        if not form.is_valid():
            return self._ask(request, passkeys.passkey(row), form)
        passkeys.rename(row.user, passkey_id, form.cleaned_data["name"])
        return redirect("account_security")

    def _row(self, request: HttpRequest, passkey_id: UUID) -> Authenticator:
        row = passkeys.rows_of(_session_of(request).user).filter(data__id=str(passkey_id)).first()
        if row is None:
            raise Http404
        return row

    def _ask(self, request: HttpRequest, known: Passkey, form: PasskeyName) -> HttpResponse:
        return render(request, "account/passkey.html", {"passkey": known, "form": form})


@login_required
def list_sessions(request: HttpRequest) -> HttpResponse:
    session = _session_of(request)
    listed = open_sessions.open_sessions(session.user, now=timezone.now(), this=session.sid)
    return render(request, "account/sessions.html", {"sessions": listed})


@login_required
@require_POST
def end_session(request: HttpRequest, sid: UUID) -> HttpResponse:
    if not open_sessions.end_session(_session_of(request).user, sid):
        raise Http404
    messages.success(request, "That session has ended.")
    return redirect("account_sessions")


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    ended = _end_others(request)
    messages.success(request, f"Signed out everywhere else: {ended} session{'' if ended == 1 else 's'}.")
    return redirect("account_sessions")


def _session_of(request: HttpRequest) -> BrowserSession:
    session = browser_session(request)
    assert session is not None  # noqa: S101  The decorators have seen to that.
    return session


@transaction.atomic
def _remove(request: HttpRequest, gone: Any, what: str) -> None:
    user = _session_of(request).user
    # Before anything else, as for a factor that is added: what is left must not change meanwhile.
    User.objects.select_for_update().get(pk=user.pk)
    if gone.delete()[0]:
        notices.tell_of_change(user, what)
    left = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    if not left - {_TYPES.RECOVERY_CODES}:
        Authenticator.objects.filter(user=user).delete()
        left = set()
    for means, types in ((ONE_TIME_CODE, {_TYPES.TOTP, _TYPES.RECOVERY_CODES}), (PASSKEY, {_TYPES.WEBAUTHN})):
        if not left & types:
            sessions.forget_means(request, means)
    _end_others(request)


def _end_others(request: HttpRequest) -> int:
    # Whoever has used a lost device may be logged in elsewhere, so a factor that goes takes those sessions
    # with it (ASVS 7.4.3).
    return open_sessions.end_others(_session_of(request).user, except_key=request.session.session_key)


def _show_codes(request: HttpRequest, codes: Sequence[str]) -> HttpResponse:
    # In the answer to the form and nowhere else: nobody can come back to them.
    return render(request, "account/recovery_codes.html", {"codes": codes, "text": "\n".join(codes)})


def _in_groups(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
