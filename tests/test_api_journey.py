"""What a client of the API goes through, from log-in to log-out, and what it is told when it errs."""

import csv
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

WALLET = "/api/v1/wallet"
TRANSACTIONS = f"{WALLET}/transactions"
ADJUSTMENTS = f"{WALLET}/adjustments"
REFRESH = "/api/v1/auth/refresh"


@pytest.fixture
def shopper(system):
    return system.log_in("shopper")["access"]


@pytest.fixture
def finance(system):
    return system.log_in("finance")["access"]


def balance(system, token):
    [found] = system.request("GET", WALLET, token=token).json()["balances"]
    return found["balance_minor"]


def adjust(system, token, key, **changes):
    body = {
        "sub": system.logins["shopper-2"]["sub"],
        "direction": "credit",
        "amount_minor": 250,
        "currency": "EUR",
        "reason": "Goodwill",
    }
    headers = {"Idempotency-Key": key} if key else {}
    return system.request("POST", ADJUSTMENTS, token=token, json=body | changes, headers=headers)


def refresh(system, token):
    return system.request("POST", REFRESH, json={"refresh": token})


def assert_problem(response, status, code):
    assert response.headers["Content-Type"] == "application/problem+json"
    document = response.json()
    assert (response.status_code, document["code"]) == (status, code)
    assert document["status"] == status
    assert document["type"] == f"/problems/{code}"
    assert document["title"]
    assert document["request_id"] == response.headers["X-Request-ID"]


def test_logs_in(system):
    pair = system.log_in("shopper")

    assert pair.keys() == {"access", "refresh", "token_type", "expires_in", "scope"}
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 300)
    assert set(pair["scope"].split()) == set(system.logins["shopper"]["scopes"])


def test_keeps_tokens_out_of_caches(system):
    response = refresh(system, system.log_in("shopper")["refresh"])

    assert response.headers["Cache-Control"] == "no-store"


def test_reads_the_wallet(system, shopper):
    response = system.request("GET", WALLET, token=shopper)

    assert response.json() == {
        "balances": [{"currency": "EUR", "balance_minor": 50_000, "held_minor": 0, "available_minor": 50_000}]
    }


def test_reads_the_same_at_the_wallets_own_port(system, shopper):
    headers = {"Authorization": f"Bearer {shopper}"}

    direct = system.http.get(f"{system.wallet_url}{WALLET}", headers=headers, timeout=10)

    assert direct.json() == system.request("GET", WALLET, token=shopper).json()


def test_pages_through_transactions_with_a_running_balance(system, shopper):
    first = system.request("GET", f"{TRANSACTIONS}?limit=1", token=shopper).json()
    second = system.request(
        "GET", f"{TRANSACTIONS}?limit=1&cursor={first['next_cursor']}", token=shopper
    ).json()

    [newest], [older] = first["data"], second["data"]
    assert newest["balance_after_minor"] == 50_000
    assert older["balance_after_minor"] == newest["balance_after_minor"] - newest["amount_minor"]
    assert UUID(newest["id"]) != UUID(older["id"])


def test_reads_one_transaction(system, shopper):
    [newest] = system.request("GET", f"{TRANSACTIONS}?limit=1", token=shopper).json()["data"]

    response = system.request("GET", f"{TRANSACTIONS}/{newest['id']}", token=shopper)

    assert response.json() == newest


def test_hides_the_transaction_of_somebody_else(system, shopper):
    other = system.log_in("shopper-2")["access"]
    [theirs] = system.request("GET", f"{TRANSACTIONS}?limit=1", token=other).json()["data"]

    response = system.request("GET", f"{TRANSACTIONS}/{theirs['id']}", token=shopper)

    assert_problem(response, 404, "not-found")


def test_reads_the_statement_of_a_month(system, shopper):
    month = datetime.now(UTC).strftime("%Y-%m")

    statement = system.request("GET", f"{WALLET}/statements/{month}", token=shopper).json()

    assert statement["closing_minor"] == 50_000
    assert statement["opening_minor"] + statement["credited_minor"] + statement["debited_minor"] == 50_000
    assert len(statement["transactions"]) > 1


def test_reads_the_statement_as_csv(system, shopper):
    month = datetime.now(UTC).strftime("%Y-%m")

    response = system.request(
        "GET", f"{WALLET}/statements/{month}", token=shopper, headers={"Accept": "text/csv"}
    )

    rows = list(csv.DictReader(response.text.splitlines()))
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert (rows[0]["kind"], rows[-1]["kind"]) == ("opening", "closing")
    assert rows[-1]["balance_after_minor"] == "50000"


def test_asks_for_fewer_scopes(system):
    token = system.log_in("shopper", scope="orders:read")["access"]

    assert_problem(system.request("GET", WALLET, token=token), 403, "insufficient-scope")


@pytest.mark.parametrize(
    ("persona", "method", "path"),
    [
        ("marketing", "GET", WALLET),
        ("stock-keeper", "GET", TRANSACTIONS),
        ("shopper", "POST", ADJUSTMENTS),
        ("shopper", "GET", f"{WALLET}/integrity"),
        ("finance", "GET", WALLET),
    ],
)
def test_forbids_what_a_token_has_no_scope_for(system, persona, method, path):
    token = system.log_in(persona)["access"]

    response = system.request(method, path, token=token, json={} if method == "POST" else None)

    assert_problem(response, 403, "insufficient-scope")
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]


def test_gives_a_new_pair_for_a_refresh_token(system):
    old = system.log_in("shopper")

    new = refresh(system, old["refresh"]).json()

    assert new["refresh"] != old["refresh"]
    assert system.request("GET", WALLET, token=new["access"]).status_code == 200


