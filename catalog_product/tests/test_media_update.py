import json

import pytest

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def patch(client, media, body, tag="*", product=None):
    product_id = (product or media.product).public_id
    headers = {} if tag is None else {"If-Match": tag}
    url = f"/api/v1/products/{product_id}/media/{media.public_id}"
    return client.patch(url, json.dumps(body), content_type="application/merge-patch+json", headers=headers)


@pytest.fixture
def shoe(make_product):
    return make_product("shoe")


@pytest.fixture
def media(shoe, add_media):
    """The first of three pictures."""
    first = add_media(shoe, "red")
    add_media(shoe, "green")
    add_media(shoe, "blue")
    return first


def colors(product):
    return [one.alt for one in product.media.order_by("position")]


def test_changes_what_it_is_told_and_nothing_else(editor, shoe, media):
    response = patch(editor, media, {"alt": "Sole", "options": {"colour": "red"}}, '"4"')

    row = response.json()
    assert response.status_code == 200
    assert (row["alt"], row["options"], row["position"]) == ("Sole", {"colour": "red"}, 0)
    assert row["sha256"] == media.picture.sha256
    assert response["ETag"] == '"5"'


def test_takes_the_tag_of_the_product(editor, shoe, media):
    tag = editor.get(f"/api/v1/products/{shoe.public_id}")["ETag"]

    assert patch(editor, media, {"alt": "Sole"}, tag).status_code == 200


@pytest.mark.parametrize(
    ("position", "order"),
    [
        (0, ["In red", "In green", "In blue"]),
        (1, ["In green", "In red", "In blue"]),
        (2, ["In green", "In blue", "In red"]),
        (99, ["In green", "In blue", "In red"]),
    ],
)
def test_moves_a_picture(editor, shoe, media, position, order):
    response = patch(editor, media, {"position": position})

    assert colors(shoe) == order
    assert response.json()["position"] == order.index("In red")


def test_makes_no_version_of_no_change(editor, media):
    assert patch(editor, media, {"alt": media.alt, "options": {}, "position": 0})["ETag"] == '"4"'


def test_refuses_to_show_the_same_for_the_same_options(editor, shoe, add_media):
    add_media(shoe)
    other = add_media(shoe, options={"colour": "blue"})

    response = patch(editor, other, {"alt": "new", "options": {}})

    other.refresh_from_db()
    assert (response.status_code, response.json()["code"]) == (409, "media-exists")
    assert other.options == {"colour": "blue"}


def test_requires_a_tag(editor, media):
    assert patch(editor, media, {"alt": "x"}, tag=None).status_code == 428


def test_refuses_a_stale_tag(editor, media):
    response = patch(editor, media, {"alt": "x"}, '"3"')

    assert (response.status_code, response["ETag"]) == (412, '"4"')


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"alt": None}, "#/alt", "null"),
        ({"alt": " "}, "#/alt", "blank"),
        ({"options": None}, "#/options", "null"),
        ({"options": "{}"}, "#/options", "not-a-dict"),
        ({"options": {"colour": "a b"}}, "#/options/colour", "invalid"),
        ({"position": "1"}, "#/position", "invalid"),
        ({"position": None}, "#/position", "null"),
        ({"file": "x"}, "#/file", "unknown"),
    ],
)
def test_points_at_a_wrong_member(editor, media, body, pointer, code):
    response = patch(editor, media, body)

    assert response.status_code == 400
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]


def test_does_not_know_the_pictures_of_others(editor, make_product, media):
    assert patch(editor, media, {"alt": "x"}, product=make_product()).status_code == 404


def test_refuses_the_anonymous(anonymous, media):
    assert patch(anonymous, media, {"alt": "x"}).status_code == 401


def test_refuses_another_scope(as_staff, media):
    assert patch(as_staff("catalog:read"), media, {"alt": "x"}).status_code == 403


def test_asks_few_queries(editor, media, django_assert_num_queries):
    with django_assert_num_queries(9):
        patch(editor, media, {"alt": "x", "position": 2})
