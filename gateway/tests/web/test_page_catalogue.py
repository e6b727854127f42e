import gzip
import re
from uuid import UUID

import pytest
from django.db import OperationalError, connection

from gateway.clients.testing import CLOTHING, PUBLIC, banner, product

PAGES = ["/", "/c/", "/c/clothing/", "/search?q=hoodie", "/search", "/p/tideline-hoodie"]
HOSTILE = '</script><script>alert("1")</script>'


def get(browser, url, **headers):
    answer = browser.get(url, headers=headers)
    return answer, answer.content.decode()


@pytest.fixture
def fragment():
    return {"HX-Request": "true", "HX-Target": "div#results"}


@pytest.mark.parametrize("url", PAGES)
def test_shows_each_page_to_everyone_without_the_database(shop, browser, url):
    answer, page = get(browser, url)

    assert answer.status_code == 200
    assert page.count("<h1") == 1
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert not answer.cookies


@pytest.mark.parametrize("url", PAGES)
def test_has_nothing_inline_and_is_small(shop, browser, url):
    _, page = get(browser, url)

    assert not re.search(r"<style|style=|\son\w+=|<script>", page)
    assert len(gzip.compress(page.encode())) <= 20 * 1024


@pytest.mark.parametrize("url", PAGES)
def test_answers_304_when_nothing_has_changed(shop, browser, url):
    answer, _ = get(browser, url)

    again, nothing = get(browser, url, **{"If-None-Match": answer.headers["ETag"]})

    assert (again.status_code, nothing) == (304, "")


@pytest.mark.django_db
def test_lets_no_browser_keep_what_a_logged_in_person_sees(shop, browse_as, shopper):
    answer, _ = get(browse_as(shopper), "/c/clothing/")

    assert "no-store" in answer.headers["Cache-Control"]
    assert "ETag" not in answer.headers


def test_shows_banners_categories_and_products_at_home(shop, browser):
    _, page = get(browser, "/")

    assert "Dressed for the cold" in page
    assert "Tideline Hoodie" in page
    assert "€84.50" in page


@pytest.mark.parametrize("name", ["title", "subtitle"])
def test_writes_nothing_hostile_into_a_page(shop, browser, name):
    goods, banners = shop["catalog_product"], shop["banner"]
    goods.answer("/api/v1/products?slug=tideline-hoodie", product(**{name: HOSTILE}), Cache_Control=PUBLIC)
    goods.answer("/api/v1/products", {"data": [product(**{name: HOSTILE})], "next_cursor": None})
    banners.answer("/api/v1/banners", {"data": [banner(**{name: HOSTILE})]})

    pages = [get(browser, url)[1] for url in ("/", "/c/clothing/", "/p/tideline-hoodie")]

    assert [page for page in pages if "<script>alert" in page] == []


def test_shows_the_products_of_a_category(shop, browser):
    _, page = get(browser, "/c/clothing/")

    assert "Made to be worn." in page
    assert f"category={CLOTHING}" in " ".join(shop["catalog_product"].paths())
    assert '<link rel="canonical" href="http://localhost:8000/c/clothing/">' in page


def test_sorts_as_it_is_asked(shop, browser):
    get(browser, "/c/clothing/?sort=-title")

    assert "sort=-title" in " ".join(shop["catalog_product"].paths())


def test_takes_the_usual_order_for_one_that_it_does_not_know(shop, browser):
    answer, _ = get(browser, "/c/clothing/?sort=price;drop")

    assert answer.status_code == 200
    assert "sort=newest" in " ".join(shop["catalog_product"].paths())


def test_leads_on_to_the_next_page(shop, browser):
    shop["catalog_product"].answer("/api/v1/products", {"data": [product()], "next_cursor": "a.b"})

    _, page = get(browser, "/c/clothing/?sort=title")

    assert 'href="/c/clothing/?sort=title&amp;cursor=a.b"' in page


def test_begins_anew_with_a_cursor_that_is_none(shop, browser):
    shop["catalog_product"].answer("/api/v1/products", {"code": "invalid-input"}, 400)

    answer, _ = get(browser, "/c/clothing/?sort=title&cursor=x")

    assert answer.headers["Location"] == "/c/clothing/?sort=title"


def test_gives_htmx_the_results_alone(shop, browser, fragment):
    answer, page = get(browser, "/c/clothing/", **fragment)

    assert page.lstrip().startswith('<div class="results" id="results"')
    assert {"HX-Request", "HX-Target"} <= set(answer.headers["Vary"].replace(" ", "").split(","))


def test_leads_to_where_a_category_has_moved(shop, browser):
    answer, _ = get(browser, "/c/clothes/?sort=title")

    assert (answer.status_code, answer.headers["Location"]) == (301, "/c/clothing/?sort=title")


def test_takes_an_address_without_its_slash(shop, browser):
    answer, _ = get(browser, "/c/clothing")

    assert (answer.status_code, answer.headers["Location"]) == (301, "/c/clothing/")


@pytest.mark.parametrize("url", ["/c/nope/", "/c/no/such/thing/", "/p/nope", "/index.html"])
def test_says_that_there_is_nothing(shop, browser, url):
    answer, page = get(browser, url)

    assert answer.status_code == 404
    assert "<h1" in page


@pytest.mark.parametrize("url", ["/c/too-long/", "/p/too-long"])
def test_says_so_too_when_a_service_does_not_take_the_address(shop, browser, url):
    refusal = ({"code": "invalid-input"}, 400)
    shop["catalog_category"].answer("/api/v1/categories?path=too-long", *refusal)
    shop["catalog_product"].answer("/api/v1/products?slug=too-long", *refusal)

    answer, _ = get(browser, url)

    assert answer.status_code == 404


