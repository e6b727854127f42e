import io
import json
import logging

import pytest
from flask_site import make_app
from werkzeug.datastructures import MultiDict

from chassis.flask.access import UnstatedScope


@pytest.fixture(scope="module")
def site():
    return make_app()


@pytest.fixture
def call(site, forge):
    def call(path="/api/v1/whoami", *, scope=None, method="GET", token=None, headers=None, **rest):
        if scope is not None:
            token = forge.mint("wallet", scope=scope, sub=SUB, roles=rest.pop("roles", ["customer"]))
        fields = {"Host": "localhost"} | (headers or {})
        if token is not None:
            fields["Authorization"] = f"Bearer {token}" if token else ""
        return site.test_client().open(path, method=method, headers=fields, **rest)

    return call


SUB = "01999999-0000-7000-8000-000000000000"


def test_knows_a_caller_by_token(call):
    response = call(scope="wallet:read")

    assert response.json == {"sub": SUB}
    assert response.headers["Cache-Control"] == "no-store"


def test_challenges_a_caller_without_a_token(call):
    response = call()

    assert (response.status_code, response.json["code"]) == (401, "authentication-required")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="mercato"'


def test_refuses_a_bad_token_without_a_reason(call):
    response = call(token="a.b.c")

    assert (response.status_code, response.json["code"]) == (401, "invalid-token")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="mercato", error="invalid_token"'
    assert response.json.keys() == {"type", "title", "status", "code", "request_id"}


@pytest.mark.parametrize("path", ["/api/v1/public", "/api/v1/reads", "/api/v1/raises/domain"])
def test_refuses_a_bad_token_on_a_public_view_too(call, path):
    assert call(path, token="a.b.c").status_code == 401


def test_takes_an_empty_header_for_none_on_a_public_view(call):
    assert call("/api/v1/public", token="").json == {"sub": None}


def test_lets_everyone_keep_what_everyone_gets(call):
    response = call("/api/v1/public")

    assert response.headers["Cache-Control"] == "public, max-age=30"
    assert response.headers["Vary"] == "Authorization"


def test_lets_nobody_keep_what_a_token_was_shown(call):
    assert call("/api/v1/public", scope="").headers["Cache-Control"] == "no-store"


def test_names_the_scope_that_a_token_lacks(call):
    response = call(scope="wallet:write")

    assert (response.status_code, response.json["code"]) == (403, "insufficient-scope")
    assert 'scope="wallet:read"' in response.headers["WWW-Authenticate"]


def test_opens_public_reads_and_nothing_else(call):
    assert call("/api/v1/reads").json == {"sees_more": False}
    assert call("/api/v1/reads", scope="wallet:read").json == {"sees_more": True}
    assert call("/api/v1/reads", method="PUT").status_code == 401
    assert call("/api/v1/reads", method="PUT", scope="wallet:read").status_code == 403


def test_points_at_every_wrong_field(call):
    body = {"lines": [{"quantity": 0}, {}, {"quantity": True}], "color": 1, "owner": 7, "kind": "c", "at": 1}

    response = call(method="POST", scope="wallet:write", json=body)

    assert response.status_code == 400
    assert {(error["pointer"], error["code"]) for error in response.json["errors"]} == {
        ("#/name", "required"),
        ("#/lines/0/quantity", "min-value"),
        ("#/lines/1/quantity", "required"),
        ("#/lines/2/quantity", "invalid"),
        ("#/color", "unknown"),
        ("#/owner", "invalid"),
        ("#/kind", "invalid-choice"),
        ("#/at", "invalid"),
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (None, "null"),
        (" ", "blank"),
        ("abcdef", "max-length"),
        (7, "invalid"),
        ("a\x00", "invalid"),
        (["a"], "invalid"),
    ],
)
def test_says_by_a_code_what_is_wrong_with_a_text(call, name, code):
    response = call(method="POST", scope="wallet:write", json={"name": name, "lines": []})

    assert [(error["pointer"], error["code"]) for error in response.json["errors"]] == [("#/name", code)]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        ("{", "application/json", 400, "malformed-request"),
        ("", "application/json", 400, "invalid-input"),
        ("[]", "application/json", 400, "malformed-request"),
        ('{"name": "a", "name": "b"}', "application/json", 400, "malformed-request"),
        ('{"name": NaN}', "application/json", 400, "malformed-request"),
        (b"\xff", "application/json", 400, "malformed-request"),
        ("[" * 100_000, "application/json", 400, "malformed-request"),
        (" " * (1024 * 1024 + 1), "application/json", 413, "content-too-large"),
        ("a=1", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
    ],
)
def test_refuses_a_body_it_cannot_read(call, body, content_type, status, code):
    response = call(method="POST", scope="wallet:write", data=body, content_type=content_type)

    assert (response.status_code, response.json["code"]) == (status, code)


