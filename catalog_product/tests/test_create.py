import json

import pytest

from catalog_product.models import Product

pytestmark = pytest.mark.django_db
URL = "/api/v1/products"
UNKNOWN = "01999999-0000-7000-8000-000000000000"
OTHER = "01999999-0000-7000-8000-000000000001"
MANY = [f"01999999-0000-7000-8000-0000000000{number}" for number in range(10, 31)]
BODY = {"title": "Trail shoe", "slug": "trail-shoe"}


def post(client, body, content_type="application/json"):
    return client.post(URL, json.dumps(body), content_type=content_type)


def test_adds_a_draft(editor):
    response = post(editor, {"title": " Crème brûlée! "})

    row = response.json()
    assert response.status_code == 201
    assert (row["title"], row["slug"], row["status"]) == ("Crème brûlée!", "creme-brulee", "draft")
    assert (row["brand"], row["categories"], row["primary_category"]) == (None, [], None)
    assert (row["image"], row["media"], row["published_at"]) == (None, [], None)
    assert response["Location"] == f"{URL}/{row['id']}"
    assert response["ETag"] == '"1"'


def test_adds_a_product_with_all_it_is_told(editor, make_brand, category_service):
    brand = make_brand("Alder")
    details = [{"label": "Material", "value": "Leather"}]
    texts = {"subtitle": "For hills", "description": "Light.", "details": details, "status": "published"}

    row = post(editor, BODY | texts | {"brand": str(brand.public_id), "categories": [OTHER, UNKNOWN]}).json()

    assert {name: row[name] for name in texts} == texts
    assert row["brand"] == {"id": str(brand.public_id), "name": "Alder", "slug": brand.slug}
    assert (row["categories"], row["primary_category"]) == ([OTHER, UNKNOWN], OTHER)
    assert row["published_at"] is not None


@pytest.mark.parametrize("slug", ["trail-shoe", "TRAIL-SHOE"])
def test_refuses_a_slug_that_a_product_has(editor, make_product, slug):
    make_product("trail-shoe", status="archived")

    response = post(editor, BODY | {"slug": slug})

    assert (response.status_code, response.json()["code"]) == (409, "slug-taken")
    assert response.json()["errors"][0]["pointer"] == "#/slug"
    assert Product.objects.count() == 1


def test_refuses_an_unknown_brand(editor):
    response = post(editor, BODY | {"brand": UNKNOWN})

    assert (response.status_code, response.json()["code"]) == (422, "unknown-brand")
    assert response.json()["errors"][0]["pointer"] == "#/brand"
    assert not Product.objects.exists()


def test_points_at_a_category_that_the_category_service_does_not_know(editor, category_service):
    post(editor, {"title": "First", "categories": [OTHER]})
    category_service.status = 404

    response = post(editor, BODY | {"categories": [OTHER, UNKNOWN]})

    assert (response.status_code, response.json()["code"]) == (422, "unknown-category")
    assert [error["pointer"] for error in response.json()["errors"]] == ["#/categories/1"]
    assert Product.objects.count() == 1


def test_asks_no_further_than_the_first_category_that_is_not_known(editor, category_service):
    category_service.status = 404

    response = post(editor, BODY | {"categories": [UNKNOWN, OTHER]})

    assert [error["pointer"] for error in response.json()["errors"]] == ["#/categories/0"]
    assert len(category_service.asked) == 1


def test_asks_for_a_category_with_a_token_of_its_own_and_remembers_a_yes(editor, category_service):
    post(editor, BODY | {"categories": [UNKNOWN]})
    post(editor, {"title": "Another", "categories": [UNKNOWN]})

    ((path, authorization),) = category_service.asked
    assert path == f"/internal/categories/{UNKNOWN}"
    assert authorization.startswith("Bearer ")


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (401, b"{}"), (200, b"no"), (200, b"[]")])
def test_adds_nothing_when_the_category_service_says_nothing(editor, category_service, status, body):
    category_service.status, category_service.body = status, body

    response = post(editor, BODY | {"categories": [UNKNOWN]})

    assert (response.status_code, response.json()["service"]) == (503, "catalog_category")
    assert not Product.objects.exists()


def test_adds_nothing_in_a_category_while_the_category_service_is_away(editor, no_category_service):
    response = post(editor, BODY | {"categories": [UNKNOWN]})

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response["Retry-After"]
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"title": None}, "#/title", "null"),
        ({"title": " "}, "#/title", "blank"),
        ({"title": 7}, "#/title", "invalid"),
        ({"title": "x" * 201}, "#/title", "max-length"),
        ({"title": "a\x00b"}, "#/title", "null-characters-not-allowed"),
        ({"slug": "a b"}, "#/slug", "invalid"),
        ({"slug": "x" * 81}, "#/slug", "max-length"),
        ({"subtitle": 7}, "#/subtitle", "invalid"),
        ({"description": "x" * 20_001}, "#/description", "max-length"),
        ({"details": "Leather"}, "#/details", "not-a-list"),
        ({"details": [{"label": "a", "value": "b"}, {"label": "a"}]}, "#/details/1/value", "required"),
        ({"details": [{"label": "a", "value": 7}]}, "#/details/0/value", "invalid"),
        ({"details": [{"label": "a", "value": "b", "c": 1}]}, "#/details/0/c", "unknown"),
        ({"details": [7]}, "#/details/0", "invalid"),
        ({"details": [{"label": "a", "value": "b"}] * 41}, "#/details", "max-length"),
        ({"brand": 7}, "#/brand", "invalid"),
        ({"categories": UNKNOWN}, "#/categories", "not-a-list"),
        ({"categories": [UNKNOWN, "7"]}, "#/categories/1", "invalid"),
        ({"categories": [UNKNOWN, OTHER, UNKNOWN]}, "#/categories/2", "duplicate"),
        ({"categories": MANY}, "#/categories", "max-length"),
        ({"status": "gone"}, "#/status", "invalid-choice"),
        ({"colour": "red"}, "#/colour", "unknown"),
    ],
)
def test_points_at_a_wrong_member(editor, change, pointer, code):
    response = post(editor, BODY | change)

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]
    assert not Product.objects.exists()


def test_asks_for_a_slug_when_the_title_makes_none(editor):
    response = post(editor, {"title": "日本"})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/slug"


def test_refuses_another_media_type(editor):
    assert post(editor, BODY, "text/plain").status_code == 415


def test_refuses_the_anonymous(anonymous):
    assert post(anonymous, BODY).status_code == 401


@pytest.mark.parametrize("scope", ["", "catalog:read", "catalog:admin", "wallet:read"])
def test_refuses_another_scope(as_staff, scope):
    response = post(as_staff(scope), BODY)

    assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")
    assert not Product.objects.exists()


def test_asks_as_many_queries_however_many_categories_there_are(
    editor, make_brand, category_service, django_assert_num_queries
):
    brand = make_brand()

    with django_assert_num_queries(12):
        post(editor, BODY | {"brand": str(brand.public_id), "categories": [UNKNOWN, OTHER]})
