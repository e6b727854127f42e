"""One log-in opens every admin that one's role has, and a real browser finds nothing to complain of there."""

import re
import secrets
import subprocess
from urllib.parse import urljoin, urlsplit

import pytest
from forms import log_in_by_form
from playwright.sync_api import expect
from windows import ADMINS

MOST_PAGES = 30
ID = re.compile(r"(?<=/)(\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)|(?<==)[^&]+")

each_admin = pytest.mark.parametrize("admin", ADMINS)


def links_of(visitor, prefix):
    """The addresses below a prefix that the page leads to, without what ends the visit."""
    hrefs = visitor.page.eval_on_selector_all(
        "a[href]", "links => links.map(link => link.getAttribute('href'))"
    )
    targets = {urljoin(visitor.page.url, href).partition("#")[0] for href in hrefs}
    paths = {target.removeprefix(visitor.origin) for target in targets if target.startswith(visitor.origin)}
    return {path for path in paths if path.startswith(prefix) and "logout" not in path}


def shape_of(path):
    """Pages that differ by an id or a value of a filter alone are one page."""
    return ID.sub("*", path)


def walk(visitor, prefix):
    """Open one page of every shape below a prefix; the statuses by path."""
    waiting, seen, statuses = {prefix}, set(), {}
    while waiting and len(statuses) < MOST_PAGES:
        path = min(waiting)
        waiting.discard(path)
        if shape_of(path) in seen:
            continue
        seen.add(shape_of(path))
        statuses[path] = visitor.visit(path)
        waiting |= links_of(visitor, prefix)
    return statuses


@each_admin
def test_opens_every_page_of_an_admin(visitor, admin):
    visitor.log_in(ADMINS[admin], then=f"/admin/{admin}/")

    statuses = walk(visitor, f"/admin/{admin}/")

    assert len(statuses) > 3
    assert {path: status for path, status in statuses.items() if status != 200} == {}


@each_admin
def test_leads_there_from_the_staff_home(visitor, admin):
    visitor.log_in(ADMINS[admin], then="/staff")

    visitor.page.get_by_role("main").locator(f"a[href='/admin/{admin}/']").first.click()

    expect(visitor.page).to_have_url(re.compile(f"^{visitor.origin}/admin/{admin}/"))


@each_admin
def test_asks_whoever_is_nobody_to_log_in(visitor, admin):
    visitor.visit(f"/admin/{admin}/?all=1")

    assert urlsplit(visitor.page.url).path == "/account/login/"
    expect(visitor.page.get_by_label("Password", exact=True)).to_be_visible()


@each_admin
def test_refuses_a_shopper(visitor, admin):
    visitor.log_in("shopper")

    assert visitor.visit(f"/admin/{admin}/") == 403


@each_admin
def test_refuses_staff_of_other_admins(visitor, admin):
    visitor.log_in("support")

    assert visitor.visit(f"/admin/{admin}/") == 403


def test_ends_in_every_admin_with_one_log_out(visitor):
    visitor.log_in("superuser", then="/admin/wallet/")
    opened = {admin: visitor.visit(f"/admin/{admin}/") for admin in ADMINS}

    visitor.visit("/account/logout/")
    visitor.page.get_by_role("main").get_by_role("button", name="Log out").click()
    for admin in ADMINS:
        visitor.visit(f"/admin/{admin}/")
        expect(visitor.page).to_have_url(re.compile("/account/login/"))

    assert set(opened.values()) == {200}


def test_saves_a_form_and_names_who_did(visitor, system):
    visitor.log_in("catalogue-editor", then="/admin/categories/")
    visitor.page.get_by_role("link", name="Categories", exact=True).last.click()
    visitor.page.locator("#result_list tbody th a").first.click()

    visitor.page.locator("[name=description]").fill("Changed in the admin.")
    visitor.page.get_by_role("button", name="Save and continue editing").click()
    expect(visitor.page.locator(".messagelist .success")).to_be_visible()
    visitor.page.get_by_role("link", name="History").click()

    expect(visitor.page.get_by_role("main")).to_contain_text(system.logins["catalogue-editor"]["sub"])


def let_log_in_be_long_ago(system, key):
    """The clock cannot be turned, so the session is."""
    lines = (
        "from gateway.accounts.session_store import SessionStore",
        f"store = SessionStore({key!r})",
        "store['auth_time'] -= 1000",
        "store.save()",
    )
    command = [system.command, "manage", "gateway", "shell", "--command", "\n".join(lines)]
    subprocess.run(command, env=system.env, check=True, capture_output=True)


def test_asks_for_a_recent_log_in_before_a_write_and_loses_nothing(visitor, system):
    with log_in_by_form(system, "stock-keeper") as session:  # Not the one that others use.
        visitor.take_cookies(session.cookies)
        key = session.cookies["sid"]
    visitor.visit("/admin/variants/catalog_variant/option/")
    visitor.page.locator("#result_list tbody th a").first.click()
    label = f"Told twice {secrets.token_hex(4)}"
    visitor.page.locator("[name=name]").fill(label)
    let_log_in_be_long_ago(system, key)

    visitor.page.get_by_role("button", name="Save and continue editing").click()
    expect(visitor.page.get_by_role("heading")).to_have_text("Please confirm that it is you")
    expect(visitor.page.get_by_role("main")).to_contain_text("Nothing was saved")
    with visitor.context.expect_page() as opened:
        visitor.page.get_by_role("link", name="Confirm in a new tab").click()
    opened.value.get_by_label("Password", exact=True).fill(system.logins["stock-keeper"]["password"])
    opened.value.get_by_role("main").get_by_role("button", name="Go on", exact=True).click()
    expect(opened.value).to_have_url(f"{visitor.origin}/staff")
    visitor.page.reload()

    expect(visitor.page.locator(".messagelist .success")).to_be_visible()
    expect(visitor.page.locator("[name=name]")).to_have_value(label)


def test_keeps_no_session_at_any_service(visitor, system):
    visitor.log_in("superuser", then="/admin/wallet/")
    for admin in ADMINS:
        visitor.visit(f"/admin/{admin}/")

    cookies = {cookie["name"]: cookie["path"] for cookie in visitor.context.cookies()}

    assert {name for name in cookies if "session" in name} == set()
    assert cookies["sid"] == "/"
    assert all(path.startswith("/admin/") for name, path in cookies.items() if "_" in name)
