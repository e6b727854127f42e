"""Somebody without a mouse gets everywhere, and sees where they are."""

import re

from playwright.sync_api import expect

FOCUSED = """() => {
    const element = document.activeElement;
    const box = element.getBoundingClientRect();
    const shown = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20));
    return {
        name: element.getAttribute("aria-label") || element.innerText || element.value || element.name || "",
        isSeen: box.width > 0
            && (element.contains(shown) || shown?.contains(element) || element.matches("input")),
        isMarked: element.matches("main, body") || [null, "::after"].some(
            (part) => getComputedStyle(element, part).outlineStyle !== "none"),
    };
}"""


def press_until(visitor, wanted, most=120):
    """Press Tab until something has the focus; every stop on the way must be in sight and marked."""
    hidden = []
    for _ in range(most):
        visitor.page.keyboard.press("Tab")
        stop = visitor.page.evaluate(FOCUSED)
        if not (stop["isSeen"] and stop["isMarked"]):
            hidden.append(stop)
        if re.search(wanted, stop["name"]):
            assert hidden == []
            return
    raise AssertionError(f"no stop is called {wanted}")


def test_skips_to_the_content(visitor):
    visitor.visit("/c/clothing/")

    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")

    assert visitor.page.evaluate("document.activeElement.id") == "main"


def test_searches_opens_a_product_and_chooses(visitor):
    page = visitor.page
    visitor.visit("/")
    press_until(visitor, "^Search the shop$")
    page.keyboard.type("hoodie")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=hoodie"))
    press_until(visitor, "Tideline Hoodie")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tideline Hoodie")

    page.get_by_role("radio", name="Ocean").focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("charcoal", re.IGNORECASE))
    expect(page.get_by_role("radio", name="Charcoal")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")

    expect(page).to_have_url(re.compile(r"variant=TAM-TLH-CHARCOAL-"))
    expect(page.locator("#announcer")).to_contain_text("Charcoal")


def test_opens_and_closes_the_menus(visitor):
    page = visitor.page
    visitor.visit("/")
    press_until(visitor, "^Shoes")

    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Boots").locator("visible=true").first).to_be_visible()
    page.keyboard.press("Escape")

    assert page.get_by_role("link", name="Boots").locator("visible=true").count() == 0
    assert page.evaluate("document.activeElement.innerText") == "Shoes"


def test_logs_in(visitor, system):
    page, known = visitor.page, system.logins["shopper"]
    visitor.visit("/account/login/")
    page.get_by_label("E-mail").focus()

    page.keyboard.type(known["email"])
    page.keyboard.press("Tab")
    page.keyboard.type(known["password"])
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{visitor.origin}/")
