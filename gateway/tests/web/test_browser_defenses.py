"""What another site, another tab or a look at the page cannot do (attacks H)."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db

OWN_PAGES = [
    "/account",
    "/account/security/",
    "/account/security/app/",
    "/account/passkeys/add/",
    "/account/sessions/",
    "/account/reauthenticate/",
    "/account/password/change/",
    "/account/logout/",
]
OTHERS = [
    "http://evil.example",
    "null",
    "http://localhost:8000.evil.example",
    "http://evil-localhost:8000",
    "http://sub.localhost:8000",
    "https://localhost:8000",
]


@pytest.fixture
def strict(shopper):
    """The shopper's browser at a server that asks for the token of each form."""
    client = Client(enforce_csrf_checks=True, headers={"Accept": "text/html"})
    client.force_login(shopper)
    return client


def token_of(browser):
    page = browser.get("/account/logout/").content.decode()
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]


def is_logged_in(browser):
    return browser.get("/account/password/change/").status_code == 200


@pytest.mark.case("H2")
@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/octet-stream"])
def test_takes_no_form_in_another_disguise(strict, kind):
    body = f'{{"csrfmiddlewaretoken": "{token_of(strict)}"}}'

    answer = strict.post("/account/logout/", body, content_type=kind)

    assert answer.status_code == 403
    assert is_logged_in(strict)


@pytest.mark.case("H2")
@pytest.mark.parametrize("origin", OTHERS)
def test_takes_no_token_that_a_neighboring_site_has_planted(strict, origin):
    planted = "a" * 32
    strict.cookies["csrftoken"] = planted

    answer = strict.post("/account/logout/", {"csrfmiddlewaretoken": planted}, headers={"Origin": origin})

    assert answer.status_code == 403
    assert is_logged_in(strict)


@pytest.mark.case("H2")
def test_takes_no_form_without_origin_and_token(strict):
    assert strict.post("/account/logout/").status_code == 403
    assert is_logged_in(strict)


@pytest.mark.case("H2")
def test_logs_nobody_in_by_a_form_of_another_site(browser, shopper, password):
    form = {"login": shopper.email, "password": password}

    answer = browser.post("/account/login/", form, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert not is_logged_in(browser)


@pytest.mark.case("H3")
@pytest.mark.parametrize("origin", OTHERS)
@pytest.mark.parametrize("path", ["/account", "/account/login/", "/api/v1/auth/login", "/wallet"])
def test_lets_no_other_origin_read(browse_as, shopper, path, origin):
    answer = browse_as(shopper).options(
        path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
    )

    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.case("H5")
@pytest.mark.parametrize("path", OWN_PAGES)
def test_shows_neither_token_nor_key(browse_as, shopper, cookie_of, path):
    browser = browse_as(shopper)

    page = browser.get(path).content.decode()

    assert "eyJ" not in page
    assert cookie_of(browser) not in page


@pytest.mark.case("H5")
def test_keeps_nothing_where_scripts_could_read_it():
    scripts = list((Path(settings.BASE_DIR) / "static").rglob("*.js"))

    assert scripts
    assert [
        path
        for path in scripts
        if re.search(r"localStorage|sessionStorage|document\.cookie", path.read_text())
    ] == []


@pytest.mark.case("H6")
@pytest.mark.parametrize("path", OWN_PAGES)
def test_lets_nobody_go_back_to_a_page_after_the_log_out(browse_as, shopper, path):
    browser = browse_as(shopper)
    before = browser.get(path)

    browser.post("/account/logout/")

    assert "no-store" in before.headers["Cache-Control"]
    assert "Cookie" in before.headers["Vary"]
    assert browser.get(path).status_code in {200, 302}
    assert shopper.email not in browser.get(path).content.decode()


@pytest.mark.case("H7")
@pytest.mark.parametrize("path", [*OWN_PAGES, "/account/login/", "/account/nowhere/"])
def test_can_neither_be_framed_nor_run_what_was_slipped_in(browse_as, shopper, path):
    headers = browse_as(shopper).get(path).headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
