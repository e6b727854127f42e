import json
import socket
import time
from uuid import UUID

import pytest

from catalog_product import queries

pytestmark = pytest.mark.django_db
URL = "/api/v1/products"
CACHE = "public, max-age=30, stale-while-revalidate=300"
CATEGORY = "01999999-0000-7000-8000-000000000000"
BELOW = "01999999-0000-7000-8000-000000000001"


def slugs(response):
    return [row["slug"] for row in response.json()["data"]]


def time_of(moment):
    return moment.isoformat().replace("+00:00", "Z")


def test_lists_what_is_published_to_anybody(anonymous, make_brand, make_product, add_media, category_service):
    brand = make_brand("Alder")
    product = make_product("shoe", brand=brand.public_id, categories=[CATEGORY], subtitle="Light")
    image = add_media(product)
    add_media(product, "red")

    response = anonymous.get(URL)

    product.refresh_from_db()
    (row,) = response.json()["data"]
    assert response.status_code == 200
    assert row.pop("image")["id"] == str(image.public_id)
    assert row == {
        "id": str(product.public_id),
        "title": "Shoe",
        "slug": "shoe",
        "subtitle": "Light",
        "status": "published",
        "brand": {"id": str(brand.public_id), "name": "Alder", "slug": brand.slug},
        "categories": [CATEGORY],
        "primary_category": CATEGORY,
        "published_at": time_of(product.published_at),
        "created_at": time_of(product.created_at),
        "updated_at": time_of(product.updated_at),
    }


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_hides_what_is_not_published(anonymous, customer, make_product, category_service, status):
    hidden = make_product("hidden", status=status, categories=[CATEGORY])
    make_product("shown", categories=[CATEGORY])

    assert slugs(anonymous.get(URL)) == ["shown"]
    assert slugs(customer.get(URL)) == ["shown"]
    assert slugs(anonymous.get(URL, {"category": CATEGORY})) == ["shown"]
    assert slugs(anonymous.get(URL, {"ids": hidden.public_id})) == []


def test_shows_drafts_to_who_may_read_them(editor, make_product):
    make_product("draft", status="draft")

    response = editor.get(URL)

    assert slugs(response) == ["draft"]
    assert response["Cache-Control"] == "no-store"


def test_may_be_shared_by_caches_when_nobody_in_particular_asks(anonymous, customer):
    response = anonymous.get(URL)

    assert response["Cache-Control"] == CACHE
    assert "Authorization" in response["Vary"]
    assert customer.get(URL)["Cache-Control"] == "no-store"


def test_answers_304_until_something_changes(anonymous, make_product):
    make_product()
    tag = anonymous.get(URL)["ETag"]

    unchanged = anonymous.get(URL, headers={"If-None-Match": tag})
    make_product()
    changed = anonymous.get(URL, headers={"If-None-Match": tag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("newest", ["c", "a", "b"]),
        ("title", ["b", "c", "a"]),
        ("-title", ["a", "c", "b"]),
    ],
)
def test_sorts_and_continues_after_the_cursor(anonymous, make_product, sort, order):
    make_product("b", title="apple")
    make_product("a", title="Cherry")
    make_product("c", title="banana")
    first = anonymous.get(URL, {"sort": sort, "limit": 2})

    second = anonymous.get(URL, {"sort": sort, "limit": 2, "cursor": first.json()["next_cursor"]})

    assert slugs(first) + slugs(second) == order
    assert second.json()["next_cursor"] is None


def test_lists_the_newest_first_by_when_it_was_published(anonymous, editor, make_product):
    old = make_product("old", status="draft")
    make_product("new")
    url, headers = f"{URL}/{old.public_id}", {"If-Match": "*"}
    editor.patch(url, {"status": "published"}, format="json", headers=headers)

    assert slugs(anonymous.get(URL)) == ["old", "new"]


def test_does_not_take_a_cursor_of_another_order(anonymous, make_product):
    [make_product() for _ in range(2)]
    cursor = anonymous.get(URL, {"limit": 1}).json()["next_cursor"]

    assert anonymous.get(URL, {"sort": "title", "cursor": cursor}).status_code == 400


def test_finds_a_brand(anonymous, make_brand, make_product):
    brand = make_brand()
    make_product("shoe", brand=brand.public_id)
    make_product("hat")

    assert slugs(anonymous.get(URL, {"brand": brand.public_id})) == ["shoe"]
    assert slugs(anonymous.get(URL, {"brand": CATEGORY})) == []


def test_finds_a_status(editor, make_product):
    make_product("draft", status="draft")
    make_product("shown")

    assert slugs(editor.get(URL, {"status": "draft"})) == ["draft"]


def test_gives_a_batch_of_ids_in_one_answer(anonymous, make_product):
    wanted = [str(make_product().public_id) for _ in range(25)]
    make_product()

    response = anonymous.get(URL, {"ids": ",".join(wanted)})

    assert {row["id"] for row in response.json()["data"]} == set(wanted)
    assert response.json()["next_cursor"] is None


def test_finds_what_is_in_a_category_or_below_it(anonymous, make_product, category_service):
    make_product("here", categories=[CATEGORY])
    make_product("below", categories=[BELOW, CATEGORY])
    make_product("elsewhere")
    category_service.asked.clear()
    category_service.body = json.dumps({"data": [BELOW], "next_cursor": None}).encode()

    response = anonymous.get(URL, {"category": CATEGORY, "sort": "title"})

    assert slugs(response) == ["below", "here"]
    assert category_service.asked == [(f"/api/v1/categories/{CATEGORY}/descendants?ids_only=1", None)]


def test_asks_once_in_a_while_what_is_below_a_category(anonymous, category_service):
    anonymous.get(URL, {"category": CATEGORY})
    anonymous.get(URL, {"category": CATEGORY})

    assert len(category_service.asked) == 1