@pytest.mark.parametrize("query", ["?color=red", "?limit=1&limit=2"])
def test_refuses_a_query_it_does_not_know(call, query):
    response = call(f"/api/v1/whoami{query}", scope="wallet:read")

    assert (response.status_code, response.json["code"]) == (400, "unknown-parameter")


def test_points_at_a_wrong_parameter(call):
    response = call("/api/v1/whoami?kind=c", scope="wallet:read")

    assert (response.status_code, response.json["code"]) == (400, "invalid-input")
    assert response.json["errors"][0]["pointer"] == "?kind"


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [("domain", 409, "conflict"), ("database", 503, "unavailable"), ("crash", 500, "internal-error")],
)
def test_answers_for_what_a_view_raises(call, what, status, code):
    response = call(f"/api/v1/raises/{what}", headers={"X-Request-ID": "r-12345678"})

    assert (response.status_code, response.json["code"]) == (status, code)
    assert response.content_type == "application/problem+json"
    assert response.json["request_id"] == response.headers["X-Request-ID"] == "r-12345678"
    assert "secret detail" not in response.text


def test_says_when_to_come_back_when_the_database_is_away(call):
    assert call("/api/v1/raises/database").headers["Retry-After"] == "1"


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "x"])
def test_has_nothing_but_json(call, accept):
    response = call("/api/v1/public", headers={"Accept": accept})

    assert (response.status_code, response.json["code"]) == (406, "not-acceptable")


@pytest.mark.parametrize("accept", ["", "*/*", "text/html, */*;q=0.1", "application/*"])
def test_gives_json_to_who_takes_it(call, accept):
    assert call("/api/v1/public", headers={"Accept": accept}).status_code == 200


def test_gives_nothing_no_type(call):
    body = {"name": "a", "lines": []}

    response = call(method="POST", scope="wallet:write", json=body)

    assert (response.status_code, response.headers.get("Content-Type")) == (204, None)


