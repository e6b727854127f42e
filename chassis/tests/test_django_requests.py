import json
import logging

import pytest


def get(client, path="/api/v1/whoami", **headers):
    return client.get(path, **headers)


def test_knows_a_caller_by_token(as_user):
    client = as_user("wallet:read")

    response = get(client)

    assert response.json() == {"sub": client.sub}
    assert response["Cache-Control"] == "no-store"


def test_challenges_a_caller_without_a_token(anonymous):
    response = get(anonymous)

    assert (response.status_code, response.json()["code"]) == (401, "authentication-required")
    assert response["WWW-Authenticate"] == 'Bearer realm="mercato"'


def test_refuses_a_bad_token_without_a_reason(anonymous):
    response = get(anonymous, HTTP_AUTHORIZATION="Bearer a.b.c")

    assert (response.status_code, response.json()["code"]) == (401, "invalid-token")
    assert response["WWW-Authenticate"] == 'Bearer realm="mercato", error="invalid_token"'
    assert response.json().keys() == {"type", "title", "status", "code", "request_id"}


def test_refuses_a_bad_token_on_a_public_view_too(anonymous):
    assert get(anonymous, "/api/v1/public", HTTP_AUTHORIZATION="Bearer a.b.c").status_code == 401


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_answers_405_to_a_method_that_the_view_has_no_scope_for(as_user, method):
    response = as_user("wallet:read").generic(method, "/api/v1/whoami")

    assert (response.status_code, response.json()["code"]) == (405, "method-not-allowed")


def test_takes_an_empty_header_for_none_on_a_public_view(anonymous):
    assert get(anonymous, "/api/v1/public", HTTP_AUTHORIZATION="").json() == {"sub": None}


def test_lets_everyone_keep_what_everyone_gets(anonymous):
    response = get(anonymous, "/api/v1/public")

    assert (response["Cache-Control"], response["Vary"]) == ("public, max-age=30", "Authorization")


def test_lets_nobody_keep_what_a_token_was_shown(as_user):
    assert get(as_user(), "/api/v1/public")["Cache-Control"] == "no-store"


def test_names_the_scope_that_a_token_lacks(as_user):
    response = get(as_user("wallet:write"))

    assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")
    assert 'scope="wallet:read"' in response["WWW-Authenticate"]


def test_points_at_every_wrong_field(as_user):
    body = {"lines": [{"quantity": 0}, {}]}

    response = as_user("wallet:write").post("/api/v1/whoami", body, format="json")

    assert response.status_code == 400
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [
        ("#/name", "required"),
        ("#/lines/0/quantity", "min-value"),
        ("#/lines/1/quantity", "required"),
    ]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        ("{", "application/json", 400, "malformed-request"),
        ("[]", "application/json", 400, "malformed-request"),
        ('{"name": "a", "name": "b"}', "application/json", 400, "malformed-request"),
        ('{"name": NaN}', "application/json", 400, "malformed-request"),
        ("\xff", "application/json", 400, "malformed-request"),
        ("[" * 100_000, "application/json", 400, "malformed-request"),
        (" " * (1024 * 1024 + 1), "application/json", 413, "content-too-large"),
        ("a=1", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
    ],
)
def test_refuses_a_body_it_cannot_read(as_user, body, content_type, status, code):
    response = as_user("wallet:write").generic("POST", "/api/v1/whoami", body, content_type)

    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize("query", ["?colour=red", "?limit=1&limit=2"])
def test_refuses_a_query_it_does_not_know(as_user, query):
    response = get(as_user("wallet:read"), f"/api/v1/whoami{query}")

    assert (response.status_code, response.json()["code"]) == (400, "unknown-parameter")


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [("domain", 409, "conflict"), ("database", 503, "unavailable"), ("missing", 404, "not-found")],
)
def test_answers_for_what_a_view_raises(anonymous, what, status, code):
    response = get(anonymous, f"/api/v1/raises/{what}")

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response["Content-Type"] == "application/problem+json"


def test_refuses_a_method_that_a_view_lacks(as_user):
    response = as_user("wallet:read").generic("GET", "/api/v1/raises/domain")
    refused = as_user("wallet:read").delete("/api/v1/public")

    assert response.status_code == 409
    assert (refused.status_code, refused.json()["code"]) == (405, "method-not-allowed")


def test_tells_nothing_of_an_error_nobody_anticipated(browser):
    response = browser.get("/crash", HTTP_X_REQUEST_ID="r-12345678")

    assert (response.status_code, response.json()["code"]) == (500, "internal-error")
    assert response.json()["request_id"] == response["X-Request-ID"] == "r-12345678"
    assert b"secret detail" not in response.content


def test_answers_an_unknown_path_with_a_problem(browser):
    response = browser.get("/nowhere")

    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_serves_no_foreign_host(browser):
    response = browser.get("/api/v1/public", HTTP_HOST="evil.example")

    assert (response.status_code, response.json()["code"]) == (400, "malformed-request")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8001", "[::1]:8000"])
def test_serves_every_loopback_host_of_a_loopback_origin(browser, host):
    assert browser.get("/api/v1/public", HTTP_HOST=host).status_code == 200


def test_answers_probes_for_any_host(browser):
    assert browser.get("/livez", HTTP_HOST="10.0.0.7").json() == {"status": "ok"}
    assert b"mercato_http_requests_total" in browser.get("/metrics", HTTP_HOST="10.0.0.7").content


def test_is_not_ready_without_its_database(browser):
    response = browser.get("/readyz")

    assert (response.status_code, response.json()["checks"]) == (503, {"database": "failed"})


def test_logs_a_request_without_its_query(browser, caplog):
    caplog.set_level(logging.INFO, "access")

    browser.get("/api/v1/public?access_token=hunter2")

    assert "hunter2" not in json.dumps([record.__dict__ for record in caplog.records], default=str)
    assert caplog.records[-1].path == "/api/v1/public"


@pytest.mark.parametrize("method", ["get", "post"])
def test_asks_for_a_token_at_the_admin(browser, method):
    response = getattr(browser, method)("/admin/wallet/")

    assert (response.status_code, response.json()["code"]) == (401, "authentication-required")


def test_refuses_a_bad_token_at_the_admin(browser):
    assert browser.get("/admin/wallet/", HTTP_AUTHORIZATION="Bearer x").json()["code"] == "invalid-token"


@pytest.mark.parametrize(("roles", "scope"), [(["customer"], "wallet:admin"), (["staff"], "wallet:read")])
def test_lets_only_staff_with_the_scope_into_the_admin(as_user, roles, scope):
    assert as_user(scope, roles=roles).get("/admin/wallet/").status_code == 403
