"""Users, clients and log-ins for the tests of the web; the edge's stand beside these without Django."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core import mail
from django.db import connections
from django.test import Client
from rest_framework.test import APIClient

from chassis.django.authentication import get_verifier
from chassis.ids import uuid7
from chassis.keys import KeyStore
from chassis.testing.django import anonymous, connect, django_db_setup  # noqa: F401 (fixtures)
from chassis.tokens import Principal, Verifier
from gateway.accounts.factors import set_totp
from gateway.accounts.models import User
from gateway.accounts.operations import verify_email
from gateway.accounts.roles import CUSTOMER
from gateway.clients.testing import Shop, playing
from gateway.limits.models import Counter
from gateway.mail.delivery import deliver_due
from gateway.mail.models import OutgoingMail
from gateway.tokens import keyring
from gateway.tokens.models import Revocation

PASSWORD = "correct horse battery staple"
TOTP_SECRET = "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"


@pytest.fixture(scope="session", autouse=True)
def published_keys(keys_dir: Path) -> None:
    """The keys of the run, completed and published as `keys init` does it."""
    keyring.init(keys_dir)


class Delivered(list[Any]):
    """The mails that were sent. Whoever looks sees those of the outbox too: they are delivered first."""

    def __getitem__(self, index: Any) -> Any:
        deliver_due()
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[Any]:
        deliver_due()
        return super().__iter__()

    def __len__(self) -> int:
        deliver_due()
        return super().__len__()


@pytest.fixture(autouse=True)
def outbox(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The mails of this test, as `django.core.mail.outbox` shows them."""
    delivered = Delivered()
    monkeypatch.setattr(mail, "outbox", delivered, raising=False)
    return delivered


@pytest.fixture(scope="session")
def password() -> str:
    return PASSWORD


@pytest.fixture(scope="session")
def totp_secret() -> str:
    """What the authenticator apps of the tests make their codes from."""
    return TOTP_SECRET


@pytest.fixture
def otp_of() -> Callable[[User], str]:
    """A code that is good once, however lately another was used."""

    def code(user: User) -> str:
        device = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
        device.data["last_step"] = 0
        device.save(update_fields=["data"])
        return str(format_hotp_value(hotp_value(TOTP_SECRET, int(time.time()) // 30)))

    return code


@pytest.fixture(scope="session")
def hashed_password() -> str:
    """What the password is kept as. Thousands have the same one, and hashing is slow on purpose."""
    return make_password(PASSWORD)


@pytest.fixture
def make_user(hashed_password: str) -> Callable[..., User]:
    """Makes users as an operator does."""

    def make(groups: Sequence[str] = ("customer",), **fields: Any) -> User:
        user = User.objects.create(email=f"{uuid7().hex}@example.com", password=hashed_password)
        user.groups.set(Group.objects.filter(name__in=groups))
        verify_email(user)
        User.objects.filter(pk=user.pk).update(**fields)
        return User.objects.get(pk=user.pk)

    return make


@pytest.fixture
def shopper(make_user: Callable[..., User]) -> User:
    return make_user()


@pytest.fixture
def post(anonymous: APIClient) -> Callable[..., Any]:  # noqa: F811 (the fixture)
    """Posts JSON to an endpoint below /api/v1/auth/."""

    def send(name: str, **body: Any) -> Any:
        return anonymous.post(f"/api/v1/auth/{name}", body, format="json")

    return send


@pytest.fixture
def log_in(post: Callable[..., Any], otp_of: Callable[[User], str]) -> Callable[..., dict[str, Any]]:
    """The tokens of a new session; staff begin it with a second factor, unless it is told to be none."""

    def begin(user: User, *, with_otp: bool = True, **wish: Any) -> dict[str, Any]:
        if with_otp and user.groups.exclude(name=CUSTOMER).exists():
            set_totp(user, TOTP_SECRET)
            wish["otp"] = otp_of(user)
        response = post("login", email=user.email, password=PASSWORD, **wish)
        assert response.status_code == 200, response.content
        return dict(response.json())

    return begin


@pytest.fixture
def ask() -> Callable[..., Any]:
    """Asks for a service's token as the edge does."""
    edge = APIClient()
    edge.credentials(HTTP_X_EDGE_KEY=settings.EDGE_KEY)

    def send(bearer: Any, audience: Any = "wallet") -> Any:
        return edge.post("/internal/token", {"bearer": bearer, "audience": audience}, format="json")

    return send


@pytest.fixture
def ask_edge() -> Callable[[dict[str, Any]], Any]:
    """Puts any question to the web, as the edge."""
    edge = APIClient()
    edge.credentials(HTTP_X_EDGE_KEY=settings.EDGE_KEY)
    return lambda question: edge.post("/internal/token", question, format="json")


@pytest.fixture
def ask_with_cookie() -> Callable[..., Any]:
    """Asks for the token of a service's admin as the edge does, with the session cookie of a browser."""
    edge = APIClient()
    edge.credentials(HTTP_X_EDGE_KEY=settings.EDGE_KEY)

    def send(session: Any, audience: Any = "wallet") -> Any:
        return edge.post("/internal/token", {"session": session, "audience": audience}, format="json")

    return send


@pytest.fixture
def browser() -> Client:
    """A browser that is not logged in; it sends tokens with its forms as people's do."""
    return Client(enforce_csrf_checks=False, headers={"Accept": "text/html"})


@pytest.fixture
def browse_as(browser: Client, otp_of: Callable[[User], str]) -> Callable[..., Client]:
    """Logs a browser in by the form; staff with a second factor, unless it is told to be none."""

    def log_in(user: User, password: str = PASSWORD, *, with_otp: bool = True) -> Client:
        is_staff = user.groups.exclude(name=CUSTOMER).exists()
        if with_otp and is_staff:
            set_totp(user, TOTP_SECRET)
        answer = browser.post("/account/login/", {"login": user.email, "password": password})
        assert answer.status_code == 302, answer.content
        if with_otp and is_staff:
            answer = browser.post("/account/login/code/", {"code": otp_of(user)})
            assert answer.status_code == 302, answer.content
        return browser

    return log_in


@pytest.fixture
def cookie_of() -> Callable[[Client], str]:
    """The value of a browser's session cookie."""
    return lambda client: client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def read_token(keys_dir: Path) -> Callable[..., Principal]:
    """Verifies a token as the service of that audience does."""

    def read(token: str, audience: str = "wallet") -> Principal:
        keys = KeyStore(keys_dir / "public")
        return Verifier(keys, issuer=settings.ORIGIN, audience=audience).verify(token)

    return read


@pytest.fixture
def public(settings: Any, tmp_path: Path) -> Path:
    """A folder for the list of revocations that nobody else reads; the keys stay where they are."""
    get_verifier()
    settings.KEYS_PUBLIC = tmp_path
    return tmp_path


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:  # noqa: F811 (the fixture)
    """The database without a transaction around the test, for what only other connections show."""
    with django_db_blocker.unblock():
        yield
        User.objects.all().delete()
        Revocation.objects.all().delete()
        Counter.objects.all().delete()
        OutgoingMail.objects.all().delete()
        connections.close_all()


@pytest.fixture
def shop(settings: Any) -> Iterator[Shop]:
    """A shop of stand-ins that the pages of this test are made from."""
    with playing(settings) as played:
        yield played