def test_asks_once_in_a_while_about_a_category_that_nobody_sees(anonymous, category_service):
    category_service.status = 404

    answers = [slugs(anonymous.get(URL, {"category": CATEGORY})) for _ in range(3)]

    assert answers == [[], [], []]
    assert len(category_service.asked) == 1


def test_asks_again_later_about_a_category_that_nobody_saw(anonymous, make_product, category_service, expire):
    make_product("shoe", categories=[CATEGORY])
    category_service.status = 404
    anonymous.get(URL, {"category": CATEGORY})
    expire(CATEGORY)
    category_service.status = 200

    assert slugs(anonymous.get(URL, {"category": CATEGORY})) == ["shoe"]


def test_finds_nothing_in_a_category_that_nobody_sees(anonymous, make_product, category_service):
    make_product(categories=[CATEGORY])
    category_service.status = 404

    assert slugs(anonymous.get(URL, {"category": CATEGORY})) == []


def test_remembers_what_was_below_while_the_category_service_is_away(
    anonymous, make_product, category_service, expire, settings
):
    make_product("shoe", categories=[CATEGORY])
    anonymous.get(URL, {"category": CATEGORY})
    expire(CATEGORY)
    settings.CATEGORY_URL = "http://127.0.0.1:1"

    assert slugs(anonymous.get(URL, {"category": CATEGORY})) == ["shoe"]


def test_asks_once_in_a_while_whether_the_category_service_is_back(
    anonymous, make_product, category_service, expire
):
    make_product("shoe", categories=[CATEGORY])
    anonymous.get(URL, {"category": CATEGORY})
    expire(CATEGORY)
    category_service.asked.clear()
    category_service.status = 500

    answers = [slugs(anonymous.get(URL, {"category": CATEGORY})) for _ in range(3)]

    assert answers == [["shoe"]] * 3
    assert len(category_service.asked) == 1


def test_lets_one_ask_while_the_others_take_the_copy(category_service, expire):
    class Asked(list):
        def append(self, question):
            super().append(question)
            meanwhile.append(queries.subtree(UUID(CATEGORY)))

    meanwhile = []
    queries.subtree(UUID(CATEGORY))
    expire(CATEGORY)
    category_service.asked = Asked()

    queries.subtree(UUID(CATEGORY))

    assert meanwhile == [[UUID(CATEGORY)]]


def test_forgets_what_was_below_a_category_that_is_gone(
    anonymous, make_product, category_service, expire, settings
):
    make_product("shoe", categories=[CATEGORY])
    anonymous.get(URL, {"category": CATEGORY})
    expire(CATEGORY)
    category_service.status = 404
    anonymous.get(URL, {"category": CATEGORY})
    settings.CATEGORY_URL = "http://127.0.0.1:1"

    assert slugs(anonymous.get(URL, {"category": CATEGORY})) == []


def test_cannot_tell_what_is_below_while_the_category_service_is_away(anonymous, no_category_service):
    response = anonymous.get(URL, {"category": CATEGORY})

    assert (response.status_code, response.json()["service"]) == (503, "catalog_category")


def test_waits_no_longer_for_what_is_below_than_a_page_can(anonymous, settings):
    began = time.monotonic()

    with socket.create_server(("127.0.0.1", 0)) as hanging:
        settings.CATEGORY_URL = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        response = anonymous.get(URL, {"category": CATEGORY})

    assert response.status_code == 503
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("body", [b"{}", b'{"data": 7}', b'{"data": [7]}', b'{"data": ["x"]}', b"no"])
def test_takes_no_guess_for_an_answer(anonymous, category_service, body):
    category_service.body = body

    assert anonymous.get(URL, {"category": CATEGORY}).status_code == 503


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("category=7", "category"),
        ("brand=7", "brand"),
        ("status=gone", "status"),
        ("sort=price", "sort"),
        ("sort=relevance", "sort"),
        ("ids=", "ids"),
        ("ids=1,2", "ids"),
        ("ids=" + ",".join(["00000000-0000-0000-0000-000000000000"] * 101), "ids"),
        ("q=", "q"),
        ("q=" + "x" * 101, "q"),
        ("q=%00", "q"),
        ("slug=", "slug"),
    ],
)
def test_points_at_a_wrong_parameter(editor, query, parameter):
    response = editor.get(f"{URL}?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert response.json()["errors"][0]["pointer"] == f"?{parameter}"


@pytest.mark.parametrize("query", ["colour=red", "q=a&q=b", "slug=a&q=b", "slug=a&limit=1", "price_min=1"])
def test_refuses_a_parameter_it_does_not_know(anonymous, query):
    response = anonymous.get(f"{URL}?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "unknown-parameter")


def test_asks_who_filters_by_status_for_a_token(anonymous):
    response = anonymous.get(URL, {"status": "draft"})

    assert (response.status_code, response.json()["code"]) == (401, "authentication-required")


def test_refuses_the_filter_by_status_without_the_scope(customer):
    response = customer.get(URL, {"status": "published"})

    assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")


def test_refuses_a_bad_token(anonymous):
    assert anonymous.get(URL, headers={"Authorization": "Bearer a.b.c"}).status_code == 401


def test_asks_as_many_queries_for_a_full_page_as_for_one(
    anonymous, make_brand, make_product, add_media, category_service, django_assert_num_queries
):
    brand = make_brand()
    products = [make_product(brand=brand.public_id, categories=[CATEGORY]) for _ in range(30)]
    [add_media(product) for product in products]

    with django_assert_num_queries(2):
        anonymous.get(URL, {"limit": 100, "category": CATEGORY})