def test_ends_the_session_when_a_refresh_token_comes_again(system):
    first = system.log_in("shopper")["refresh"]
    second = refresh(system, first).json()["refresh"]
    third = refresh(system, second).json()["refresh"]

    replayed = refresh(system, first)

    assert_problem(replayed, 401, "invalid-token")
    assert_problem(refresh(system, third), 401, "invalid-token")


def test_logs_out(system):
    token = system.log_in("shopper")["refresh"]

    response = system.request("POST", "/api/v1/auth/logout", json={"refresh": token})

    assert (response.status_code, response.content) == (204, b"")
    assert_problem(refresh(system, token), 401, "invalid-token")


def test_adjusts_a_balance_once_however_often_it_is_told(system, finance):
    owner = system.log_in("shopper-2")["access"]
    before, key = balance(system, owner), str(uuid4())

    first, again = adjust(system, finance, key), adjust(system, finance, key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert balance(system, owner) == before + 250


def test_refuses_another_request_under_a_used_key(system, finance):
    key = str(uuid4())
    adjust(system, finance, key)

    response = adjust(system, finance, key, amount_minor=251)

    assert_problem(response, 422, "idempotency-key-reused")


def test_refuses_an_adjustment_without_a_key(system, finance):
    assert_problem(adjust(system, finance, ""), 400, "idempotency-key-missing")


def test_refuses_to_take_more_than_there_is(system, finance):
    response = adjust(system, finance, str(uuid4()), direction="debit", amount_minor=10**9)

    assert_problem(response, 409, "insufficient-funds")


def test_keeps_the_ledger_balanced(system, finance):
    report = system.request("GET", f"{WALLET}/integrity", token=finance).json()

    assert report["is_balanced"] is True


@pytest.mark.parametrize(
    ("path", "options", "status", "code"),
    [
        (f"{WALLET}?x=1", {}, 400, "unknown-parameter"),
        (f"{TRANSACTIONS}?limit=0", {}, 400, "invalid-input"),
        (f"{TRANSACTIONS}?limit=101", {}, 400, "invalid-input"),
        (f"{TRANSACTIONS}?cursor=a", {}, 400, "invalid-input"),
        (f"{TRANSACTIONS}/not-a-uuid", {}, 404, "not-found"),
        (f"{TRANSACTIONS}/00000000-0000-7000-8000-000000000000", {}, 404, "not-found"),
        (f"{WALLET}/statements/2026-13", {}, 400, "invalid-input"),
        (f"{WALLET}/nothing", {}, 404, "not-found"),
        (f"{WALLET}/", {}, 404, "not-found"),
        (WALLET, {"headers": {"Accept": "image/png"}}, 406, "not-acceptable"),
        ("/api/v1/nothing", {}, 404, "not-found"),
        ("/nothing", {}, 404, "not-found"),
        ("/internal/token", {}, 404, "not-found"),
        ("/api/v1/auth/login", {}, 405, "method-not-allowed"),
    ],
)
def test_tells_a_reader_what_is_wrong(system, shopper, path, options, status, code):
    response = system.request("GET", path, token=shopper, **options)

    assert_problem(response, status, code)


@pytest.mark.parametrize(
    ("path", "options", "status", "code"),
    [
        (ADJUSTMENTS, {"data": "{"}, 400, "malformed-request"),
        (ADJUSTMENTS, {"data": '{"sub": 1, "sub": 2}'}, 400, "malformed-request"),
        (ADJUSTMENTS, {"data": "{}"}, 400, "invalid-input"),
        (ADJUSTMENTS, {"data": "[]"}, 400, "malformed-request"),
        (
            ADJUSTMENTS,
            {"data": "a=b", "type": "application/x-www-form-urlencoded"},
            415,
            "unsupported-media-type",
        ),
        (ADJUSTMENTS, {"data": "a" * 1_100_000}, 413, "content-too-large"),
        ("/api/v1/auth/login", {"data": "{"}, 400, "malformed-request"),
        ("/api/v1/auth/login", {"data": "[]"}, 400, "malformed-request"),
        ("/api/v1/auth/login", {"data": "{}"}, 400, "invalid-input"),
        ("/api/v1/auth/login", {"data": "a" * 20_000}, 413, "content-too-large"),
        ("/api/v1/auth/login", {"data": "a=b", "type": "text/plain"}, 415, "unsupported-media-type"),
        ("/api/v1/auth/login", {"data": '{"email":"a@b.c","password":"x"}'}, 401, "wrong-credentials"),
        ("/api/v1/auth/refresh", {"data": '{"refresh":"a.b.c"}'}, 401, "invalid-token"),
        ("/api/v1/auth/nothing", {"data": "{}"}, 404, "not-found"),
    ],
)
def test_tells_a_writer_what_is_wrong(system, finance, path, options, status, code):
    headers = {"Content-Type": options.get("type", "application/json"), "Idempotency-Key": str(uuid4())}

    response = system.request("POST", path, token=finance, data=options["data"], headers=headers)

    assert_problem(response, status, code)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_tells_which_methods_there_are(system, shopper, method):
    response = system.request(method, WALLET, token=shopper)

    assert_problem(response, 405, "method-not-allowed")
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize(("method", "path"), [("GET", WALLET), ("GET", TRANSACTIONS), ("POST", ADJUSTMENTS)])
def test_asks_strangers_who_they_are(system, method, path):
    response = system.request(method, path)

    assert_problem(response, 401, "authentication-required")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="mercato"'
