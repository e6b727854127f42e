import json

import pytest

from catalog_category.operations import MAX_DEPTH

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def url(category):
    return f"/api/v1/categories/{category.public_id}/move"


def send(client, category, body, tag="*"):
    headers = {} if tag is None else {"If-Match": tag}
    return client.post(url(category), json.dumps(body), content_type="application/json", headers=headers)


def move(client, category, to, **more):
    return send(client, category, {"parent": str(to.public_id) if to else None} | more)


def order(parent):
    return list(parent.children.order_by("position").values_list("slug", flat=True))


def test_hangs_a_category_with_all_below_it_elsewhere(editor, anonymous, make_category):
    shoes, sale = make_category("shoes"), make_category("sale")
    boots = make_category("boots", parent=shoes)
    winter = make_category("winter", parent=boots)

    response = move(editor, boots, to=sale)

    assert (response.status_code, response["ETag"]) == (200, '"2"')
    assert (response.json()["path"], response.json()["parent"]) == ("sale/boots", str(sale.public_id))
    leaf = anonymous.get(f"/api/v1/categories/{winter.public_id}").json()
    assert leaf["path"] == "sale/boots/winter"


def test_makes_a_root(editor, make_category):
    boots = make_category("boots", parent=make_category())

    response = move(editor, boots, to=None)

    assert (response.json()["path"], response.json()["position"]) == ("boots", 1)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (0, ["d", "a", "b", "c"]),
        (1, ["a", "d", "b", "c"]),
        (99, ["a", "b", "c", "d"]),
        (None, ["a", "b", "c", "d"]),
    ],
)
def test_stands_where_it_is_told(editor, make_category, position, expected):
    root = make_category()
    [make_category(slug, parent=root) for slug in "abc"]

    move(editor, make_category("d"), to=root, position=position)

    assert order(root) == expected


def test_reorders_siblings(editor, make_category):
    root = make_category()
    children = [make_category(slug, parent=root) for slug in "abc"]

    response = move(editor, children[2], to=root, position=0)

    assert response.json()["position"] == 0
    assert order(root) == ["c", "a", "b"]


def test_makes_no_new_version_of_siblings(editor, make_category):
    root = make_category()
    first = make_category("a", parent=root)

    move(editor, make_category("b", parent=root), to=root, position=0)

    first.refresh_from_db()
    assert (first.position, first.version) == (1, 1)


def test_refuses_a_move_below_itself(editor, make_category):
    root = make_category()
    leaf = make_category(parent=root)

    response = move(editor, root, to=leaf)

    assert response.status_code == 409
    assert response.json()["code"] == "category-cycle"
    assert response.json()["errors"][0]["pointer"] == "#/parent"
    root.refresh_from_db()
    assert (root.parent_id, root.version) == (None, 1)


def test_refuses_itself_as_its_parent(editor, make_category):
    root = make_category()

    assert move(editor, root, to=root).json()["code"] == "category-cycle"


def test_refuses_a_level_too_many(editor, chain):
    upper, lower = chain(MAX_DEPTH - 2), chain(3)

    response = move(editor, lower[0], to=upper[-1])

    assert (response.status_code, response.json()["code"]) == (409, "category-too-deep")
    assert move(editor, lower[1], to=upper[-1]).status_code == 200


def test_refuses_a_slug_that_a_new_sibling_has_and_moves_nobody(editor, make_category):
    root = make_category()
    taken = make_category("boots", parent=root)
    boots = make_category("BOOTS")

    response = move(editor, boots, to=root, position=0)

    assert (response.status_code, response.json()["code"]) == (409, "slug-taken")
    assert response.json()["errors"][0]["pointer"] == "#/parent"
    taken.refresh_from_db()
    assert taken.position == 0


def test_refuses_an_unknown_parent(editor, make_category):
    response = send(editor, make_category(), {"parent": UNKNOWN})

    assert (response.status_code, response.json()["code"]) == (422, "unknown-category")


def test_requires_a_tag(editor, make_category):
    response = send(editor, make_category(), {"parent": None}, tag=None)

    assert (response.status_code, response.json()["code"]) == (428, "precondition-required")


def test_refuses_a_stale_tag(editor, make_category):
    category, other = make_category(), make_category()
    move(editor, category, to=other)

    response = send(editor, category, {"parent": None}, tag='"1"')

    assert (response.status_code, response.json()["code"]) == (412, "precondition-failed")
    assert response["ETag"] == '"2"'


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/parent"),
        ({"parent": "root"}, "#/parent"),
        ({"parent": 7}, "#/parent"),
        ({"parent": None, "position": 1.0}, "#/position"),
        ({"parent": None, "position": -1}, "#/position"),
        ({"parent": None, "before": UNKNOWN}, "#/before"),
    ],
)
def test_points_at_a_wrong_member(editor, make_category, body, pointer):
    response = send(editor, make_category(), body)

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_does_not_know_others(editor):
    response = editor.post(
        f"/api/v1/categories/{UNKNOWN}/move",
        '{"parent": null}',
        content_type="application/json",
        headers={"If-Match": "*"},
    )

    assert response.status_code == 404


def test_refuses_the_anonymous(anonymous, make_category):
    assert move(anonymous, make_category(), to=None).status_code == 401


def test_refuses_another_scope(as_staff, make_category):
    assert move(as_staff("catalog:read"), make_category(), to=None).status_code == 403


def test_asks_as_many_queries_however_much_moves(editor, make_category, django_assert_num_queries):
    root, moved = make_category(), make_category()
    [make_category(parent=parent) for parent in (root, moved) for _ in range(8)]

    with django_assert_num_queries(14):
        move(editor, moved, to=root, position=0)
