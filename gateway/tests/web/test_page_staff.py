import re

import pytest

from gateway.clients import services

pytestmark = pytest.mark.django_db


def tiles(answer):
    return re.findall(r'<a href="(/admin/\w+/)">', answer.content.decode())


@pytest.fixture
def as_staff(shop, browse_as, make_user):
    return lambda *groups: browse_as(make_user(groups)).get("/staff")


def test_sends_whoever_is_not_logged_in_to_log_in(shop, browser):
    assert browser.get("/staff").headers["Location"] == "/account/login/?next=/staff"


def test_is_closed_to_customers(shop, browse_as, shopper):
    assert browse_as(shopper).get("/staff").status_code == 403


@pytest.mark.parametrize(
    ("group", "urls"),
    [
        ("catalogue-editor", ["/admin/categories/", "/admin/products/"]),
        ("stock-keeper", ["/admin/variants/"]),
        ("marketing", ["/admin/banners/"]),
        ("finance", ["/admin/wallet/"]),
        ("support", []),
    ],
)
def test_shows_what_a_role_opens_and_nothing_else(as_staff, group, urls):
    assert tiles(as_staff(group)) == urls


def test_shows_everything_to_a_superuser(as_staff):
    names = ("gateway", "wallet", "categories", "products", "variants", "banners")

    assert tiles(as_staff("superuser")) == [f"/admin/{name}/" for name in names]


def test_shows_figures_of_the_live_services(as_staff):
    page = as_staff("superuser").content.decode()

    assert "Adds up" in page
    assert "<dt>Low in stock</dt><dd>2</dd>" in page
    assert "<dt>Drafts</dt><dd>2</dd>" in page


@pytest.mark.parametrize(
    "name", ["wallet", "catalog_category", "catalog_product", "catalog_variant", "banner"]
)
def test_loses_one_tile_with_one_service(shop, as_staff, name):
    shop.kill(name)

    answer = as_staff("superuser")

    assert answer.status_code == 200
    assert len(tiles(answer)) == 6
    assert answer.content.decode().count('<span class="dot"></span>Away') == 1


def test_asks_the_database_for_the_session_the_user_and_their_number(
    shop, browse_as, make_user, django_assert_num_queries
):
    browser = browse_as(make_user(("superuser",)))

    with django_assert_num_queries(4):
        browser.get("/staff")


def test_keeps_slow_figures_apart_from_what_customers_ask(shop, as_staff):
    as_staff("finance")

    lanes = services.service("wallet")._lanes
    assert set(lanes) == {"", "staff"}
