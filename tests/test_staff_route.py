"""The admins of the services behind the edge: by the gateway's log-in alone, and only for whom they are."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from forms import log_in_by_form

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PERSONAS = ("shopper", "catalogue-editor", "stock-keeper", "marketing", "finance", "support", "superuser")


@dataclass(frozen=True)
class Admin:
    """The admin of a service, whose staff it is, and a list in it."""

    audience: str
    path: str
    persona: str
    list: str

    @property
    def allowed(self) -> frozenset[str]:
        return frozenset({self.persona, "superuser"})


ADMINS = (
    Admin("wallet", "/admin/wallet/", "finance", "wallet/transfer/"),
    Admin("catalog_category", "/admin/categories/", "catalogue-editor", "catalog_category/category/"),
    Admin("catalog_product", "/admin/products/", "catalogue-editor", "catalog_product/brand/"),
    Admin("catalog_variant", "/admin/variants/", "stock-keeper", "catalog_variant/stockmovement/"),
    Admin("banner", "/admin/banners/", "marketing", "banner/"),
)
BRANDS = "/admin/products/catalog_product/brand/"
each_admin = pytest.mark.parametrize("admin", ADMINS, ids=lambda admin: admin.audience)


def token_in(page):
    return re.search(r'name="(?:csrfmiddlewaretoken|csrf_token)"[^>]*value="([^"]+)"', page)[1]


def log_in(system, persona):
    """A browser, as far as cookies go, in which somebody has logged in with the form."""
    browser = log_in_by_form(system, persona)
    browser.headers.update(HTML)
    return browser


@pytest.fixture(scope="module")
def browsers(system):
    opened = {persona: log_in(system, persona) for persona in PERSONAS}
    yield opened
    for browser in opened.values():
        browser.close()


@pytest.fixture
def visitor():
    with requests.Session() as browser:
        browser.headers.update(HTML)
        yield browser


def asked(system):
    """How often the edge has asked the web for a token, by outcome."""
    text = requests.get(f"http://127.0.0.1:{system.metrics_ports['edge']}/metrics", timeout=10).text
    return re.findall(r"^mercato_edge_asks_total.*$", text, re.MULTILINE)


@each_admin
@pytest.mark.parametrize("persona", PERSONAS)
def test_lets_in_whose_it_is_and_nobody_else(system, browsers, admin, persona):
    answer = browsers[persona].get(f"{system.origin}{admin.path}{admin.list}", timeout=10)

    assert answer.status_code == (200 if persona in admin.allowed else 403)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "no-store" in answer.headers["Cache-Control"]


@each_admin
def test_has_a_policy_without_anything_inline(system, browsers, admin):
    answer = browsers[admin.persona].get(f"{system.origin}{admin.path}{admin.list}", timeout=10)

    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(
        policy.split("; ")
    )


@each_admin
def test_sets_its_own_two_cookies_alone(system, browsers, admin):
    browser = browsers[admin.persona]
    browser.get(f"{system.origin}{admin.path}{admin.list}", timeout=10)

    set_there = {(cookie.name, cookie.path) for cookie in browser.cookies if "/admin" in cookie.path}
    allowed = {(f"{one.audience}_{kind}", one.path) for one in ADMINS for kind in ("csrftoken", "messages")}
    assert set_there <= allowed


@each_admin
def test_serves_its_static_files_below_itself(system, browsers, admin):
    browser = browsers[admin.persona]
    page = browser.get(f"{system.origin}{admin.path}{admin.list}", timeout=10).text
    linked = re.findall(r'<(?:link|script)\b[^>]*(?:href|src)="([^"]+)"', page)

    assert linked
    assert [url for url in linked if not url.startswith(admin.path)] == []
    assert {browser.get(f"{system.origin}{url}", timeout=10).status_code for url in linked} == {200}


@each_admin
def test_leads_a_visitor_to_the_log_in_and_back(system, visitor, admin):
    wanted = f"{admin.path}{admin.list}?q=a%26b&next=//evil.example"

    answer = visitor.get(f"{system.origin}{wanted}", allow_redirects=False, timeout=10)

    target = urlsplit(answer.headers["Location"])
    assert (answer.status_code, target.netloc, target.path) == (302, "", "/account/login/")
    assert parse_qs(target.query) == {"next": [wanted]}


@each_admin
def test_tells_a_program_that_nobody_is_logged_in(system, admin):
    answer = system.request("GET", admin.path, headers={"Accept": "*/*"})

    assert (answer.status_code, answer.json()["code"]) == (401, "authentication-required")


@each_admin
def test_takes_no_bearer(system, admin):
    bearer = system.log_in("superuser")["access"]
    before = asked(system)

    answer = system.request("GET", admin.path, token=bearer, headers={"Accept": "*/*"})

    assert answer.status_code == 401
    assert asked(system) == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "{origin}", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@each_admin
def test_refuses_a_form_of_another_site_and_mints_nothing(system, browsers, admin, headers):
    headers = {name: value.format(origin=system.origin) for name, value in headers.items()}
    before = asked(system)

    answer = browsers[admin.persona].post(f"{system.origin}{admin.path}", headers=headers, timeout=10)

    assert answer.status_code == 403
    assert asked(system) == before


@pytest.mark.parametrize("token", ["", "a" * 64])
def test_the_service_itself_refuses_a_form_without_its_token(system, browsers, token):
    browser = browsers["catalogue-editor"]
    browser.get(f"{system.origin}{BRANDS}add/", timeout=10)
    form = {"name": "Forged", "slug": "forged", "csrfmiddlewaretoken": token}

    answer = browser.post(
        f"{system.origin}{BRANDS}add/", data=form, headers={"Origin": system.origin}, timeout=10
    )

    assert answer.status_code == 403
    assert system.request("GET", "/api/v1/brands?q=forged&limit=100").text.count("Forged") == 0


def test_saves_a_form_and_says_so_and_who_it_was(system, browsers):
    browser, add = browsers["catalogue-editor"], f"{system.origin}{BRANDS}add/"
    form = {"name": "Staffed", "slug": "staffed", "description": "", "_continue": "1"}
    form["csrfmiddlewaretoken"] = token_in(browser.get(add, timeout=10).text)

    saved = browser.post(add, data=form, headers={"Origin": system.origin}, timeout=10)
    history = browser.get(saved.url.replace("/change/", "/history/"), timeout=10)

    assert "was added successfully" in saved.text
    assert system.logins["catalogue-editor"]["sub"] in history.text


def test_logging_out_is_at_once_everywhere(system):
    browser = log_in(system, "superuser")
    url = f"{system.origin}/account/logout/"
    before = {browser.get(f"{system.origin}{admin.path}", timeout=10).status_code for admin in ADMINS}
    stolen = browser.cookies.copy()
    form = {"csrfmiddlewaretoken": token_in(browser.get(url, timeout=10).text)}
    browser.post(url, data=form, headers={"Origin": system.origin}, timeout=10)

    after = {
        requests.get(
            f"{system.origin}{admin.path}", cookies=stolen, headers={"Accept": "*/*"}, timeout=10
        ).status_code
        for admin in ADMINS
    }

    assert (before, after) == ({200}, {401})


@pytest.mark.parametrize("admin", ADMINS[:-1], ids=lambda admin: admin.audience)
def test_the_log_out_of_an_admin_leads_to_the_gateway(system, browsers, admin):
    browser = browsers[admin.persona]
    form = {"csrfmiddlewaretoken": token_in(browser.get(f"{system.origin}{admin.path}", timeout=10).text)}

    answer = browser.post(
        f"{system.origin}{admin.path}logout/",
        data=form,
        headers={"Origin": system.origin},
        allow_redirects=False,
        timeout=10,
    )

    assert (answer.status_code, answer.headers["Location"]) == (302, "/account/logout/")
