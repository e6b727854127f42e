import json

import pytest

from catalog_product.models import Product

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"
OTHER = "01999999-0000-7000-8000-000000000001"


def url(product):
    return f"/api/v1/products/{product.public_id}"


def patch(client, product, body, tag='"1"', content_type="application/merge-patch+json"):
    headers = {} if tag is None else {"If-Match": tag}
    return client.patch(url(product), json.dumps(body), content_type=content_type, headers=headers)


@pytest.fixture
def shoe(make_product):
    return make_product("shoe", description="Light.", status="draft")


def test_changes_what_it_is_told_and_nothing_else(editor, shoe):
    response = patch(editor, shoe, {"title": "Boot", "subtitle": "For hills"})

    row = response.json()
    assert response.status_code == 200
    assert (row["title"], row["subtitle"]) == ("Boot", "For hills")
    assert (row["slug"], row["description"], row["status"]) == ("shoe", "Light.", "draft")
    assert response["ETag"] == '"2"'
    assert row["updated_at"] > row["created_at"]


def test_takes_the_tag_of_what_was_read(editor, shoe):
    tag = editor.get(url(shoe))["ETag"]

    assert patch(editor, shoe, {"title": "Boot"}, tag).status_code == 200


def test_takes_plain_json_too(editor, shoe):
    assert patch(editor, shoe, {"title": "x"}, content_type="application/json").status_code == 200


def test_remembers_when_it_was_published_first(editor, shoe):
    first = patch(editor, shoe, {"status": "published"}).json()
    patch(editor, shoe, {"status": "draft"}, '"2"')

    again = patch(editor, shoe, {"status": "published"}, '"3"').json()

    assert first["published_at"] is not None
    assert again["published_at"] == first["published_at"]


def test_empties_what_may_be_empty_for_null(editor, make_brand, make_product, category_service):
    details = [{"label": "Material", "value": "Leather"}]
    texts = {"subtitle": "s", "description": "d", "details": details}
    full = make_product(brand=make_brand().public_id, categories=[UNKNOWN], **texts)
    names = ("subtitle", "description", "details", "brand", "categories")

    row = patch(editor, full, dict.fromkeys(names)).json()

    assert [row[name] for name in names] == ["", "", [], None, []]


def test_puts_it_into_other_categories_in_their_order(editor, make_product, category_service):
    product = make_product(categories=[UNKNOWN, OTHER])

    response = patch(editor, product, {"categories": [OTHER, UNKNOWN]})

    assert response.json()["categories"] == [OTHER, UNKNOWN]
    assert response["ETag"] == '"2"'


def test_makes_no_version_of_no_change(editor, make_brand, make_product, category_service):
    brand = make_brand()
    product = make_product("shoe", brand=brand.public_id, categories=[UNKNOWN])
    same = {"title": product.title, "slug": "shoe", "brand": str(brand.public_id), "categories": [UNKNOWN]}

    assert patch(editor, product, same)["ETag"] == '"1"'


def test_refuses_an_unknown_brand(editor, shoe):
    response = patch(editor, shoe, {"brand": UNKNOWN})

    assert (response.status_code, response.json()["code"]) == (422, "unknown-brand")


def test_refuses_an_unknown_category(editor, shoe, category_service):
    category_service.status = 404

    response = patch(editor, shoe, {"title": "Boot", "categories": [UNKNOWN]})

    assert (response.status_code, response.json()["code"]) == (422, "unknown-category")
    assert response.json()["errors"][0]["pointer"] == "#/categories/0"
    shoe.refresh_from_db()
    assert (shoe.title, shoe.version) == ("Shoe", 1)


def test_asks_nobody_about_categories_of_what_changed_meanwhile(editor, shoe, category_service):
    assert patch(editor, shoe, {"categories": [UNKNOWN]}, '"2"').status_code == 412
    assert category_service.asked == []


def test_requires_a_tag(editor, shoe):
    response = patch(editor, shoe, {"title": "x"}, tag=None)

    assert (response.status_code, response.json()["code"]) == (428, "precondition-required")


def test_refuses_a_stale_tag_and_gives_the_current_one(editor, shoe):
    patch(editor, shoe, {"title": "Theirs"})

    response = patch(editor, shoe, {"title": "Mine"})

    assert (response.status_code, response.json()["code"]) == (412, "precondition-failed")
    assert response["ETag"] == '"2"'
    shoe.refresh_from_db()
    assert shoe.title == "Theirs"


def test_refuses_a_slug_that_another_has(editor, make_product, shoe):
    make_product("hat")

    response = patch(editor, shoe, {"slug": "HAT", "title": "Hat"})

    assert (response.status_code, response.json()["code"]) == (409, "slug-taken")
    shoe.refresh_from_db()
    assert (shoe.title, shoe.version) == ("Shoe", 1)


def test_takes_its_own_slug_in_other_case(editor, shoe):
    assert patch(editor, shoe, {"slug": "SHOE"}).json()["slug"] == "SHOE"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"title": None}, "#/title", "null"),
        ({"slug": ""}, "#/slug", "blank"),
        ({"status": "gone"}, "#/status", "invalid-choice"),
        ({"details": [{"label": "", "value": "b"}]}, "#/details/0/label", "blank"),
        ({"categories": ["x"]}, "#/categories/0", "invalid"),
        ({"media": []}, "#/media", "unknown"),
        ({"published_at": None}, "#/published_at", "unknown"),
        ({"id": UNKNOWN}, "#/id", "unknown"),
    ],
)
def test_points_at_a_wrong_member(editor, shoe, body, pointer, code):
    response = patch(editor, shoe, body | {"description": "new"})

    assert response.status_code == 400
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]
    shoe.refresh_from_db()
    assert (shoe.description, shoe.version) == ("Light.", 1)


def test_does_not_know_others(editor):
    assert patch(editor, Product(public_id=UNKNOWN), {"title": "x"}, "*").status_code == 404


def test_refuses_the_anonymous(anonymous, shoe):
    assert patch(anonymous, shoe, {"title": "x"}).status_code == 401


def test_refuses_another_scope(as_staff, customer, shoe):
    assert patch(as_staff("catalog:read"), shoe, {"title": "x"}).status_code == 403
    assert patch(customer, shoe, {"title": "x"}).status_code == 403


def test_asks_few_queries(editor, shoe, django_assert_num_queries):
    with django_assert_num_queries(9):
        patch(editor, shoe, {"title": "x"})
