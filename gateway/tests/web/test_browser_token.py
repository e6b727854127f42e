import threading
import time
from dataclasses import replace

import jwt
import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from chassis.django.authentication import get_revocations
from chassis.revocations import Revocations
from gateway.accounts.models import User
from gateway.accounts.roles import ADMIN_SCOPES
from gateway.accounts.session_store import SessionStore
from gateway.accounts.sessions import session_of_cookie
from gateway.tokens.browser import SHORTEST_REST, Kind, MintedTokens, token_for, token_for_request
from gateway.tokens.forwarding import BearerRefused, ForwardedToken, NothingForAudience

pytestmark = pytest.mark.django_db

SERVICES = ["wallet", "catalog_category", "catalog_product", "catalog_variant", "banner"]
ADMINS = {
    "customer": set(),
    "catalogue-editor": {"catalog_category", "catalog_product"},
    "stock-keeper": {"catalog_variant"},
    "marketing": {"banner"},
    "finance": {"wallet"},
    "support": set(),
    "superuser": set(SERVICES),
}


@pytest.fixture
def cookie_for(browse_as, cookie_of, make_user):
    return lambda *groups: cookie_of(browse_as(make_user(groups=groups)))


@pytest.fixture
def session_for(cookie_of, make_user):
    def begin(*groups):
        browser = Client()
        browser.force_login(make_user(groups=groups))
        return session_of_cookie(cookie_of(browser), now=timezone.now())

    return begin


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize("audience", SERVICES)
@pytest.mark.parametrize("group", ADMINS)
def test_opens_the_admins_of_the_group_and_no_other(ask_with_cookie, cookie_for, group, audience):
    answer = ask_with_cookie(cookie_for(group), audience)

    assert answer.status_code == (200 if audience in ADMINS[group] else 403)


@pytest.mark.parametrize(("group", "audience"), [(g, a) for g, some in ADMINS.items() for a in some])
def test_gives_an_admin_what_concerns_that_service_for_a_minute(
    ask_with_cookie, cookie_for, read_token, group, audience
):
    answer = ask_with_cookie(cookie_for(group), audience)

    principal = read_token(answer.json()["token"], audience)
    assert answer.headers["Cache-Control"] == "no-store"
    assert principal.audience == (audience,)
    assert ADMIN_SCOPES[audience] in principal.scopes
    assert {scope.partition(":")[0] for scope in principal.scopes} <= {
        "wallet": {"wallet"},
        "catalog_category": {"catalog"},
        "catalog_product": {"catalog"},
        "catalog_variant": {"catalog", "stock"},
        "banner": {"banner"},
    }[audience]
    assert "staff" in principal.roles
    assert answer.json()["exp"] == pytest.approx(time.time() + 60, abs=3)


def test_says_in_the_token_what_the_session_says(ask_with_cookie, cookie_for):
    cookie = cookie_for("finance")

    claims = claims_of(ask_with_cookie(cookie).json()["token"])

    store = SessionStore(cookie)
    assert (claims["sid"], claims["auth_time"]) == (store["sid"], store["auth_time"])
    assert claims["amr"] == ["pwd", "otp"]
    assert claims["client_id"] == "web"
    assert cookie not in str(claims)


@pytest.mark.parametrize("cookie", ["a" * 32, "", "nonsense", "x" * 4096, "é"])
def test_takes_no_cookie_that_is_none(ask_with_cookie, cookie):
    assert ask_with_cookie(cookie).status_code == (400 if cookie == "" else 401)


def test_takes_no_session_in_which_nobody_is_logged_in(ask_with_cookie, browser, cookie_of):
    browser.post("/account/password/reset/", {"email": "nobody@example.com"})

    assert ask_with_cookie(cookie_of(browser)).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"session": "a" * 32},
        {"audience": "wallet"},
        {"audience": "wallet", "bearer": "a", "session": "a" * 32},
        {"audience": "wallet", "session": None},
        {"audience": "wallet", "session": 1},
        {"audience": "wallet", "session": ["a" * 32]},
        {"audience": "wallet", "session": "a" * 4097},
        {"audience": "edge", "session": "a" * 32},
    ],
)
def test_takes_exactly_one_credential_and_a_service(anonymous, settings, body):
    anonymous.credentials(HTTP_X_EDGE_KEY=settings.EDGE_KEY)

    assert anonymous.post("/internal/token", body, format="json").status_code == 400


