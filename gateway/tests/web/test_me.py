import pytest
from django.utils import timezone

from chassis.tokens import Principal
from gateway.accounts.models import User
from gateway.accounts.operations import save_user
from gateway.me.operations import change_password
from gateway.tokens.models import RefreshFamily, Revocation
from gateway.tokens.operations import end_family

pytestmark = pytest.mark.django_db

STRONG = "a long and unlikely phrase"
NOBODY = "01a207f1-5e27-7555-a937-b47bb44b1017"
ENDPOINTS = [
    ("get", "me"),
    ("post", "me/password"),
    ("get", "me/sessions"),
    ("delete", "me/sessions"),
    ("delete", f"me/sessions/{NOBODY}"),
    ("get", "me/addresses"),
    ("post", "me/addresses"),
    ("get", f"me/addresses/{NOBODY}"),
    ("patch", f"me/addresses/{NOBODY}"),
    ("delete", f"me/addresses/{NOBODY}"),
]


@pytest.fixture
def call(anonymous):
    """Sends a request below /api/v1/ with a token."""

    def send(method, path, body=None, *, bearer):
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return getattr(anonymous, method)(f"/api/v1/{path}", body, format="json", headers=headers)

    return send


@pytest.fixture
def bearer(log_in, shopper):
    return log_in(shopper)["access"]


def change(call, bearer, current, password=STRONG):
    body = {"current_password": current, "password": password}
    return call("post", "me/password", body, bearer=bearer)


@pytest.mark.case("K2")
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_asks_for_a_token(call, method, path):
    response = call(method, path, bearer=None)

    assert (response.status_code, response.json()["code"]) == (401, "authentication-required")


@pytest.mark.case("K2")
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_asks_for_the_scope(call, forge, method, path):
    response = call(method, path, bearer=forge.mint("gateway", scope="account:read wallet:read"))

    assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_knows_no_user_who_is_not_active(call, bearer, shopper, method, path):
    User.objects.filter(pk=shopper.pk).update(is_active=False)
    body = {"current_password": "x", "password": STRONG} if path == "me/password" else None

    response = call(method, path, body, bearer=bearer)

    assert response.status_code in {400, 401, 404} or response.json() == {"data": []}
    assert shopper.email not in response.content.decode()


def test_takes_a_token_that_the_edge_has_had_minted(call, ask, bearer, shopper, read_token):
    minted = ask(bearer, "gateway").json()["token"]

    response = call("get", "me", bearer=minted)

    assert response.json()["sub"] == str(shopper.public_id)
    assert read_token(minted, "gateway").scopes == {"account:write", "orders:read", "orders:write"}


def test_takes_no_token_of_a_service(call, ask, bearer):
    response = call("get", "me", bearer=ask(bearer, "wallet").json()["token"])

    assert response.status_code == 401


def test_takes_no_cookie(browse_as, shopper):
    browser = browse_as(shopper)

    assert browser.get("/api/v1/me", headers={"Accept": "application/json"}).status_code == 401


def test_says_who_one_is_and_nothing_more(call, bearer, shopper):
    response = call("get", "me", bearer=bearer)

    assert response.headers["Cache-Control"] == "no-store"
    assert response.json() == {
        "sub": str(shopper.public_id),
        "email": shopper.email,
        "roles": ["customer"],
        "second_factor": False,
        "created_at": shopper.created_at.isoformat().replace("+00:00", "Z"),
    }


def test_refuses_an_unknown_parameter(call, bearer):
    assert call("get", "me?sub=1", bearer=bearer).json()["code"] == "unknown-parameter"


def test_changes_the_password_of_whoever_knows_it(call, bearer, post, shopper, password):
    response = change(call, bearer, password)

    assert (response.status_code, response.content) == (204, b"")
    assert post("login", email=shopper.email, password=password).status_code == 401
    assert post("login", email=shopper.email, password=STRONG).status_code == 200


def test_ends_every_session_but_the_one_that_changes_the_password(
    call, log_in, post, browse_as, shopper, password
):
    mine, other = log_in(shopper), log_in(shopper)
    browser = browse_as(shopper)

    change(call, mine["access"], password)

    assert post("refresh", refresh=other["refresh"]).status_code == 401
    assert browser.get("/account").status_code == 302
    renewed = post("refresh", refresh=mine["refresh"])
    assert renewed.status_code == 200
    assert call("get", "me", bearer=renewed.json()["access"]).status_code == 200


def test_has_the_other_sessions_refused_everywhere(call, log_in, shopper, password):
    mine, _ = log_in(shopper), log_in(shopper)
    sid, other = (str(family.sid) for family in RefreshFamily.objects.order_by("id"))

    change(call, mine["access"], password)

    # One that began in the second of the change is named: whole seconds do not tell it from a later one.
    began_at = RefreshFamily.objects.get(sid=other).authenticated_at.timestamp()
    not_before = Revocation.objects.get(sub=str(shopper.public_id)).not_before
    revoked = set(Revocation.objects.values_list("sid", flat=True))
    assert (sid in revoked, other in revoked) == (False, int(began_at) == not_before)


def test_leaves_a_session_revoked_that_ends_meanwhile(log_in, shopper, password):
    log_in(shopper)
    sid = RefreshFamily.objects.get().sid
    who = Principal(str(shopper.public_id), "jti", "kid", ("gateway",), 0, 0, sid=str(sid))
    end_family(sid=sid, reason=RefreshFamily.Reason.LOGOUT)

    change_password(who=who, current_password=password, password=STRONG)

    assert Revocation.objects.filter(sid=sid).exists()


