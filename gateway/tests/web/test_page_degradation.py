import time

import pytest

from gateway.clients import services
from gateway.clients.breaker import FAILURES
from gateway.clients.testing import SERVICES

LONGEST = 2.5
PUBLIC_PAGES = [
    "/",
    "/c/",
    "/c/clothing/",
    "/search?q=hoodie",
    "/p/tideline-hoodie",
    "/styleguide",
    "/p/nope",
]
FALLING = ["dead", "hang", "garbage", "wrong", "broken"]


@pytest.fixture
def fell(shop):
    def service(name, mode):
        if mode == "dead":
            shop.kill(name)
        else:
            shop[name].mode = mode

    return service


def visit(browser, url):
    began = time.monotonic()
    answer = browser.get(url)
    return answer, time.monotonic() - began


@pytest.mark.parametrize("mode", FALLING)
@pytest.mark.parametrize("name", SERVICES)
def test_shows_every_page_in_time_and_without_an_error(browser, fell, name, mode):
    fell(name, mode)

    visits = [visit(browser, url) for url in PUBLIC_PAGES]

    assert max(seconds for _, seconds in visits) < LONGEST
    assert {answer.status_code for answer, _ in visits} <= {200, 404, 503}


@pytest.mark.django_db
@pytest.mark.parametrize("mode", FALLING)
def test_shows_ones_own_pages_in_time_and_without_an_error(browse_as, make_user, fell, mode):
    browser = browse_as(make_user(("superuser",)))
    [fell(name, mode) for name in SERVICES]

    visits = [visit(browser, url) for url in ("/wallet", "/wallet/statement.csv", "/staff", "/status")]

    assert max(seconds for _, seconds in visits) < LONGEST
    assert [answer.status_code for answer, _ in visits] == [200, 503, 200, 200]


@pytest.mark.parametrize("mode", ["dead", "hang"])
def test_shows_every_page_in_time_when_all_are_away(browser, fell, mode):
    [fell(name, mode) for name in SERVICES]

    visits = [visit(browser, url) for url in PUBLIC_PAGES]

    assert max(seconds for _, seconds in visits) < LONGEST
    assert {answer.status_code for answer, _ in visits} <= {200, 503}


@pytest.mark.parametrize(
    ("name", "url", "status", "words"),
    [
        ("banner", "/", 200, "Things for every day"),
        ("banner", "/c/clothing/", 200, "Tideline Hoodie"),
        ("catalog_category", "/", 200, "Tideline Hoodie"),
        ("catalog_category", "/c/", 503, "The categories are away for a moment"),
        ("catalog_category", "/c/clothing/", 503, "Back in a moment"),
        ("catalog_category", "/p/tideline-hoodie", 200, "Tideline Hoodie"),
        ("catalog_product", "/", 200, "Dressed for the cold"),
        ("catalog_product", "/c/clothing/", 503, "The products are away for a moment"),
        ("catalog_product", "/search?q=hoodie", 503, "The products are away for a moment"),
        ("catalog_product", "/p/tideline-hoodie", 503, "Back in a moment"),
        ("catalog_variant", "/c/clothing/", 200, "Tideline Hoodie"),
        ("catalog_variant", "/p/tideline-hoodie", 200, "Colors, sizes and prices are away"),
        ("wallet", "/p/tideline-hoodie", 200, "Choose"),
    ],
)
def test_says_what_is_true(browser, fell, name, url, status, words):
    fell(name, "dead")

    answer = browser.get(url)

    assert answer.status_code == status
    assert words.lower() in answer.content.decode().lower()
    assert ("Retry-After" in answer.headers) == (status == 503)


@pytest.mark.parametrize("name", SERVICES)
def test_shows_what_it_knows_of_a_service_that_is_away(browser, shop, name):
    pages = {url: browser.get(url).content for url in PUBLIC_PAGES if "?q=" not in url}
    service = services.service(name)
    service._memory._clock = lambda: time.monotonic() + 3600
    shop[name].mode = "broken"

    again = {url: browser.get(url).content for url in pages if url != "/p/nope"}

    assert {url for url, page in again.items() if page != pages[url]} == set()


def test_shows_products_while_they_cannot_be_listed_by_category(browser, shop):
    # The product service waits for the category service, so that it seems to hang itself.
    lane = services.service("catalog_product")._lanes["catalog_category"]
    [lane.breaker.failed() for _ in range(FAILURES)]

    statuses = [browser.get(url).status_code for url in ("/c/clothing/", "/search?q=a", "/p/tideline-hoodie")]

    assert statuses == [503, 200, 200]


def test_asks_a_service_that_hangs_only_so_often(browser, shop):
    shop["catalog_variant"].mode = "hang"
    [browser.get(url) for url in ("/", "/c/clothing/", "/p/tideline-hoodie", "/styleguide")]
    [visit(browser, f"/c/clothing/?cursor={number}") for number in range(4)]

    _, seconds = visit(browser, "/p/tideline-hoodie")

    assert seconds < 0.5
