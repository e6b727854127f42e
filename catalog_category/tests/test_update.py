import json

import pytest

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def url(category):
    return f"/api/v1/categories/{category.public_id}"


def patch(client, category, body, tag='"1"', content_type="application/merge-patch+json"):
    headers = {} if tag is None else {"If-Match": tag}
    return client.patch(url(category), json.dumps(body), content_type=content_type, headers=headers)


@pytest.fixture
def shoes(make_category):
    return make_category("shoes", description="Leather.")


def test_changes_what_it_is_told_and_nothing_else(editor, shoes):
    response = patch(editor, shoes, {"name": "Footwear", "status": "archived"})

    row = response.json()
    assert response.status_code == 200
    assert (row["name"], row["status"]) == ("Footwear", "archived")
    assert (row["slug"], row["description"]) == ("shoes", "Leather.")
    assert response["ETag"] == '"2"'
    assert row["updated_at"] > row["created_at"]


def test_takes_the_tag_of_what_was_read(editor, shoes):
    tag = editor.get(url(shoes))["ETag"]

    assert patch(editor, shoes, {"name": "Footwear"}, tag).status_code == 200


def test_takes_the_description_away_for_null(editor, shoes):
    assert patch(editor, shoes, {"description": None}).json()["description"] == ""


def test_takes_plain_json_too(editor, shoes):
    assert patch(editor, shoes, {"name": "x"}, content_type="application/json").status_code == 200


def test_makes_no_version_of_no_change(editor, shoes):
    response = patch(editor, shoes, {"name": shoes.name})

    assert (response.status_code, response["ETag"]) == (200, '"1"')


def test_requires_a_tag(editor, shoes):
    response = patch(editor, shoes, {"name": "x"}, tag=None)

    assert (response.status_code, response.json()["code"]) == (428, "precondition-required")


def test_refuses_a_stale_tag_and_gives_the_current_one(editor, shoes):
    patch(editor, shoes, {"name": "Theirs"})

    response = patch(editor, shoes, {"name": "Mine"})

    assert (response.status_code, response.json()["code"]) == (412, "precondition-failed")
    assert response["ETag"] == '"2"'
    shoes.refresh_from_db()
    assert shoes.name == "Theirs"


def test_refuses_a_slug_that_a_sibling_has(editor, make_category, shoes):
    make_category("hats")

    response = patch(editor, shoes, {"slug": "HATS", "name": "Hats"})

    assert (response.status_code, response.json()["code"]) == (409, "slug-taken")
    assert response.json()["errors"][0]["pointer"] == "#/slug"
    shoes.refresh_from_db()
    assert (shoes.name, shoes.version) == ("Shoes", 1)


def test_takes_its_own_slug_in_other_case(editor, shoes):
    assert patch(editor, shoes, {"slug": "SHOES"}).json()["slug"] == "SHOES"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"name": None}, "#/name", "null"),
        ({"name": ""}, "#/name", "blank"),
        ({"slug": None}, "#/slug", "null"),
        ({"slug": ""}, "#/slug", "blank"),
        ({"status": None}, "#/status", "null"),
        ({"status": "gone"}, "#/status", "invalid-choice"),
        ({"parent": None}, "#/parent", "unknown"),
        ({"position": 1}, "#/position", "unknown"),
        ({"id": UNKNOWN}, "#/id", "unknown"),
    ],
)
def test_points_at_a_wrong_member(editor, shoes, body, pointer, code):
    response = patch(editor, shoes, body | {"description": "new"})

    assert response.status_code == 400
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]
    shoes.refresh_from_db()
    assert (shoes.description, shoes.version) == ("Leather.", 1)


def test_does_not_know_others(editor):
    response = editor.patch(
        f"/api/v1/categories/{UNKNOWN}", "{}", content_type="application/json", headers={"If-Match": "*"}
    )

    assert response.status_code == 404


def test_refuses_the_anonymous(anonymous, shoes):
    assert patch(anonymous, shoes, {"name": "x"}).status_code == 401


def test_refuses_another_scope(as_staff, shoes):
    assert patch(as_staff("catalog:read"), shoes, {"name": "x"}).status_code == 403


def test_asks_few_queries(editor, shoes, django_assert_num_queries):
    with django_assert_num_queries(9):
        patch(editor, shoes, {"name": "x"})
