import pytest

pytestmark = pytest.mark.django_db
URL = "/api/v1/categories"
UNKNOWN = "01999999-0000-7000-8000-000000000000"


@pytest.fixture
def family(make_category):
    """A root, a child with two siblings, one of them a draft, and two grandchildren, one a draft."""
    root = make_category("shoes")
    child = make_category("boots", parent=root)
    make_category("pumps", parent=root)
    make_category("clogs", parent=root, status="draft")
    make_category("winter", parent=child)
    make_category("hiking", parent=child, status="archived")
    return child


def paths(response, member):
    return [link["path"] for link in response.json()[member]]


def test_shows_a_category_amid_its_family(anonymous, family):
    response = anonymous.get(f"{URL}/{family.public_id}")

    assert response.status_code == 200
    assert response.json()["path"] == "shoes/boots"
    assert paths(response, "breadcrumb") == ["shoes", "shoes/boots"]
    assert paths(response, "children") == ["shoes/boots/winter"]
    assert paths(response, "siblings") == ["shoes/pumps"]


def test_shows_links_that_say_what_they_lead_to(anonymous, family):
    link = anonymous.get(f"{URL}/{family.public_id}").json()["breadcrumb"][1]

    assert link == {
        "id": str(family.public_id),
        "name": "Boots",
        "slug": "boots",
        "path": "shoes/boots",
        "status": "published",
    }


def test_shows_all_of_the_family_to_who_may_read_drafts(editor, family):
    response = editor.get(f"{URL}/{family.public_id}")

    assert paths(response, "children") == ["shoes/boots/winter", "shoes/boots/hiking"]
    assert paths(response, "siblings") == ["shoes/pumps", "shoes/clogs"]


def test_shows_roots_beside_a_root(anonymous, make_category):
    root = make_category("shoes")
    make_category("hats")

    assert paths(anonymous.get(f"{URL}/{root.public_id}"), "siblings") == ["hats"]


def test_finds_it_by_its_path_in_any_case(anonymous, family):
    by_id = anonymous.get(f"{URL}/{family.public_id}")

    by_path = anonymous.get(URL, {"path": "Shoes/BOOTS"})

    assert by_path.json() == by_id.json()
    assert by_path["ETag"] == by_id["ETag"]


@pytest.mark.parametrize(
    "path", ["boots", "shoes/hats", "shoes/boots/winter/x", "/shoes", "shoes/", "x/shoes"]
)
def test_finds_nothing_at_another_path(anonymous, family, path):
    response = anonymous.get(URL, {"path": path})

    assert (response.status_code, response.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_hides_what_hangs_below_something_hidden(anonymous, editor, make_category, status):
    leaf = make_category("leaf", parent=make_category("hidden", status=status))

    assert anonymous.get(f"{URL}/{leaf.public_id}").status_code == 404
    assert anonymous.get(URL, {"path": "hidden/leaf"}).status_code == 404
    assert editor.get(f"{URL}/{leaf.public_id}").status_code == 200


def test_hides_a_draft_from_a_customer(customer, make_category):
    draft = make_category(status="draft")

    assert customer.get(f"{URL}/{draft.public_id}").status_code == 404


def test_does_not_know_others(anonymous):
    assert anonymous.get(f"{URL}/{UNKNOWN}").status_code == 404
    assert anonymous.get(f"{URL}/7").status_code == 404


def test_answers_304_until_itself_or_its_family_changes(anonymous, make_category, family):
    url = f"{URL}/{family.public_id}"
    tag = anonymous.get(url)["ETag"]

    unchanged = anonymous.get(url, headers={"If-None-Match": tag})
    make_category("summer", parent=family)
    changed = anonymous.get(url, headers={"If-None-Match": tag})

    assert (unchanged.status_code, changed.status_code) == (304, 200)
    assert unchanged["Cache-Control"] == "public, max-age=30, stale-while-revalidate=300"


def test_refuses_a_parameter_it_does_not_know(anonymous, family):
    assert anonymous.get(f"{URL}/{family.public_id}?depth=2").status_code == 400


def test_refuses_a_bad_token(anonymous, family):
    headers = {"Authorization": "Bearer a.b.c"}

    assert anonymous.get(f"{URL}/{family.public_id}", headers=headers).status_code == 401


def test_asks_two_queries_however_large_the_family_is(
    anonymous, make_category, family, django_assert_num_queries
):
    [make_category(parent=family) for _ in range(20)]

    with django_assert_num_queries(2):
        anonymous.get(f"{URL}/{family.public_id}")
