"""Every page as a browser shows it: nothing in the console, and nothing that axe finds, in light and dark."""

import pytest
from playwright.sync_api import expect
from windows import PUBLIC_PAGES, SCHEMES, SHOPPER_PAGES, STAFF_PAGES, WINDOWS

each_window = pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)


@pytest.fixture
def find_violations():
    """What axe finds wrong with a page, in light and dark."""

    def find(visitor, path, status=200):
        found = []
        for scheme in SCHEMES:
            visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert visitor.visit(path) == status
            found += [f"{scheme} {violation}" for violation in visitor.violations()]
        return found

    return find


@each_window
@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_shows_everybody_a_page_without_faults(new_visitor, find_violations, window, path):
    visitor = new_visitor(viewport=window)

    assert find_violations(visitor, path, status=404 if "nowhere" in path else 200) == []


@each_window
@pytest.mark.parametrize("path", SHOPPER_PAGES)
def test_shows_a_shopper_a_page_without_faults(new_visitor, find_violations, window, path):
    visitor = new_visitor(viewport=window)
    visitor.log_in("shopper")

    assert find_violations(visitor, path, status=403 if "admin" in path else 200) == []


@each_window
@pytest.mark.parametrize("path", STAFF_PAGES)
def test_shows_staff_a_page_without_faults(new_visitor, find_violations, window, path):
    visitor = new_visitor(viewport=window)
    visitor.log_in("superuser")

    assert find_violations(visitor, path) == []


@each_window
@pytest.mark.parametrize("scheme", SCHEMES)
def test_shows_what_was_wrong_in_a_form_without_faults(new_visitor, window, scheme):
    visitor = new_visitor(viewport=window, color_scheme=scheme)
    visitor.visit("/account/login/")
    visitor.page.get_by_label("E-mail").fill("nobody@example.com")
    visitor.page.get_by_label("Password", exact=True).fill("wrong")

    visitor.page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()

    expect(visitor.page.get_by_role("alert")).to_be_visible()
    assert visitor.violations() == []


@each_window
def test_fits_into_the_window(new_visitor, window):
    visitor = new_visitor(viewport=window)
    wider = []

    for path in PUBLIC_PAGES:
        visitor.visit(path)
        if visitor.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        ):
            wider.append(path)

    assert wider == []
