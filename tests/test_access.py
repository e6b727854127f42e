"""Everybody who could ask, at every operation of every service: what docs/access.md says is what happens."""

import json
import re
import time

import access
import pytest
import requests
from access import ACTORS, ANONYMOUS, CALLER, DOCUMENT, EVERYONE, EXPIRED, MADE_UP, MISADDRESSED, PEOPLE
from forms import Form, send_form
from services import SERVICES

from chassis.testing.forge import Forge, decode
from mercato import topology

PROCESSES = {service.audience: service.process for service in SERVICES} | {"gateway": "web"}
OPERATIONS = access.written()
PAGES = access.written_pages()
AT_EDGE = [one for one in OPERATIONS if not one.is_internal]
AT_EDGE_AS = [ANONYMOUS, *PEOPLE, MISADDRESSED, EXPIRED, access.A_SERVICE]
PERSONAS = {"customer": "shopper"}
MISADDRESS = {
    "catalog_category": "wallet",
    "catalog_product": "catalog_category",
    "catalog_variant": "catalog_product",
    "banner": "catalog_variant",
    "wallet": "banner",
    "gateway": "wallet",
}
HTML = {"Accept": "text/html"}
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)


def address(operation):
    """A path as somebody asks for it who knows no id."""
    return re.sub(r"\{[^}]*\}", MADE_UP, operation.path)


def token_of(forge, actor, audience, **session):
    """What somebody shows; nothing for whoever has nothing. session: sub and sid of a log-in."""
    if actor == ANONYMOUS:
        return ""
    if actor.is_service:
        scope = " ".join(sorted(actor.scopes(audience)))
        claims = forge.service_claims(audience, f"svc:{CALLER}", scope)
        return forge.sign(claims, key=forge.service_key(CALLER))
    now = int(time.time())
    login = now - (901 if actor.is_stale else 0)
    begin = now - (86_400 if actor == EXPIRED else 0)
    return forge.mint(
        MISADDRESS[audience] if actor == MISADDRESSED else audience,
        scope=" ".join(sorted(actor.scopes(audience))),
        roles=list(actor.roles),
        amr=list(actor.amr),
        auth_time=min(login, begin),
        iat=begin,
        nbf=begin,
        exp=begin + 120,
        **session,
    )


def said(answer):
    """Let in or not: what a request comes to after that is not the matter here."""
    if answer.status_code == 404 and answer.request.path_url == "/internal/token":
        return access.HIDDEN
    return str(answer.status_code) if answer.status_code in {401, 403} else access.YES


@pytest.fixture(scope="module")
def forge(own_system):
    return Forge(own_system.keys_dir, issuer=own_system.origin)


@pytest.mark.case("K2", "K5", "K6", "B8", "B11")
@each_operation
def test_lets_in_whom_the_table_says_and_nobody_else(operation, own_system, forge, sessions):
    base = own_system.url_of(PROCESSES[operation.service])

    answers = {
        actor.name: said(
            own_system.http.request(
                operation.method,
                f"{base}{address(operation)}",
                headers=headers_with(
                    token_of(forge, actor, operation.service, **sessions.get(actor.group, {}))
                ),
                timeout=10,
                allow_redirects=False,
            )
        )
        for actor in ACTORS
    }

    assert answers == {actor.name: access.outcome(operation, actor) for actor in ACTORS}


@pytest.mark.case("K2", "K5", "B11")
@pytest.mark.parametrize("operation", AT_EDGE, ids=str)
def test_lets_in_the_same_through_the_edge(operation, own_system, forge, login_tokens):
    answers = {
        actor.name: said(
            own_system.request(
                operation.method,
                address(operation),
                token=login_tokens.get(actor.name) or token_of(forge, actor, "gateway"),
                allow_redirects=False,
            )
        )
        for actor in AT_EDGE_AS
    }

    assert answers == {actor.name: access.outcome_at_edge(operation, actor) for actor in AT_EDGE_AS}


@pytest.fixture(scope="module")
def login_tokens(own_system):
    personas = {actor.name: PERSONAS.get(actor.name, actor.name) for actor in PEOPLE}
    return {name: own_system.log_in(persona)["access"] for name, persona in personas.items()}


@pytest.fixture(scope="module")
def sessions(login_tokens):
    """Sub and sid of everybody's log-in: the gateway looks them up."""
    claims = {name: json.loads(decode(token.split(".")[1])) for name, token in login_tokens.items()}
    return {name: {"sub": said["sub"], "sid": said["sid"]} for name, said in claims.items()}


def headers_with(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


def test_is_written_down_as_it_is():
    assert access.render(list(access.operations())) == DOCUMENT.read_text(), "run tests/access.py"


def test_knows_the_operations_of_every_service():
    assert {one.service for one in OPERATIONS} == {service.name for service in topology.SERVICES}


@pytest.mark.case("K2")
@each_operation
def test_answers_no_method_that_is_not_in_the_table(operation, own_system, forge):
    base = own_system.url_of(PROCESSES[operation.service])
    known = {one.method for one in OPERATIONS if one.path == operation.path}
    superuser = next(actor for actor in ACTORS if actor.name == "superuser")
    token = token_of(forge, superuser, operation.service)

    answers = {
        method: own_system.http.request(
            method, f"{base}{address(operation)}", headers=headers_with(token), timeout=10
        ).status_code
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - known
    }

    assert set(answers.values()) <= ({403, 404, 405} if operation.is_internal else {404, 405})


@pytest.fixture(scope="module")
def stranger(own_system):
    """A browser in which nobody is logged in, with what its forms carry."""
    browser = requests.Session()
    page = browser.get(f"{own_system.origin}/account/login/", headers=HTML, timeout=10)
    browser.headers.update(HTML | {"Origin": own_system.origin, "Sec-Fetch-Site": "same-origin"})
    return browser, Form(page.text, "/account/login/").fields


@pytest.mark.case("K2")
@pytest.mark.parametrize("page", [one for one in PAGES if one.asked != EVERYONE], ids=str)
def test_leads_a_stranger_to_the_log_in(page, own_system, stranger):
    browser, fields = stranger
    form = fields if page.method == "POST" else None

    answer = browser.request(
        page.method, f"{own_system.origin}{address(page)}", data=form, allow_redirects=False, timeout=10
    )

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/login/?next=")


@pytest.mark.parametrize("page", [one for one in PAGES if one.asked == EVERYONE], ids=str)
def test_lets_a_stranger_in_where_everyone_may_be(page, own_system, stranger):
    browser, fields = stranger
    form = fields if page.method == "POST" else None

    answer = browser.request(
        page.method, f"{own_system.origin}{address(page)}", data=form, allow_redirects=False, timeout=10
    )

    assert answer.status_code not in {401, 403}


@pytest.mark.case("K2")
def test_shows_the_page_of_staff_to_no_customer(own_system, customer):
    assert customer.get(f"{own_system.origin}/staff", headers=HTML, timeout=10).status_code == 403


@pytest.fixture(scope="module")
def customer(own_system):
    known = own_system.logins["shopper"]
    browser = requests.Session()
    send_form(browser, own_system.origin, "/account/login/", login=known["email"], password=known["password"])
    return browser
