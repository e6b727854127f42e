"""Every page as a browser shows it, in each window, in light and dark: nothing in the console, nothing that
axe finds, and nothing wider than the window.
"""

from itertools import product

import pytest
from forms import shared_cookies
from playwright.sync_api import expect
from windows import PUBLIC_PAGES, SCHEMES, SHOPPER_PAGES, STAFF_PAGES, WINDOWS

IS_WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def faults(visitor, show):
    """What is wrong with a page, which is shown anew in each window, in light and dark."""
    found = []
    for window, scheme in product(WINDOWS, SCHEMES):
        visitor.page.set_viewport_size(WINDOWS[window])
        visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        show()
        found += [f"{window} {scheme} {violation}" for violation in visitor.violations()]
        if visitor.page.evaluate(IS_WIDER):
            found.append(f"{window} {scheme} {visitor.page.url} is wider than the window")
    return found


def faults_at(visitor, path, status=200):
    """The same of what stands at a path."""

    def show():
        assert visitor.visit(path) == status

    return faults(visitor, show)


@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_shows_everybody_a_page_without_faults(visitor, path):
    assert faults_at(visitor, path, status=404 if "nowhere" in path else 200) == []


@pytest.mark.parametrize("path", SHOPPER_PAGES)
def test_shows_a_shopper_a_page_without_faults(visitor, system, path):
    visitor.take_cookies(shared_cookies(system, "shopper"))

    assert faults_at(visitor, path, status=403 if "admin" in path else 200) == []


@pytest.mark.parametrize("path", STAFF_PAGES)
def test_shows_staff_a_page_without_faults(visitor, path):
    visitor.log_in("superuser")

    assert faults_at(visitor, path) == []


def test_shows_what_was_wrong_in_a_form_without_faults(visitor):
    page = visitor.page

    def show():
        visitor.visit("/account/login/")
        page.get_by_label("E-mail").fill("nobody@example.com")
        page.get_by_label("Password", exact=True).fill("wrong")
        page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()

    assert faults(visitor, show) == []
