"""What a shopper does: sign up, look around, choose, see the money."""

import re
import secrets

from playwright.sync_api import expect

PRODUCT = "/p/tideline-hoodie"


def choose(page, name):
    """Click what one sees of an option of the picker."""
    page.locator("label", has=page.get_by_role("radio", name=name, exact=True)).click()


def test_signs_up_looks_around_chooses_and_sees_the_wallet(visitor):
    page = visitor.page
    visitor.sign_up(f"{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(12))

    page.get_by_role("banner").get_by_role("searchbox").fill("hoodie")
    page.keyboard.press("Enter")
    page.get_by_role("main").get_by_role("link", name="Tideline Hoodie").first.click()
    choose(page, "Charcoal")
    expect(page).to_have_url(re.compile(r"colour=charcoal|variant="))
    choose(page, "M")
    expect(page).to_have_url(re.compile(r"variant=TAM-TLH-CHARCOAL-M$"))
    expect(page.get_by_role("main").get_by_text("€84.50").first).to_be_visible()

    visitor.visit("/wallet")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Wallet")
    expect(page.get_by_role("main").get_by_text("€0.00").first).to_be_visible()


def test_repaints_the_picture_with_the_color(visitor):
    visitor.visit(PRODUCT)
    picture = visitor.page.get_by_role("main").locator("img").first

    choose(visitor.page, "Charcoal")
    expect(picture).to_have_attribute("alt", re.compile("Charcoal"))
    choose(visitor.page, "Ocean")

    expect(picture).to_have_attribute("alt", re.compile("Ocean"))


def test_shows_every_entry_of_the_wallet_and_the_same_as_csv(visitor):
    visitor.log_in("shopper", then="/wallet")
    shown = visitor.page.get_by_role("main").inner_text()

    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()

    assert "Gift card" in shown
    assert "€500.00" in shown
    assert sum("Gift card" in line for line in lines) == 2


def test_is_forgotten_after_the_log_out(visitor):
    visitor.log_in("shopper", then="/wallet")
    visitor.visit("/status")
    window = visitor.context.new_page()
    window.goto(f"{visitor.origin}/account/logout/")
    window.get_by_role("main").get_by_role("button", name="Log out").click()
    expect(window).to_have_url(f"{visitor.origin}/")

    visitor.page.go_back()

    assert "Gift card" not in visitor.page.content()
    expect(visitor.page.get_by_label("Password", exact=True)).to_be_visible()


def test_shows_no_token_to_the_page(visitor):
    visitor.log_in("superuser", then="/wallet")
    for path in ("/wallet", "/staff", "/account", "/admin/wallet/"):
        visitor.visit(path)
        kept = visitor.page.evaluate(
            "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
        )
        assert not re.search(r"eyJ[\w-]+\.", visitor.page.content() + kept)
        assert "sid" not in visitor.page.evaluate("document.cookie")


def test_catches_up_with_a_choice_made_before_the_scripts(visitor):
    held = []
    visitor.page.route(re.compile(r"/shop\.[0-9a-f]+\.js$"), lambda route: held.append(route))
    visitor.page.goto(f"{visitor.origin}{PRODUCT}", wait_until="commit")

    choose(visitor.page, "Charcoal")
    for route in held:
        route.continue_()

    expect(visitor.page).to_have_url(re.compile("colour=charcoal"))
    expect(visitor.page.get_by_role("main").locator("img").first).to_have_attribute(
        "alt", re.compile("Charcoal")
    )


def test_asks_how_the_services_are_until_it_is_told_to_rest(visitor):
    page, asked = visitor.page, []
    page.clock.install()
    visitor.visit("/status")
    with page.expect_response("**/status") as answer:
        page.clock.run_for(16_000)
    # What is still under way when the clock leaps runs into its time-out.
    answer.value.finished()

    page.get_by_role("button", name="Pause").click()
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(60_000)

    expect(page.get_by_role("main")).to_contain_text("Paused.")
    assert asked == []
