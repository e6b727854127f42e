import json
import re

import pytest

from gateway.clients.testing import (
    HOODIE,
    PUBLIC,
    options,
    picture,
    product,
    variant,
)

URL = "/p/tideline-hoodie"


@pytest.fixture
def show(shop, browser):
    def get(query="", **headers):
        return browser.get(f"{URL}{query}", headers=headers).content.decode()

    return get


def checked(page):
    return re.findall(r'name="(\w+)" value="(\w+)"[^>]*checked', page)


def said(page):
    return re.search(r'data-announce="([^"]*)"', page)[1]


def structured(page):
    graph = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])["@graph"]
    return {item["@type"]: item for item in graph}


def test_begins_with_the_color_of_the_first_picture(show):
    page = show()

    assert checked(page) == [("colour", "ocean")]
    assert "choose size" in said(page)


def test_shows_a_linked_variant(show):
    page = show("?variant=OCEAN-M")

    assert checked(page) == [("colour", "ocean"), ("size", "m")]
    assert "OCEAN-M" in page
    assert said(page) == "Ocean, M: €84.50, only 3 left."


def test_says_so_when_a_linked_variant_is_gone(show):
    page = show("?variant=NO-SUCH")

    assert "not sold any more" in page
    assert checked(page) == [("colour", "ocean")]


def test_lets_one_choose_what_is_sold_out(show):
    page = show("?colour=charcoal&size=m")

    assert checked(page) == [("colour", "charcoal"), ("size", "m")]
    assert "sold out" in said(page)


def test_keeps_what_was_clicked_and_lets_the_rest_give_way(show):
    page = show("?colour=charcoal&size=s&was=colour:ocean,size:s")

    assert checked(page) == [("colour", "charcoal"), ("size", "l")]
    assert "does not come in S" in said(page)


def test_keeps_the_size_when_that_was_clicked(show):
    page = show("?colour=ocean&size=l&was=colour:ocean,size:m")

    assert checked(page) == [("colour", "charcoal"), ("size", "l")]


def test_shows_the_pictures_of_the_chosen_color_first(show):
    page = show("?colour=charcoal").partition('class="gallery"')[2]

    assert page.index("/media/products/charcoal/1280.jpg") < page.index("/media/products/ocean/1280.jpg")


@pytest.mark.parametrize("query", ["?colour=purple", "?nonsense=1", "?size=", "?variant=%00", "?was=,,:"])
def test_ignores_a_choice_that_does_not_exist(show, query):
    assert ("colour", "ocean") in checked(show(query))


def test_gives_htmx_the_product_alone_and_its_address(shop, browser):
    headers = {"HX-Request": "true", "HX-Target": "div#product"}

    answer = browser.get(f"{URL}?colour=ocean&size=s&was=colour:ocean", headers=headers)

    assert answer.content.decode().lstrip().startswith('<div class="product" id="product"')
    assert answer.headers["HX-Push-Url"] == f"{URL}?variant=OCEAN-S"


def test_leads_to_where_a_product_has_moved(shop, browser):
    answer = browser.get("/p/old-hoodie?variant=OCEAN-S")

    assert (answer.status_code, answer.headers["Location"]) == (301, f"{URL}?variant=OCEAN-S")


def test_tells_machines_of_every_variant_and_the_way(show):
    found = structured(show())

    group, way = found["ProductGroup"], found["BreadcrumbList"]
    assert group["variesBy"] == ["https://schema.org/color", "https://schema.org/size"]
    assert len(group["hasVariant"]) == 4
    assert group["hasVariant"][3]["offers"]["price"] == "89.50"
    assert [item["name"] for item in way["itemListElement"]][-1] == "Tideline Hoodie"


def test_tells_machines_of_a_product_with_one_variant(shop, show):
    one = {"product": HOODIE, "options": [], "variants": [variant("ONE", "ocean", "s", options={})]}
    shop["catalog_variant"].answer("/api/v1/variants/matrix", one, Cache_Control=PUBLIC)

    page = show()

    assert structured(page)["Product"]["offers"]["availability"] == "https://schema.org/InStock"
    assert "In stock" in page


