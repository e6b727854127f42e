import pytest

from catalog_category import queries
from catalog_category.models import Category

pytestmark = pytest.mark.django_db
URL = "/api/v1/categories"
CACHE = "public, max-age=30, stale-while-revalidate=300"


def slugs(response):
    return [row["slug"] for row in response.json()["data"]]


def test_lists_what_is_published_to_anybody(anonymous, make_category):
    root = make_category("shoes")
    child = make_category("boots", parent=root, description="For winter.")

    response = anonymous.get(URL, {"parent": root.public_id})

    assert response.status_code == 200
    assert response.json() == {
        "data": [
            {
                "id": str(child.public_id),
                "name": "Boots",
                "slug": "boots",
                "path": "shoes/boots",
                "parent": str(root.public_id),
                "position": 0,
                "status": "published",
                "description": "For winter.",
                "created_at": child.created_at.isoformat().replace("+00:00", "Z"),
                "updated_at": child.updated_at.isoformat().replace("+00:00", "Z"),
            }
        ],
        "next_cursor": None,
    }


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_hides_what_is_not_published_and_all_below_it(anonymous, make_category, status):
    hidden = make_category("hidden", status=status)
    make_category("leaf", parent=make_category("below", parent=hidden))
    make_category("shown")

    assert slugs(anonymous.get(URL)) == ["shown"]


def test_shows_drafts_to_who_may_read_them(editor, make_category):
    make_category("draft", status="draft")

    response = editor.get(URL)

    assert slugs(response) == ["draft"]
    assert response["Cache-Control"] == "no-store"


def test_hides_drafts_from_a_customer(customer, make_category):
    make_category("draft", status="draft")

    assert slugs(customer.get(URL)) == []


def test_may_be_shared_by_caches_when_nobody_in_particular_asks(anonymous, customer):
    response = anonymous.get(URL)

    assert response["Cache-Control"] == CACHE
    assert "Authorization" in response["Vary"]
    assert customer.get(URL)["Cache-Control"] == "no-store"


def test_answers_304_until_something_changes(anonymous, make_category):
    make_category()
    tag = anonymous.get(URL)["ETag"]

    unchanged = anonymous.get(URL, headers={"If-None-Match": tag})
    make_category()
    changed = anonymous.get(URL, headers={"If-None-Match": tag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged["Cache-Control"] == CACHE
    assert changed.status_code == 200


def test_finds_the_roots(anonymous, make_category):
    make_category("leaf", parent=make_category("root"))

    assert slugs(anonymous.get(URL, {"parent": "root"})) == ["root"]


def test_finds_a_part_of_a_name_in_any_case(anonymous, make_category):
    make_category("x-1", name="Winter Boots")
    make_category("x-2", name="100% wool")

    assert slugs(anonymous.get(URL, {"q": "BOOT"})) == ["x-1"]
    assert slugs(anonymous.get(URL, {"q": "%"})) == ["x-2"]


def test_finds_a_status(editor, make_category):
    make_category("draft", status="draft")
    make_category("shown")

    assert slugs(editor.get(URL, {"status": "draft"})) == ["draft"]


def test_gives_a_batch_of_ids_in_one_answer(anonymous, make_category):
    wanted = [str(make_category().public_id) for _ in range(25)]
    make_category()

    response = anonymous.get(URL, {"ids": ",".join(wanted)})

    assert {row["id"] for row in response.json()["data"]} == set(wanted)
    assert response.json()["next_cursor"] is None


def test_continues_after_the_cursor(anonymous, make_category):
    made = [make_category(f"c-{number}").slug for number in range(5)]
    first = anonymous.get(URL, {"limit": 3})

    second = anonymous.get(URL, {"limit": 3, "cursor": first.json()["next_cursor"]})

    assert slugs(first) + slugs(second) == made
    assert second.json()["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("parent=7", "parent"),
        ("status=gone", "status"),
        ("ids=", "ids"),
        ("ids=1,2", "ids"),
        ("ids=" + ",".join(["00000000-0000-0000-0000-000000000000"] * 101), "ids"),
        ("q=" + "x" * 101, "q"),
        ("q=%00", "q"),
        ("path=", "path"),
        ("path=%00", "path"),
    ],
)
def test_points_at_a_wrong_parameter(editor, query, parameter):
    response = editor.get(f"{URL}?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert response.json()["errors"][0]["pointer"] == f"?{parameter}"


@pytest.mark.parametrize("query", ["colour=red", "q=a&q=b", "path=a&q=b", "path=a&limit=1"])
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


def test_asks_as_many_queries_for_a_full_page_as_for_one(anonymous, make_category, django_assert_num_queries):
    root = make_category()
    [make_category(parent=root) for _ in range(30)]

    with django_assert_num_queries(2):
        anonymous.get(URL, {"limit": 100})


def test_leaves_out_what_is_deleted_while_it_is_read(make_category):
    kept, gone = make_category("kept"), make_category("gone")
    read = list(Category.objects.select_related("parent").order_by("position"))
    gone.delete()

    assert [row.id for row in queries.rows_of(read)] == [kept.public_id]
