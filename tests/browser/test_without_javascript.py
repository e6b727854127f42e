"""Every flow works where no script runs."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def plain(new_visitor):
    return new_visitor(java_script_enabled=False)


def main_of(visitor):
    return visitor.page.get_by_role("main")


def test_finds_by_searching(plain):
    plain.visit("/")

    plain.page.get_by_role("banner").get_by_role("searchbox").fill("hoodie")
    plain.page.keyboard.press("Enter")

    expect(plain.page).to_have_url(re.compile(r"/search\?q=hoodie"))
    expect(main_of(plain).get_by_role("link", name="Tideline Hoodie").first).to_be_visible()


def test_sorts_a_listing(plain):
    plain.visit("/c/clothing/")

    plain.page.get_by_label("Sort by").select_option("title")
    main_of(plain).get_by_role("button", name="Sort").click()

    titles = (
        main_of(plain).locator("#page-of-cards > li h3, #page-of-cards > li .card-title").all_inner_texts()
    )
    assert len(titles) > 10
    assert titles == sorted(titles, key=str.casefold)


def test_goes_on_to_the_next_page(plain):
    plain.visit("/search?q=with")
    first = set(
        main_of(plain).locator("#page-of-cards a").evaluate_all("links => links.map(link => link.href)")
    )
    more = main_of(plain).get_by_role("link", name="Show more")

    more.click()

    second = set(
        main_of(plain).locator("#page-of-cards a").evaluate_all("links => links.map(link => link.href)")
    )
    assert second
    assert not first & second


def test_chooses_a_variant(plain):
    plain.visit("/p/tideline-hoodie")

    plain.page.get_by_role("radio", name="Charcoal").check(force=True)
    plain.page.get_by_role("radio", name="M", exact=True).check(force=True)
    main_of(plain).get_by_role("button", name="Update").click()

    expect(main_of(plain)).to_contain_text("TAM-TLH-CHARCOAL-M")
    expect(main_of(plain).locator("img").first).to_have_attribute("alt", re.compile("Charcoal"))


def test_changes_the_theme(plain):
    plain.visit("/c/")

    plain.page.get_by_role("banner").locator("summary[aria-label='Color theme']").click()
    plain.page.get_by_role("button", name="Dark").locator("visible=true").click()

    expect(plain.page).to_have_url(f"{plain.origin}/c/")
    expect(plain.page.locator("html")).to_have_attribute("data-theme", "dark")


def test_opens_a_category_from_the_menu(plain):
    plain.visit("/")

    plain.page.get_by_role("navigation", name="Categories").locator("summary", has_text="Shoes").click()
    plain.page.get_by_role("link", name="Boots").locator("visible=true").first.click()

    expect(plain.page).to_have_url(f"{plain.origin}/c/shoes/boots/")


def test_logs_in_reads_the_wallet_and_logs_out(plain):
    plain.log_in("shopper", then="/wallet")
    expect(main_of(plain)).to_contain_text("€500.00")

    plain.visit("/account")
    main_of(plain).get_by_role("button", name="Log out").click()

    plain.visit("/wallet")
    expect(plain.page).to_have_url(re.compile("/account/login/"))


def test_keeps_addresses(new_visitor):
    shopper = new_visitor(java_script_enabled=False)
    shopper.log_in("shopper-2", then="/account/addresses/")
    main = main_of(shopper)
    main.get_by_role("link", name="Add an address").click()
    for label, text in {"Name": "Ann Lee", "Street and number": "12 Harbor Row", "City": "Dublin"}.items():
        shopper.page.get_by_label(label).fill(text)
    shopper.page.get_by_label("Country").select_option("Ireland")

    main.get_by_role("button", name="Add the address").click()
    added = main.get_by_role("listitem").filter(has_text="Dublin")
    expect(added).to_contain_text("Ireland")
    added.get_by_role("button", name="Remove").click()

    expect(main.get_by_text("You have none yet.")).to_be_visible()