def test_escapes_what_would_end_the_script(shop, show):
    hostile = product(title="</script><script>alert(1)</script>", media=[picture(alt='"><script>alert(1)')])
    shop["catalog_product"].answer("/api/v1/products?slug=tideline-hoodie", hostile, Cache_Control=PUBLIC)

    page = show()

    assert "<script>alert" not in page
    assert structured(page)["ProductGroup"]["name"] == "</script><script>alert(1)</script>"


def test_links_the_category_and_other_products_of_it(show):
    page = show()

    assert 'href="/c/clothing/hoodies/"' in page
    assert 'href="/p/morning-mug"' in page


def test_shows_a_product_nobody_can_buy(shop, show):
    nothing = {"product": HOODIE, "options": [], "variants": []}
    shop["catalog_variant"].answer("/api/v1/variants/matrix", nothing, Cache_Control=PUBLIC)

    page = show()

    assert "Tideline Hoodie" in page
    assert "away for a moment" not in page


def test_chooses_the_first_there_is_when_there_is_one_thing_to_choose(shop, show):
    sizes = [option for option in options() if option["code"] == "size"]
    small = variant("S", "", "s", "sold_out", options={"size": "s"})
    rows = [small, variant("M", "", "m", options={"size": "m"})]
    shop["catalog_variant"].answer(
        "/api/v1/variants/matrix", {"product": HOODIE, "options": sizes, "variants": rows}
    )

    assert checked(show()) == [("size", "m")]


def test_takes_a_variant_without_a_value_for_none(shop, show):
    rows = [variant("HALF", "ocean", "", options={"colour": "ocean"}), variant("OCEAN-S", "ocean", "s")]
    matrix = {"product": HOODIE, "options": options(), "variants": rows}
    shop["catalog_variant"].answer("/api/v1/variants/matrix", matrix, Cache_Control=PUBLIC)

    page = show("?colour=charcoal&size=l&was=colour:ocean,size:s")

    assert checked(page) == [("colour", "ocean"), ("size", "s")]


def test_says_that_nothing_of_a_product_is_for_sale(shop, show):
    nothing = {"product": HOODIE, "options": [], "variants": []}
    shop["catalog_variant"].answer("/api/v1/variants/matrix", nothing, Cache_Control=PUBLIC)

    assert "not for sale" in show()


def test_asks_to_choose_from_a_long_list_instead_of_showing_its_first(shop, show):
    many = {"code": "size", "name": "Size", "display": "pill", "values": []}
    many["values"] = [{"code": f"s{n}", "name": f"S{n}", "swatch": ""} for n in range(12)]
    rows = [variant(f"V{n}", "", "", options={"colour": "ocean", "size": f"s{n}"}) for n in range(12)]
    matrix = {"product": HOODIE, "options": [options()[0], many], "variants": rows}
    shop["catalog_variant"].answer("/api/v1/variants/matrix", matrix, Cache_Control=PUBLIC)

    assert '<option value="" selected>Choose</option>' in show()
    assert '<option value="">' not in show("?size=s3")


def test_shows_a_product_that_has_neither_brand_nor_picture_nor_category(shop, show):
    bare = product(brand=None, image=None, media=[], categories=[], primary_category=None, details=[])
    shop["catalog_product"].answer("/api/v1/products?slug=tideline-hoodie", bare, Cache_Control=PUBLIC)

    page = show()

    assert "Tideline Hoodie" in page
    assert "image" not in structured(page)["ProductGroup"]


def test_keeps_the_browser_from_filling_in_an_earlier_choice(show):
    assert 'class="picker" method="get"' in show()
    assert 'autocomplete="off"' in show().partition('class="picker"')[2].partition(">")[0]
