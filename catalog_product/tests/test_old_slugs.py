import json

import pytest

from catalog_product.models import SlugHistory

pytestmark = pytest.mark.django_db
URL = "/api/v1/products"


def rename(client, product, slug):
    url, body = f"{URL}/{product.public_id}", json.dumps({"slug": slug})
    return client.patch(url, body, content_type="application/json", headers={"If-Match": "*"})


def test_leads_from_an_old_slug_to_the_present_one(anonymous, editor, make_product):
    product = make_product("first")
    rename(editor, product, "second")
    rename(editor, product, "third")

    response = anonymous.get(URL, {"slug": "FIRST"})

    assert (response.status_code, response["Location"]) == (301, f"{URL}?slug=third")
    assert response["Cache-Control"] == "public, max-age=30, stale-while-revalidate=300"
    assert anonymous.get(URL, {"slug": "third"}).status_code == 200


def test_may_have_an_old_slug_again(anonymous, editor, make_product):
    product = make_product("first")
    rename(editor, product, "second")
    rename(editor, product, "first")

    assert anonymous.get(URL, {"slug": "first"}).status_code == 200
    assert anonymous.get(URL, {"slug": "second"})["Location"] == f"{URL}?slug=first"


def test_gives_an_old_slug_to_who_wants_it_now(anonymous, editor, make_product):
    rename(editor, make_product("shoe"), "old-shoe")

    taken = make_product("SHOE")

    assert anonymous.get(URL, {"slug": "shoe"}).json()["id"] == str(taken.public_id)
    assert not SlugHistory.objects.exists()


def test_remembers_no_change_of_case(editor, make_product):
    rename(editor, make_product("shoe"), "SHOE")

    assert not SlugHistory.objects.exists()


def test_tells_nobody_that_a_hidden_product_had_a_slug(anonymous, customer, editor, make_product):
    rename(editor, make_product("first", status="draft"), "second")

    assert anonymous.get(URL, {"slug": "first"}).status_code == 404
    assert customer.get(URL, {"slug": "first"}).status_code == 404
    response = editor.get(URL, {"slug": "first"})
    assert (response.status_code, response["Cache-Control"]) == (301, "no-store")


def test_asks_two_queries(anonymous, editor, make_product, django_assert_num_queries):
    rename(editor, make_product("first"), "second")

    with django_assert_num_queries(2):
        anonymous.get(URL, {"slug": "first"})
