import json

import pytest

from catalog_category.models import Category
from catalog_category.operations import MAX_DEPTH

pytestmark = pytest.mark.django_db
URL = "/api/v1/categories"
UNKNOWN = "01999999-0000-7000-8000-000000000000"
BODY = {"name": "Shoes", "slug": "shoes"}


def post(client, body, content_type="application/json"):
    return client.post(URL, json.dumps(body), content_type=content_type)


def test_adds_a_draft_as_the_last_root(editor, make_category):
    make_category()

    response = post(editor, {"name": " Crème brûlée! "})

    row = response.json()
    assert response.status_code == 201
    assert (row["name"], row["slug"], row["status"]) == ("Crème brûlée!", "creme-brulee", "draft")
    assert (row["parent"], row["path"], row["position"]) == (None, "creme-brulee", 1)
    assert response["Location"] == f"{URL}/{row['id']}"
    assert response["ETag"] == '"1"'


def test_adds_a_child_with_all_it_is_told(editor, make_category):
    root = make_category("root")
    make_category("old", parent=root)
    body = BODY | {"parent": str(root.public_id), "status": "published", "description": "d", "position": 0}

    row = post(editor, body).json()

    assert (row["path"], row["status"], row["description"]) == ("root/shoes", "published", "d")
    assert list(root.children.order_by("position").values_list("slug", "position")) == [
        ("shoes", 0),
        ("old", 1),
    ]


def test_stands_at_the_end_when_the_position_is_beyond(editor, make_category):
    make_category()

    assert post(editor, BODY | {"position": 99}).json()["position"] == 1


@pytest.mark.parametrize("slug", ["shoes", "SHOES"])
def test_refuses_a_slug_that_a_root_has(editor, make_category, slug):
    make_category("shoes")

    response = post(editor, BODY | {"slug": slug})

    assert (response.status_code, response.json()["code"]) == (409, "slug-taken")
    assert response.json()["errors"][0]["pointer"] == "#/slug"
    assert Category.objects.count() == 1


def test_refuses_a_slug_that_a_sibling_has_and_moves_nobody(editor, make_category):
    root = make_category("root")
    make_category("shoes", parent=root)

    response = post(editor, BODY | {"slug": "Shoes", "parent": str(root.public_id), "position": 0})

    assert response.json()["code"] == "slug-taken"
    assert list(root.children.values_list("slug", "position")) == [("shoes", 0)]


def test_takes_a_slug_that_a_cousin_has(editor, make_category):
    make_category("shoes", parent=make_category())

    assert post(editor, BODY | {"parent": str(make_category().public_id)}).status_code == 201


def test_refuses_an_unknown_parent(editor):
    response = post(editor, BODY | {"parent": UNKNOWN})

    assert (response.status_code, response.json()["code"]) == (422, "unknown-category")
    assert response.json()["errors"][0]["pointer"] == "#/parent"
    assert not Category.objects.exists()


def test_refuses_a_level_too_many(editor, chain):
    line = chain(MAX_DEPTH)

    response = post(editor, BODY | {"parent": str(line[-1].public_id)})

    assert (response.status_code, response.json()["code"]) == (409, "category-too-deep")
    assert Category.objects.count() == MAX_DEPTH


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"name": None}, "#/name", "null"),
        ({"name": " "}, "#/name", "blank"),
        ({"name": 7}, "#/name", "invalid"),
        ({"name": "x" * 121}, "#/name", "max-length"),
        ({"name": "a\x00b"}, "#/name", "null-characters-not-allowed"),
        ({"slug": "a b"}, "#/slug", "invalid"),
        ({"slug": "a/b"}, "#/slug", "invalid"),
        ({"slug": "-a"}, "#/slug", "invalid"),
        ({"slug": "a\n"}, "#/slug", "invalid"),
        ({"slug": "x" * 81}, "#/slug", "max-length"),
        ({"slug": 7}, "#/slug", "invalid"),
        ({"description": []}, "#/description", "invalid"),
        ({"description": "x" * 10_001}, "#/description", "max-length"),
        ({"status": "gone"}, "#/status", "invalid-choice"),
        ({"parent": "7"}, "#/parent", "invalid"),
        ({"parent": 7}, "#/parent", "invalid"),
        ({"position": -1}, "#/position", "min-value"),
        ({"position": "0"}, "#/position", "invalid"),
        ({"position": True}, "#/position", "invalid"),
        ({"position": 10**30}, "#/position", "max-value"),
        ({"colour": "red"}, "#/colour", "unknown"),
    ],
)
def test_points_at_a_wrong_member(editor, change, pointer, code):
    response = post(editor, BODY | change)

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]
    assert not Category.objects.exists()


def test_points_at_all_that_is_wrong(editor):
    errors = post(editor, {"status": 1, "colour": "red"}).json()["errors"]

    assert {error["pointer"] for error in errors} == {"#/name", "#/status", "#/colour"}


def test_asks_for_a_slug_when_the_name_makes_none(editor):
    response = post(editor, {"name": "日本"})

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
    assert not Category.objects.exists()


def test_asks_as_many_queries_however_many_siblings_there_are(
    editor, make_category, django_assert_num_queries
):
    [make_category() for _ in range(10)]

    with django_assert_num_queries(9):
        post(editor, BODY | {"position": 0})