@pytest.mark.case("H6")
def test_ends_with_the_log_out_whatever_was_minted_before(
    ask_with_cookie, browser, browse_as, cookie_of, make_user
):
    cookie = cookie_of(browse_as(make_user(groups=["finance"])))
    assert ask_with_cookie(cookie).status_code == 200

    browser.post("/account/logout/")

    assert ask_with_cookie(cookie).status_code == 401


@pytest.mark.parametrize("change", [{"is_active": False}, {"credentials_changed_at": timezone.now}])
@pytest.mark.case("H9")
def test_ends_with_the_rights_of_the_user(ask_with_cookie, cookie_for, change):
    cookie = cookie_for("finance")
    assert ask_with_cookie(cookie).status_code == 200

    User.objects.update(**{name: value() if callable(value) else value for name, value in change.items()})

    assert ask_with_cookie(cookie).status_code == 401


def test_keeps_the_number_of_queries(ask_with_cookie, cookie_for, django_assert_num_queries):
    cookie = cookie_for("finance")

    with django_assert_num_queries(2):
        ask_with_cookie(cookie)


def test_gives_a_page_the_same_token_again(session_for):
    session = session_for("customer")

    first, second = token_for(session, "wallet"), token_for(session, "wallet")

    assert first is second
    assert first.exp == pytest.approx(time.time() + 120, abs=3)


def test_mints_apart_for_pages_and_admins_services_and_sessions(session_for):
    session, other = session_for("superuser"), session_for("superuser")

    tokens = {
        token_for(session, "wallet").token,
        token_for(session, "banner").token,
        token_for(session, "wallet", kind=Kind.ADMIN).token,
        token_for(other, "wallet").token,
    }

    assert len(tokens) == 4


def test_mints_again_for_a_session_that_has_proved_itself_again(session_for):
    session = session_for("customer")
    later = replace(session, auth_time=session.auth_time + 1)

    first, second = token_for(session, "wallet"), token_for(later, "wallet")

    assert first is not second
    assert claims_of(second.token)["auth_time"] == later.auth_time


def test_mints_again_what_everybody_has_lost(session_for, monkeypatch):
    session = session_for("customer")
    first = token_for(session, "wallet")
    lost = Revocations(not_before=claims_of(first.token)["iat"])
    monkeypatch.setattr(get_revocations(), "_list", lost)

    second = token_for(session, "wallet")

    assert first is not second
    assert claims_of(second.token)["iat"] >= lost.not_before


def test_cuts_the_scopes_to_the_service(session_for):
    claims = claims_of(token_for(session_for("customer"), "wallet").token)

    assert claims["scope"] == "wallet:read wallet:write"
    assert claims["aud"] == "wallet"


def test_gives_nothing_for_a_service_that_is_none_of_the_users_business(session_for):
    with pytest.raises(NothingForAudience):
        token_for(session_for("customer"), "banner")


def test_gives_nothing_to_somebody_who_is_not_logged_in():
    request = RequestFactory().get("/")
    request.session = SessionStore()

    with pytest.raises(BearerRefused):
        token_for_request(request, "wallet")


@pytest.mark.case("H8")
def test_mints_once_for_twenty_requests_at_the_same_time():
    minted = MintedTokens()
    made, got = [], []
    start = threading.Barrier(20)

    def mint():
        made.append(1)
        return ForwardedToken("t", 1120, "s")

    def request():
        start.wait()
        got.append(minted.get(("sid", "wallet", Kind.PAGE, frozenset()), mint, good_until=1010.0))

    threads = [threading.Thread(target=request) for _ in range(20)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert (len(made), len(got)) == (1, 20)


@pytest.mark.parametrize(("rest", "mints"), [(11, 1), (10, 1), (9, 2), (-1, 2)])
def test_mints_again_before_the_token_dies(rest, mints):
    minted, made = MintedTokens(), []
    key = ("sid", "wallet", Kind.PAGE, frozenset())

    def mint():
        made.append(1)
        return ForwardedToken("t", 1120, "s")

    minted.get(key, mint, good_until=1010.0)
    minted.get(key, mint, good_until=1120.0 - rest + SHORTEST_REST)

    assert len(made) == mints


def test_remembers_no_more_than_its_capacity():
    minted = MintedTokens(capacity=3)

    for number in range(10):
        minted.get(
            (str(number), "wallet", Kind.PAGE, frozenset()),
            lambda: ForwardedToken("t", 99, "s"),
            good_until=10.0,
        )

    assert len(minted) == 3