def test_finds_products_and_categories(shop, browser):
    _, page = get(browser, "/search?q=Hoodie")

    assert "Tideline Hoodie" in page
    assert 'href="/c/clothing/hoodies/"' in page
    assert '<meta name="robots" content="noindex">' in page


@pytest.mark.parametrize("q", ["", "   ", "%00", "%00%20"])
def test_asks_for_words_when_there_are_none(shop, browser, q):
    answer, _ = get(browser, f"/search?q={q}")

    assert answer.status_code == 200
    assert not any("q=" in path for path in shop["catalog_product"].paths())


def test_asks_for_no_more_words_than_the_service_takes(shop, browser):
    get(browser, f"/search?q={'x' * 5000}")

    assert f"q={'x' * 100}&" in " ".join(shop["catalog_product"].paths())


def test_keeps_no_search_in_memory(shop, browser):
    [get(browser, "/search?q=lamp") for _ in range(2)]

    assert sum("q=lamp" in path for path in shop["catalog_product"].paths()) == 2


def test_escapes_the_words_of_a_search(shop, browser):
    _, page = get(browser, "/search?q=%22%3E%3Cscript%3Ealert(1)")

    assert "<script>alert" not in page


def goods(first, count):
    rows = [
        product(id=str(UUID(int=n)), slug=f"thing-{n}", title=f"Thing {n}")
        for n in range(first, first + count)
    ]
    return {"data": rows, "next_cursor": None}


def rail_of(page, id):
    return re.findall(
        r'href="/p/(thing-\d+)"', page.partition(f'id="{id}-rail"')[2].partition("</section>")[0]
    )


def test_shows_in_the_rail_of_a_category_what_is_not_shown_above_it(shop, browser):
    listed = shop["catalog_product"]
    listed.answer("/api/v1/products?sort=newest&limit=8", goods(1, 8), Cache_Control=PUBLIC)
    listed.answer(f"/api/v1/products?category={CLOTHING}&limit=24", goods(1, 20), Cache_Control=PUBLIC)

    _, page = get(browser, "/")

    assert rail_of(page, "newest") == [f"thing-{n}" for n in range(1, 9)]
    assert rail_of(page, "rail-1") == [f"thing-{n}" for n in range(9, 17)]
    assert len(shop["catalog_variant"].asked) == 1


def test_shows_a_shop_that_is_still_empty(shop, browser):
    shop["catalog_category"].answer("/api/v1/categories/tree", {"data": []}, Cache_Control=PUBLIC)
    shop["catalog_product"].answer(
        "/api/v1/products", {"data": [], "next_cursor": None}, Cache_Control=PUBLIC
    )
    shop["banner"].answer("/api/v1/banners", {"data": []}, Cache_Control=PUBLIC)

    answers = [get(browser, url)[0] for url in ("/", "/c/", "/search?q=lamp", "/styleguide")]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert shop["catalog_variant"].asked == []


def test_shows_a_banner_without_picture_that_leads_to_another_site(shop, browser):
    elsewhere = banner(href="https://example.com/a?b=1&c=2", image=None)
    shop["banner"].answer("/api/v1/banners", {"data": [elsewhere]}, Cache_Control=PUBLIC)

    _, page = get(browser, "/")

    assert 'href="https://example.com/a?b=1&amp;c=2"' in page
    assert "<img" not in page.partition('class="banner')[2].partition("</section>")[0]


def test_takes_a_category_without_surroundings_for_nonsense(shop, browser):
    lost = {"id": CLOTHING, "name": "Lost", "slug": "lost", "path": "lost", "description": ""}
    around = {"breadcrumb": [], "children": [], "siblings": []}
    shop["catalog_category"].answer("/api/v1/categories?path=lost", lost | around, Cache_Control=PUBLIC)

    assert get(browser, "/c/lost/")[0].status_code == 503


@pytest.mark.django_db
@pytest.mark.parametrize("url", [*PAGES, "/wallet", "/staff", "/status", "/account", "/admin/gateway/"])
def test_says_that_it_will_be_back_while_its_own_database_is_away(shop, browse_as, shopper, url):
    browser = browse_as(shopper)

    with refusing():
        answer, page = get(browser, url)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "Back in a moment" in page
    assert "/account/login/" not in page


@pytest.mark.parametrize("url", [*PAGES, "/styleguide"])
def test_needs_no_database_for_whoever_is_not_logged_in(shop, browser, url):
    with refusing():
        answer, _ = get(browser, url)

    assert answer.status_code == 200


def refusing():
    def refuse(execute, *args):
        raise OperationalError("The server closed the connection unexpectedly.")

    return connection.execute_wrapper(refuse)


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "//evil.example/", "/\\evil.example/", "http://evil.example/"]
)
def test_makes_no_link_of_what_no_banner_may_lead_to(shop, browser, href):
    shop["banner"].answer("/api/v1/banners", {"data": [banner(href=href)]}, Cache_Control=PUBLIC)

    answer, page = get(browser, "/")

    assert answer.status_code == 200
    assert "Dressed for the cold" not in page


def test_takes_a_product_that_has_no_address_for_nonsense(shop, browser):
    listed = {"data": [product(slug="no/address")], "next_cursor": None}
    shop["catalog_product"].answer("/api/v1/products", listed, Cache_Control=PUBLIC)

    answer, _ = get(browser, "/")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("url", "name"), [("/p/TIDELINE-Hoodie", "catalog_product"), ("/c/CLOTHing/", "catalog_category")]
)
def test_keeps_one_copy_for_all_spellings_of_an_address(shop, browser, url, name):
    get(browser, url.lower())
    before = len(shop[name].asked)

    answer, _ = get(browser, url)

    assert answer.status_code == 200
    assert len(shop[name].asked) == before
