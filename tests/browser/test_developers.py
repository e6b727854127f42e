"""The reference in a browser: Swagger UI under the policy of all pages, and the requests that it sends."""

import pytest
from playwright.sync_api import expect
from test_api_documents import snippet
from windows import WINDOWS

# What axe finds in Swagger UI itself, whose HTML is not ours.
OF_SWAGGER_UI = {"landmark-main-is-top-level", "landmark-no-duplicate-main", "landmark-unique"}


@pytest.fixture
def reference(new_visitor):
    """Opens the reference, and waits until it is there."""

    def open_reference(**options):
        visitor = new_visitor(**options)
        visitor.visit("/developers/reference/")
        expect(visitor.page.locator(".opblock-tag")).to_have_count(6)
        return visitor

    return open_reference


@pytest.mark.parametrize(("window", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_shows_the_reference_without_faults_of_ours(reference, window, scheme):
    visitor = reference(viewport=WINDOWS[window], color_scheme=scheme)

    found = [fault for fault in visitor.violations() if fault.split()[1].rstrip(":") not in OF_SWAGGER_UI]

    assert found == []
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_sends_requests_with_a_token_that_is_pasted(reference, system):
    page = reference().page
    page.get_by_role("button", name="Authorize").click()
    page.locator(".auth-container input").fill(system.log_in("shopper")["access"])
    page.locator(".auth-btn-wrapper button[type=submit]").click()
    page.locator(".auth-btn-wrapper .btn-done").click()
    page.locator("#operations-tag-wallet").click()
    operation = page.locator("#operations-wallet-wallet")
    operation.locator(".opblock-summary-control").click()

    operation.locator(".execute").click()

    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(operation.locator(".live-responses-table")).to_contain_text("available_minor")
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_follows_the_theme_of_the_shop(reference):
    page = reference(color_scheme="light").page
    dark = "document.documentElement.classList.contains('dark-mode')"
    before = page.evaluate(dark)

    page.get_by_role("button", name="Dark").click()

    expect(page.locator("html.dark-mode")).to_have_count(1)
    assert before is False


def test_shows_first_requests_in_javascript_that_work(visitor, system):
    visitor.visit("/developers/")
    login = system.logins["shopper"]
    code = snippet(system, "javascript").replace("console.log", "printed.push")

    printed = visitor.page.evaluate(
        f"""async ([email, password]) => {{
            const printed = [], process = {{env: {{EMAIL: email, PASSWORD: password}}}};
            {{ {code} }}
            return printed;
        }}""",
        [login["email"], login["password"]],
    )

    assert printed[0][0]["currency"] == "EUR"
    assert "Tideline Hoodie" in printed[1]
