import pytest

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def url(category):
    return f"/api/v1/categories/{category.public_id}/descendants"


@pytest.fixture
def root(make_category):
    """A root with a child, a grandchild, and a draft that has a child."""
    root = make_category("root")
    make_category("grandchild", parent=make_category("child", parent=root))
    make_category("hidden", parent=make_category("draft", parent=root, status="draft"))
    make_category("elsewhere")
    return root


def test_lists_everything_below(anonymous, root):
    response = anonymous.get(url(root))

    assert response.status_code == 200
    assert {row["path"] for row in response.json()["data"]} == {"root/child", "root/child/grandchild"}
    assert response["Cache-Control"] == "public, max-age=30, stale-while-revalidate=300"


def test_gives_the_ids_alone_in_one_answer(anonymous, make_category, root):
    [make_category(parent=root) for _ in range(25)]
    rows = anonymous.get(url(root), {"limit": 100}).json()["data"]

    response = anonymous.get(url(root), {"ids_only": 1})

    assert sorted(response.json()["data"]) == sorted(row["id"] for row in rows)
    assert response.json()["next_cursor"] is None


def test_lists_drafts_to_who_may_read_them(editor, root):
    assert len(editor.get(url(root), {"ids_only": "true"}).json()["data"]) == 4


def test_continues_after_the_cursor(anonymous, root):
    first = anonymous.get(url(root), {"limit": 1}).json()

    second = anonymous.get(url(root), {"limit": 1, "cursor": first["next_cursor"]}).json()

    assert first["data"][0]["id"] != second["data"][0]["id"]
    assert second["next_cursor"] is None


def test_answers_304_to_who_knows_it(anonymous, root):
    tag = anonymous.get(url(root), {"ids_only": 1})["ETag"]

    assert anonymous.get(url(root), {"ids_only": 1}, headers={"If-None-Match": tag}).status_code == 304


def test_does_not_know_what_is_hidden_or_not_there(anonymous, customer, make_category):
    draft = make_category(status="draft")

    assert anonymous.get(url(draft)).status_code == 404
    assert customer.get(url(draft)).status_code == 404
    assert anonymous.get(f"/api/v1/categories/{UNKNOWN}/descendants").status_code == 404


@pytest.mark.parametrize("query", ["ids_only=maybe", "limit=0", "cursor=x"])
def test_points_at_a_wrong_parameter(anonymous, root, query):
    response = anonymous.get(f"{url(root)}?{query}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"?{query.split('=')[0]}"


def test_refuses_a_bad_token(anonymous, root):
    assert anonymous.get(url(root), headers={"Authorization": "Bearer a.b.c"}).status_code == 401


def test_asks_as_many_queries_however_many_there_are(
    anonymous, make_category, root, django_assert_num_queries
):
    [make_category(parent=root) for _ in range(20)]

    with django_assert_num_queries(3):
        anonymous.get(url(root), {"limit": 100})
    with django_assert_num_queries(2):
        anonymous.get(url(root), {"ids_only": 1})
