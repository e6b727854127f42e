import pytest

from catalog_product.models import Brand

pytestmark = pytest.mark.django_db
URL = "/api/v1/brands"
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def post(client, body):
    return client.post(URL, body, format="json")


def patch(client, brand, body, tag='"1"'):
    headers = {} if tag is None else {"If-Match": tag}
    return client.patch(f"{URL}/{brand.public_id}", body, format="json", headers=headers)


def delete(client, brand, tag='"1"'):
    headers = {} if tag is None else {"If-Match": tag}
    return client.delete(f"{URL}/{brand.public_id}", headers=headers)


def test_adds_a_brand(editor):
    response = post(editor, {"name": "Élan & Söhne", "description": "d"})

    row = response.json()
    assert response.status_code == 201
    assert (row["name"], row["slug"], row["description"]) == ("Élan & Söhne", "elan-sohne", "d")
    assert response["Location"] == f"{URL}/{row['id']}"
    assert response["ETag"] == '"1"'


@pytest.mark.parametrize("slug", ["alder", "ALDER"])
def test_adds_no_slug_twice(editor, make_brand, slug):
    make_brand(slug="alder")

    response = post(editor, {"name": "Alder", "slug": slug})

    assert (response.status_code, response.json()["code"]) == (409, "slug-taken")
    assert response.json()["errors"][0]["pointer"] == "#/slug"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"name": None}, "#/name", "null"),
        ({"name": " "}, "#/name", "blank"),
        ({"name": 7}, "#/name", "invalid"),
        ({"name": "x" * 121}, "#/name", "max-length"),
        ({"slug": "a b"}, "#/slug", "invalid"),
        ({"name": "日本"}, "#/slug", "required"),
        ({"description": 7}, "#/description", "invalid"),
        ({"logo": "x"}, "#/logo", "unknown"),
    ],
)
def test_points_at_a_wrong_member(editor, change, pointer, code):
    response = post(editor, {"name": "Alder"} | change)

    assert response.status_code == 400
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]
    assert not Brand.objects.exists()


def test_changes_what_it_is_told_and_nothing_else(editor, make_brand):
    brand = make_brand("Alder", description="d")

    response = patch(editor, brand, {"name": "Birch"})

    row = response.json()
    assert (row["name"], row["slug"], row["description"]) == ("Birch", brand.slug, "d")
    assert response["ETag"] == '"2"'


def test_takes_the_description_away_for_null(editor, make_brand):
    assert patch(editor, make_brand(description="d"), {"description": None}).json()["description"] == ""


def test_makes_no_version_of_no_change(editor, make_brand):
    assert patch(editor, make_brand("Alder"), {"name": "Alder"})["ETag"] == '"1"'


def test_changes_no_slug_to_one_that_is_taken(editor, make_brand):
    make_brand(slug="alder")

    assert patch(editor, make_brand(), {"slug": "Alder"}).json()["code"] == "slug-taken"


@pytest.mark.parametrize("write", [lambda *a, **k: patch(*a[:2], {"name": "x"}, *a[2:]), delete])
def test_requires_the_present_tag(editor, make_brand, write):
    brand = make_brand()

    assert write(editor, brand, None).status_code == 428
    assert write(editor, brand, '"2"').status_code == 412
    assert write(editor, Brand(public_id=UNKNOWN), "*").status_code == 404


def test_deletes_what_no_product_has(editor, make_brand):
    response = delete(editor, make_brand())

    assert (response.status_code, response.content) == (204, b"")
    assert not Brand.objects.exists()


@pytest.mark.parametrize("status", ["draft", "published", "archived"])
def test_deletes_no_brand_that_a_product_has(editor, make_brand, make_product, status):
    brand = make_brand()
    make_product(brand=brand.public_id, status=status)

    response = delete(editor, brand)

    assert (response.status_code, response.json()["code"]) == (409, "brand-in-use")
    assert Brand.objects.exists()


def test_refuses_the_anonymous(anonymous, make_brand):
    brand = make_brand()

    assert post(anonymous, {"name": "x"}).status_code == 401
    assert patch(anonymous, brand, {"name": "x"}).status_code == 401
    assert delete(anonymous, brand).status_code == 401


@pytest.mark.parametrize("scope", ["", "catalog:read", "catalog:admin"])
def test_refuses_another_scope(as_staff, make_brand, scope):
    client, brand = as_staff(scope), make_brand()

    assert post(client, {"name": "x"}).status_code == 403
    assert patch(client, brand, {"name": "x"}).status_code == 403
    assert delete(client, brand).status_code == 403


def test_asks_few_queries(editor, make_brand, django_assert_num_queries):
    brand = make_brand()

    with django_assert_num_queries(3):
        post(editor, {"name": "x"})
    with django_assert_num_queries(6):
        patch(editor, brand, {"name": "y"})
    with django_assert_num_queries(6):
        delete(editor, brand, "*")
