"""The pages that ask who somebody is: the second step of a log-in, the log-in by passkey, and once more."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.stages import LoginStageController
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.http import require_POST

from gateway.accounts import factors, passkeys, sessions
from gateway.accounts.forms import Credential, OneTimeCode, PasswordAgain
from gateway.accounts.models import User
from gateway.accounts.roles import ONE_TIME_CODE, PASSKEY, PASSWORD
from gateway.limits import devices
from gateway.limits.operations import give_back, take
from gateway.limits.quotas import CHALLENGE, OTP, REAUTHENTICATE

_FORMS: Final[Mapping[str, type[forms.Form]]] = {
    "password": PasswordAgain,
    "code": OneTimeCode,
    "credential": Credential,
}
_WRONG: Final = {
    "password": "This is not your password.",
    "code": "This is not the code, or it was used before. Wait for the next one.",
    "credential": "That passkey did not work. Please try again.",
}


class Proof(View):
    """Asks for one of several proofs; which one it was given is told by the field that was sent."""

    template = ""
    takes: tuple[str, ...] = ()

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._ask({})

    def post(self, request: HttpRequest) -> HttpResponse:
        name = next((name for name in self.takes if name in request.POST), self.takes[0])
        form = _FORMS[name](request.POST)
        if form.is_valid():
            kind = _CHECKS[name](request, self.user(), form.cleaned_data[name])
            if kind:
                return self.go_on(kind)
            form.add_error(name, _WRONG[name])
        return self._ask({name: form})

    def user(self) -> User:
        """Who it should be."""
        raise NotImplementedError

    def go_on(self, kind: str) -> HttpResponse:
        """The answer to a proof, of a kind of authenticator or by password."""
        raise NotImplementedError

    def _ask(self, sent: dict[str, forms.Form]) -> HttpResponse:
        kinds = set(Authenticator.objects.filter(user=self.user()).values_list("type", flat=True))
        shown = {f"{name}_form": _FORMS[name]() for name in self.takes}
        shown |= {f"{name}_form": form for name, form in sent.items()}
        context = {
            "next": get_next_redirect_url(self.request) or "",
            "has_codes": bool(kinds - {Authenticator.Type.WEBAUTHN}),
            "has_app": Authenticator.Type.TOTP in kinds,
            "has_passkeys": Authenticator.Type.WEBAUTHN in kinds and passkeys.are_possible(),
        }
        return render(self.request, self.template, shown | context)


@method_decorator(login_stage_required(AuthenticateStage.key, "account_login"), name="dispatch")
class SecondStep(Proof):
    """The password was right; the second factor is still to come."""

    template = "account/second_step.html"
    takes = ("code", "credential")

    def user(self) -> User:
        user: User = self.request._login_stage.login.user  # type: ignore[attr-defined]
        return user

    def go_on(self, kind: str) -> HttpResponse:
        record_authentication(self.request, self.user(), "mfa", type=kind)
        response: HttpResponse = self.request._login_stage.exit()  # type: ignore[attr-defined]
        return response


@method_decorator(login_required, name="dispatch")
class Reauthenticate(Proof):
    """Once more, before something that must not be done by whoever found an open browser."""

    template = "account/reauthenticate.html"
    takes = ("password", "code", "credential")

    def user(self) -> User:
        assert isinstance(self.request.user, User)  # noqa: S101  login_required has seen to that.
        return self.request.user

    def go_on(self, kind: str) -> HttpResponse:
        sessions.prove(self.request, _MEANS[kind])
        return HttpResponseRedirect(get_next_redirect_url(self.request) or reverse("home"))


@require_POST
def log_in_by_passkey(request: HttpRequest) -> HttpResponse:
    """Whoever has a passkey needs neither an e-mail nor a password."""
    form = Credential(request.POST)
    kind = form.is_valid() and not request.user.is_authenticated
    try:
        if not kind:
            raise passkeys.NotProved
        device = passkeys.use(request.session, None, form.cleaned_data["credential"])
    except passkeys.NotProved:
        messages.error(request, _WRONG["credential"])
        return redirect_to_login(get_next_redirect_url(request) or reverse("home"))
    record_authentication(request, device.user, "mfa", type=device.type, passwordless=True)
    response: HttpResponse = perform_login(request, Login(user=device.user))
    return response


@require_POST
def challenge(request: HttpRequest) -> HttpResponse:
    """What the browser signs with a passkey: of who is logged in, or about to be, or of anybody."""
    stage = LoginStageController.enter(request, AuthenticateStage.key)
    session = sessions.browser_session(request)
    user = session.user if session else stage.login.user if stage else None
    if user is None:
        take(CHALLENGE, devices.browser_of(request).address)
    return JsonResponse(passkeys.begin_using(request.session, user))


def proof_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Lead whoever has not lately proved who they are to the page that asks, and back to this one."""

    def asks(request: HttpRequest, **values: Any) -> HttpResponse:
        session = sessions.browser_session(request)
        if session is None:
            return redirect_to_login(request.get_full_path())
        if not sessions.is_recent(session, now=timezone.now()):
            here = request.path if request.method in {"GET", "HEAD"} else reverse("account_security")
            return redirect_to_login(here, reverse("account_reauthenticate"))
        return view(request, **values)

    asks.__wrapped__ = view  # type: ignore[attr-defined]
    return asks


def _is_password(request: HttpRequest, user: User, password: str) -> str:
    taken = take(REAUTHENTICATE, str(user))
    if not user.check_password(password):
        return ""
    give_back(taken)
    return PASSWORD


def _is_code(request: HttpRequest, user: User, code: str) -> str:
    taken = take(OTP, str(user), devices.known_device(user, devices.browser_of(request)))
    device = factors.spend_otp(user, code)
    if device is None:
        return ""
    give_back(taken)
    return str(device.type)


def _is_passkey(request: HttpRequest, user: User, credential: Any) -> str:
    try:
        return str(passkeys.use(request.session, user, credential).type)
    except passkeys.NotProved:
        return ""


_CHECKS: Final[Mapping[str, Callable[[HttpRequest, User, Any], str]]] = {
    "password": _is_password,
    "code": _is_code,
    "credential": _is_passkey,
}
_MEANS: Final = {
    PASSWORD: PASSWORD,
    Authenticator.Type.TOTP: ONE_TIME_CODE,
    Authenticator.Type.RECOVERY_CODES: ONE_TIME_CODE,
    Authenticator.Type.WEBAUTHN: PASSKEY,
}