def test_refuses_a_method_that_a_view_lacks(call):
    response = call("/api/v1/public", method="DELETE")

    assert (response.status_code, response.json["code"]) == (405, "method-not-allowed")
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/public/", "/api/v1//public", "/static/x"])
def test_answers_an_unknown_path_with_a_problem(call, path):
    response = call(path)

    assert (response.status_code, response.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a@localhost", "localhost:x", ""])
def test_serves_no_foreign_host(call, host):
    response = call("/api/v1/public", headers={"Host": host})

    assert (response.status_code, response.json["code"]) == (400, "malformed-request")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8001", "[::1]:8000", "LOCALHOST"])
def test_serves_every_loopback_host_of_a_loopback_origin(call, host):
    assert call("/api/v1/public", headers={"Host": host}).status_code == 200


def test_answers_probes_for_any_host(call):
    call("/api/v1/public")

    assert call("/livez", headers={"Host": "10.0.0.7"}).json == {"status": "ok"}
    assert "mercato_http_requests_total" in call("/metrics", headers={"Host": "10.0.0.7"}).text


def test_is_not_ready_without_its_database(call):
    response = call("/readyz")

    assert (response.status_code, response.json["checks"]) == (503, {"database": "failed"})


def test_logs_a_request_without_its_query(call, caplog):
    caplog.set_level(logging.INFO, "access")

    call("/api/v1/public?access_token=hunter2")

    assert "hunter2" not in json.dumps([record.__dict__ for record in caplog.records], default=str)
    assert caplog.records[-1].path == "/api/v1/public"


def test_tells_browsers_to_run_nothing(call):
    headers = call("/api/v1/public").headers

    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_asks_for_a_token_at_the_admin(call, method):
    response = call("/admin/wallet/", method=method)

    assert (response.status_code, response.json["code"]) == (401, "authentication-required")


def test_refuses_a_bad_token_at_the_admin(call):
    assert call("/admin/wallet/", token="x").json["code"] == "invalid-token"


@pytest.mark.parametrize(("roles", "scope"), [(["customer"], "wallet:admin"), (["staff"], "wallet:read")])
def test_lets_only_staff_with_the_scope_into_the_admin(call, roles, scope):
    assert call("/admin/wallet/", scope=scope, roles=roles).json["code"] == "forbidden"
    assert call("/admin/wallet/nowhere", scope=scope, roles=roles).status_code == 403


def test_lets_staff_into_the_admin(call):
    assert call("/admin/wallet/", scope="wallet:admin", roles=["staff"]).text == SUB


def test_makes_no_application_with_an_endpoint_that_states_nothing():
    with pytest.raises(UnstatedScope, match="forgotten states no scope for GET"):
        make_app(forgotten=lambda: "")


def test_answers_304_to_who_knows_the_answer(call):
    tag = call("/api/v1/tagged").headers["ETag"]

    response = call("/api/v1/tagged", headers={"If-None-Match": f'"x", W/{tag}'})

    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["ETag"] == tag
    assert response.headers["Cache-Control"] == "public, max-age=30"


@pytest.mark.parametrize(
    ("tag", "status"),
    [(None, 428), ("", 428), ('"2"', 412), ('W/"3"', 412), ('"3"', 200), ("*", 200), ('"2", "3"', 200)],
)
def test_writes_only_what_the_caller_has_seen(call, tag, status):
    headers = {} if tag is None else {"If-Match": tag}

    response = call("/api/v1/tagged", method="PATCH", scope="wallet:write", json={}, headers=headers)

    assert response.status_code == status
    assert response.headers.get("ETag") == {200: '"4"', 412: '"3"'}.get(status)


def test_writes_what_was_read(call):
    tag = call("/api/v1/tagged").headers["ETag"]

    response = call(
        "/api/v1/tagged", method="PATCH", scope="wallet:write", json={}, headers={"If-Match": tag}
    )

    assert response.status_code == 200
    assert response.headers["Location"] == "/api/v1/tagged"


def upload(call, data, content_type="multipart/form-data"):
    return call("/api/v1/reads", method="PUT", scope="wallet:write", data=data, content_type=content_type)


def test_reads_an_upload(call):
    response = upload(call, {"file": (io.BytesIO(b"x" * 1_000), "x.png"), "alt": "Art"})

    assert response.json == {"bytes": 1_000, "alt": "Art"}


def test_points_at_what_an_upload_lacks(call):
    response = upload(call, {"color": "red"})

    pointers = {(error["pointer"], error["code"]) for error in response.json["errors"]}
    assert pointers == {("#/file", "required"), ("#/alt", "required"), ("#/color", "unknown")}


@pytest.mark.parametrize("twice", ["file", "alt"])
@pytest.mark.parametrize("is_file", [True, False])
def test_takes_each_field_of_an_upload_once(call, twice, is_file):
    form = MultiDict({"file": (io.BytesIO(b"x"), "x.png"), "alt": "Art"})
    form.add(twice, (io.BytesIO(b"y"), "y.png") if is_file else "Other")

    response = upload(call, form)

    assert (response.status_code, response.json["code"]) == (400, "malformed-request")
    assert response.json["detail"] == "The form has a field twice."


@pytest.mark.parametrize("name", ["picture", ""])
def test_refuses_a_file_by_another_name(call, name):
    response = upload(call, {"file": (io.BytesIO(b"x"), "x.png"), "alt": "Art", name: (io.BytesIO(), "y")})

    assert response.status_code == 400
    assert [(error["pointer"], error["code"]) for error in response.json["errors"]] == [
        (f"#/{name}", "unknown")
    ]


@pytest.mark.parametrize("name", ["file", "alt"])
def test_takes_a_text_for_no_file_and_a_file_for_no_text(call, name):
    form = {"file": (io.BytesIO(b"x"), "x.png"), "alt": "Art"}
    form |= {name: "Art" if name == "file" else (io.BytesIO(b"x"), "x.png")}

    response = upload(call, form)

    assert [error["pointer"] for error in response.json["errors"]] == [f"#/{name}"]


def test_refuses_an_upload_larger_than_any_image(call):
    announced = {"CONTENT_LENGTH": str(8 * 1024 * 1024 + 70_000)}

    response = call(
        "/api/v1/reads",
        method="PUT",
        scope="wallet:write",
        content_type="multipart/form-data; boundary=x",
        environ_overrides=announced,
    )

    assert (response.status_code, response.json["code"]) == (413, "content-too-large")


def test_reads_an_upload_that_does_not_fit_into_memory(call):
    head = b'--x\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n'
    alt, file = head % (b"alt", b""), head % (b"file", b'; filename="x"')
    body = alt + b"Art\r\n" + file + b"x" * 1_500_000 + b"\r\n--x--\r\n"

    assert upload(call, body, "multipart/form-data; boundary=x").json == {"bytes": 1_500_000, "alt": "Art"}


def test_takes_an_upload_in_a_form_only(call):
    assert upload(call, b"x", "image/png").status_code == 415