def test_changes_nothing_without_the_present_password(call, bearer, shopper, password):
    response = change(call, bearer, "not it at all")

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/current_password"
    assert User.objects.get(pk=shopper.pk).check_password(password)


def test_refuses_a_weak_password(call, bearer, password):
    response = change(call, bearer, password, "password123")

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/password"


def test_lets_nobody_guess_the_present_password(call, bearer, password):
    refused = [change(call, bearer, "not it at all").status_code for _ in range(10)]

    last = change(call, bearer, password)

    assert refused == [400] * 10
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) > 0


@pytest.mark.case("K3")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"current_password": "x"},
        {"current_password": 1, "password": STRONG},
        {"current_password": "x", "password": "y" * 1025},
        {"current_password": "x", "password": STRONG, "is_staff": True},
        {"current_password": "x", "password": STRONG, "sub": NOBODY},
        [],
    ],
)
def test_refuses_a_malformed_change_of_password(call, bearer, body):
    response = call("post", "me/password", body, bearer=bearer)

    assert response.status_code == 400


def test_lists_sessions_of_clients_and_browsers(call, log_in, browse_as, shopper, bearer):
    log_in(shopper)
    browse_as(shopper)

    rows = call("get", "me/sessions", bearer=bearer).json()["data"]

    assert sorted(row["is_browser"] for row in rows) == [False, False, True]
    assert (rows[0]["is_current"], rows[0]["is_browser"]) == (True, False)
    used = [row["last_used_at"] for row in rows[1:]]
    assert used == sorted(used, reverse=True)
    assert rows[0].keys() == {
        *("id", "is_browser", "is_current", "device", "network", "began_at", "last_used_at")
    }


@pytest.mark.parametrize(
    "ended",
    [
        {"revoked_at": timezone.now(), "revoked_because": "logout"},
        {"absolute_expires_at": timezone.now()},
        {"authenticated_at": timezone.now() - timezone.timedelta(days=1)},
    ],
)
def test_lists_no_session_that_has_ended(call, log_in, shopper, bearer, ended):
    log_in(shopper)
    RefreshFamily.objects.filter(pk=RefreshFamily.objects.latest("pk").pk).update(**ended)

    rows = call("get", "me/sessions", bearer=bearer).json()["data"]

    assert [row["is_current"] for row in rows] == [True]


def test_ends_a_session_of_a_client(call, log_in, post, shopper, bearer):
    other = log_in(shopper)
    [row] = [row for row in call("get", "me/sessions", bearer=bearer).json()["data"] if not row["is_current"]]

    response = call("delete", f"me/sessions/{row['id']}", bearer=bearer)

    assert response.status_code == 204
    assert post("refresh", refresh=other["refresh"]).status_code == 401
    assert call("delete", f"me/sessions/{row['id']}", bearer=bearer).status_code == 404


def test_ends_a_session_of_a_browser(call, browse_as, shopper, bearer):
    browser = browse_as(shopper)
    [row] = [row for row in call("get", "me/sessions", bearer=bearer).json()["data"] if row["is_browser"]]

    response = call("delete", f"me/sessions/{row['id']}", bearer=bearer)

    assert response.status_code == 204
    assert browser.get("/account").status_code == 302


def test_logs_out_everywhere_else(call, log_in, post, browse_as, shopper):
    mine, other = log_in(shopper), log_in(shopper)
    browser = browse_as(shopper)

    response = call("delete", "me/sessions", bearer=mine["access"])

    assert response.status_code == 204
    assert post("refresh", refresh=other["refresh"]).status_code == 401
    assert browser.get("/account").status_code == 302
    assert post("refresh", refresh=mine["refresh"]).status_code == 200


@pytest.mark.case("K1")
def test_ends_no_session_of_somebody_else(call, log_in, make_user, post, bearer):
    theirs = log_in(make_user())
    sid = RefreshFamily.objects.latest("pk").sid

    response = call("delete", f"me/sessions/{sid}", bearer=bearer)

    assert (response.status_code, response.json()["code"]) == (404, "not-found")
    assert post("refresh", refresh=theirs["refresh"]).status_code == 200


@pytest.mark.case("K1")
def test_ends_no_browser_session_of_somebody_else(call, browse_as, make_user, bearer):
    other = make_user()
    browser = browse_as(other)

    response = call("delete", f"me/sessions/{other.browser_sessions.get().sid}", bearer=bearer)

    assert response.status_code == 404
    assert browser.get("/account").status_code == 200


def test_says_whether_there_is_a_second_factor(call, log_in, make_user):
    user = make_user()
    bearer = log_in(user)["access"]
    save_user(email=user.email, password="x", groups=["customer"], totp_secret="JBSWY3DPEHPK3PXPJBSWY3DPEH")
    User.objects.filter(pk=user.pk).update(credentials_changed_at=user.credentials_changed_at)

    assert call("get", "me", bearer=bearer).json()["second_factor"] is True


@pytest.mark.parametrize(("path", "queries"), [("me", 2), ("me/sessions", 4), ("me/addresses", 1)])
def test_keeps_the_number_of_queries(call, bearer, django_assert_num_queries, path, queries):
    with django_assert_num_queries(queries):
        call("get", path, bearer=bearer)
