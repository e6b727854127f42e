import pytest
from django.contrib.admin.models import LogEntry

from catalog_category.models import Category

pytestmark = pytest.mark.django_db
ROOT = "/admin/categories/"
LIST = f"{ROOT}catalog_category/category/"
FORM = {
    "name": "Shoes",
    "slug": "shoes",
    "status": "published",
    "parent": "",
    "position": "",
    "description": "",
}


@pytest.fixture
def admin(as_staff):
    """Staff with the admin's scope."""
    return as_staff("catalog:admin")


def change_url(category):
    return f"{LIST}{category.pk}/change/"


def form_of(category, **changes):
    parent = category.parent_id or ""
    shown = {"name": category.name, "slug": category.slug, "status": category.status, "parent": parent}
    return FORM | shown | {"position": category.position, "seen": category.version} | changes


def test_lists_the_tree_as_it_is_read(admin, make_category):
    shoes = make_category("shoes")
    make_category("hats")
    make_category("boots", parent=shoes)

    page = admin.get(LIST)

    text = page.content.decode()
    assert page.status_code == 200
    assert text.index(">Shoes<") < text.index(">\u2003Boots<") < text.index(">Hats<")
    assert page["Cache-Control"] == "no-store"


def test_finds_by_name_and_filters_by_status(admin, make_category):
    make_category("shoes")
    make_category("hats", status="draft")

    assert "1 category" in admin.get(LIST, {"q": "sho"}).content.decode()
    assert "1 category" in admin.get(LIST, {"status__exact": "draft"}).content.decode()


def test_adds_a_category(admin, make_category):
    root = make_category("root")

    response = admin.post(f"{LIST}add/", FORM | {"parent": root.pk})

    added = Category.objects.get(slug="shoes")
    assert response.status_code == 302
    assert (added.parent, added.position) == (root, 0)
    assert LogEntry.objects.get().object_id == str(added.pk)
    assert LogEntry.objects.get().user.username == admin.sub


def test_changes_and_moves_a_category(admin, make_category):
    root, shoes = make_category("root"), make_category("shoes")

    response = admin.post(change_url(shoes), form_of(shoes, name="Footwear", parent=root.pk))

    shoes.refresh_from_db()
    assert response.status_code == 302
    assert (shoes.name, shoes.parent, shoes.version) == ("Footwear", root, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slug": "HATS"}, "Another category at this place has this slug."),
        ({"slug": "a b"}, "Enter a valid value."),
        ({"name": ""}, "This field is required."),
        ({"parent": "itself"}, "A category cannot hang below itself."),
    ],
)
def test_says_what_is_wrong_and_keeps_what_was_typed(admin, make_category, changes, message):
    make_category("hats")
    shoes = make_category("shoes")
    if changes.get("parent"):
        changes = {"parent": shoes.pk}

    response = admin.post(change_url(shoes), form_of(shoes, description="typed") | changes)

    assert response.status_code == 200
    assert message in response.content.decode()
    assert "typed" in response.content.decode()
    shoes.refresh_from_db()
    assert (shoes.slug, shoes.version) == ("shoes", 1)


def test_does_not_undo_what_somebody_else_changed_meanwhile(admin, make_category):
    shoes = make_category("shoes")
    form = form_of(shoes, name="Mine")
    admin.post(change_url(shoes), form_of(shoes, name="Theirs"))

    response = admin.post(change_url(shoes), form, follow=True)

    assert "changed since it was read" in response.content.decode()
    shoes.refresh_from_db()
    assert shoes.name == "Theirs"


def test_deletes_what_no_product_is_in(admin, make_category, product_service):
    shoes = make_category("shoes")

    response = admin.post(f"{LIST}{shoes.pk}/delete/", {"post": "yes"})

    assert response.status_code == 302
    assert not Category.objects.exists()


def test_says_why_it_deletes_nothing(admin, make_category, product_service):
    product_service.body = b'{"products": 2}'
    shoes = make_category("shoes")

    response = admin.post(f"{LIST}{shoes.pk}/delete/", {"post": "yes"}, follow=True)

    assert "Move the products to another category" in response.content.decode()
    assert Category.objects.exists()


@pytest.mark.parametrize("parent", ["x", "%FF%FE", "NaN", "9" * 30, "-1", "1,2"])
def test_shows_an_empty_form_for_a_parent_that_is_none(admin, parent):
    assert admin.get(f"{LIST}add/?parent={parent}").status_code == 200


def test_shows_a_form_with_the_parent_that_the_address_names(admin, make_category):
    parent = make_category("shoes")

    page = admin.get(f"{LIST}add/?parent={parent.pk}").content.decode()

    assert f'<option value="{parent.pk}" selected' in page


def test_completes_the_name_of_a_parent(admin, make_category):
    make_category("shoes")
    names = {"app_label": "catalog_category", "model_name": "category", "field_name": "parent"}

    response = admin.get(f"{ROOT}autocomplete/", names | {"term": "sho"})

    assert [found["text"] for found in response.json()["results"]] == ["Shoes"]


def test_asks_the_same_queries_however_long_the_list_is(admin, make_category, django_assert_max_num_queries):
    admin.get(ROOT)
    [make_category() for _ in range(5)]

    with django_assert_max_num_queries(5):
        admin.get(LIST)


def test_serves_its_own_static_files(admin):
    response = admin.get(f"{ROOT}static/admin/css/base.css")

    assert response.status_code == 200
    response.close()


@pytest.mark.parametrize("page", [ROOT, LIST, f"{LIST}add/"])
def test_refuses_the_anonymous(anonymous, page):
    assert anonymous.get(page).status_code == 401


@pytest.mark.parametrize("page", [ROOT, LIST, f"{LIST}add/"])
def test_refuses_everybody_else(as_staff, as_user, page):
    assert as_user("catalog:admin").get(page).status_code == 403
    assert as_staff("catalog:write").get(page).status_code == 403
