import pytest

pytestmark = pytest.mark.django_db
URL = "/api/v1/categories/tree"
UNKNOWN = "01999999-0000-7000-8000-000000000000"


@pytest.fixture
def shoes(make_category):
    """Two roots; below the first a child with a child, and a draft with a child."""
    shoes = make_category("shoes")
    make_category("hats")
    make_category("winter", parent=make_category("boots", parent=shoes))
    make_category("secret", parent=make_category("draft", parent=shoes, status="draft"))
    return shoes


def outline(nodes):
    return {node["path"]: outline(node["children"]) for node in nodes}


def test_shows_the_published_tree_to_anybody(anonymous, shoes):
    response = anonymous.get(URL)

    assert response.status_code == 200
    assert outline(response.json()["data"]) == {
        "shoes": {"shoes/boots": {"shoes/boots/winter": {}}},
        "hats": {},
    }
    assert response.json()["data"][1].keys() == {"id", "name", "slug", "path", "status", "children"}
    assert response["Cache-Control"] == "public, max-age=30, stale-while-revalidate=300"


def test_shows_drafts_to_who_may_read_them(editor, shoes):
    found = outline(editor.get(URL).json()["data"])["shoes"]

    assert found["shoes/draft"] == {"shoes/draft/secret": {}}


def test_starts_where_it_is_told(anonymous, make_category, shoes):
    boots = shoes.children.get(slug="boots")

    response = anonymous.get(URL, {"root": boots.public_id})

    assert outline(response.json()["data"]) == {"shoes/boots": {"shoes/boots/winter": {}}}


def test_goes_as_deep_as_it_is_told(anonymous, shoes):
    response = anonymous.get(URL, {"depth": 2})

    assert outline(response.json()["data"]) == {"shoes": {"shoes/boots": {}}, "hats": {}}


def test_keeps_the_order_of_positions(anonymous, make_category):
    make_category("b")
    make_category("a")
    make_category("first", position=0)

    assert list(outline(anonymous.get(URL).json()["data"])) == ["first", "b", "a"]


def test_answers_304_until_something_changes(anonymous, make_category, shoes):
    tag = anonymous.get(URL)["ETag"]

    unchanged = anonymous.get(URL, headers={"If-None-Match": tag})
    make_category(parent=shoes)

    assert unchanged.status_code == 304
    assert anonymous.get(URL, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("query", ["root=7", "depth=0", "depth=9", "depth=x"])
def test_points_at_a_wrong_parameter(anonymous, query):
    response = anonymous.get(f"{URL}?{query}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"?{query.split('=')[0]}"


def test_does_not_know_a_root_that_is_not_there_or_hidden(anonymous, make_category):
    hidden = make_category(parent=make_category(status="draft"))

    assert anonymous.get(URL, {"root": UNKNOWN}).status_code == 404
    assert anonymous.get(URL, {"root": hidden.public_id}).status_code == 404


def test_refuses_a_bad_token(anonymous):
    assert anonymous.get(URL, headers={"Authorization": "Bearer a.b.c"}).status_code == 401


def test_asks_one_query_however_large_it_is(anonymous, make_category, shoes, django_assert_num_queries):
    [make_category(parent=shoes) for _ in range(30)]

    with django_assert_num_queries(1):
        anonymous.get(URL)
    with django_assert_num_queries(2):
        anonymous.get(URL, {"root": shoes.public_id})
