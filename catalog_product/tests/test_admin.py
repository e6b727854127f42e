import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog_product.models import Brand, Media, Product

pytestmark = pytest.mark.django_db
ROOT = "/admin/products/"
PRODUCTS = f"{ROOT}catalog_product/product/"
BRANDS = f"{ROOT}catalog_product/brand/"
MEDIA = f"{ROOT}catalog_product/media/"
CATEGORY = "01999999-0000-7000-8000-000000000000"
PAGES = [ROOT, PRODUCTS, f"{PRODUCTS}add/", BRANDS, f"{BRANDS}add/", MEDIA, f"{MEDIA}add/"]
PRODUCT = {
    "title": "Shoe",
    "slug": "shoe",
    "subtitle": "",
    "brand": "",
    "status": "published",
    "categories": "",
    "description": "",
    "details": "",
}


@pytest.fixture
def admin(as_staff):
    """Staff with the admin's scope."""
    return as_staff("catalog:admin")


def page_of(row, root):
    return f"{root}{row.pk}/change/"


def form_of(product, **changes):
    shown = {"title": product.title, "slug": product.slug, "status": product.status}
    return PRODUCT | shown | {"seen": product.version} | changes


def test_lists_products_with_a_small_picture(admin, make_product, add_media):
    media = add_media(make_product("shoe"), alt="From the side")

    page = admin.get(PRODUCTS)

    text = page.content.decode()
    assert page.status_code == 200
    assert f'<img src="/media/products/{media.picture.sha256}/1280.webp" alt="From the side"' in text
    assert page["Cache-Control"] == "no-store"


def test_finds_by_title_and_filters_by_status(admin, make_product):
    make_product("shoe")
    make_product("hat", status="draft")

    assert "1 product" in admin.get(PRODUCTS, {"q": "sho"}).content.decode()
    assert "1 product" in admin.get(PRODUCTS, {"status__exact": "draft"}).content.decode()


def test_adds_a_product(admin, make_brand, category_service):
    brand = make_brand()
    lines = {"details": "Material: Leather\n\nCare: Wipe: gently", "categories": f" {CATEGORY}\n"}

    response = admin.post(f"{PRODUCTS}add/", PRODUCT | lines | {"brand": brand.pk})

    added = Product.objects.get(slug="shoe")
    assert response.status_code == 302
    assert [one["value"] for one in added.details] == ["Leather", "Wipe: gently"]
    assert str(added.in_categories.get().category) == CATEGORY
    assert (added.brand, added.published_at is None) == (brand, False)
    assert LogEntry.objects.get().object_id == str(added.pk)
    assert LogEntry.objects.get().user.username == admin.sub


def test_shows_a_product_as_it_was_saved(admin, make_product, add_media, category_service):
    details = [{"label": "Material", "value": "Leather"}]
    product = make_product("shoe", details=details, categories=[CATEGORY])
    media = add_media(product)

    text = admin.get(page_of(product, PRODUCTS)).content.decode()

    assert "Material: Leather" in text
    assert CATEGORY in text
    assert f"/media/products/{media.picture.sha256}/" in text
    assert f'href="../../../media/{media.pk}/change/"' in text


def test_changes_a_product(admin, make_product):
    product = make_product("shoe")

    response = admin.post(page_of(product, PRODUCTS), form_of(product, title="Boot", status="archived"))

    product.refresh_from_db()
    assert response.status_code == 302
    assert (product.title, product.status, product.version) == ("Boot", "archived", 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slug": "HAT"}, "Another product has this slug."),
        ({"slug": "a b"}, "Enter a valid value."),
        ({"title": ""}, "This field is required."),
        ({"details": "Leather"}, "Not `Label: value`: Leather"),
        ({"details": "a: b\n" * 41}, "At most 40 lines."),
        ({"categories": "shoes"}, "Enter ids of categories, one a line."),
        ({"categories": f"{CATEGORY} {CATEGORY}"}, "none of them twice."),
        ({"categories": CATEGORY}, "There is no category with this id."),
    ],
)
def test_says_what_is_wrong_and_keeps_what_was_typed(admin, make_product, category_service, changes, message):
    category_service.status = 404
    make_product("hat")
    shoe = make_product("shoe")

    response = admin.post(page_of(shoe, PRODUCTS), form_of(shoe, description="typed") | changes)

    assert response.status_code == 200
    assert message in response.content.decode()
    assert "typed" in response.content.decode()
    shoe.refresh_from_db()
    assert (shoe.slug, shoe.version) == ("shoe", 1)


def test_does_not_undo_what_somebody_else_changed_meanwhile(admin, make_product):
    shoe = make_product("shoe")
    form = form_of(shoe, title="Mine")
    admin.post(page_of(shoe, PRODUCTS), form_of(shoe, title="Theirs"))

    response = admin.post(page_of(shoe, PRODUCTS), form)

    text = response.content.decode()
    shoe.refresh_from_db()
    assert (response.status_code, shoe.title) == (200, "Theirs")
    assert "changed since it was read" in text
    assert 'value="Mine"' in text


def test_keeps_what_was_typed_when_the_category_service_is_away(admin, make_product, no_category_service):
    shoe = make_product("shoe")
    form = form_of(shoe, title="Typed", categories=CATEGORY)

    response = admin.post(page_of(shoe, PRODUCTS), form)

    text = response.content.decode()
    assert response.status_code == 200
    assert "A service that must be asked does not answer." in text
    assert 'value="Typed"' in text
    assert CATEGORY in text


@pytest.mark.parametrize("page", ["add/", "{}/change/"])
def test_keeps_what_was_typed_when_the_slug_is_taken_meanwhile(admin, make_product, monkeypatch, page):
    make_product("hat")
    shoe = make_product("shoe")
    # As though the other product had come after the form was checked.
    monkeypatch.setattr(Product, "validate_constraints", lambda *args, **kwargs: None)

    response = admin.post(f"{PRODUCTS}{page.format(shoe.pk)}", form_of(shoe, title="Typed", slug="hat"))

    text = response.content.decode()
    assert response.status_code == 200
    assert "Another one has this slug." in text
    assert 'value="Typed"' in text
    assert sorted(Product.objects.values_list("slug", flat=True)) == ["hat", "shoe"]


def test_keeps_what_was_typed_of_a_brand(admin, make_brand):
    brand = make_brand("Alder", slug="alder")
    form = {"name": "Mine", "slug": "alder", "description": "", "seen": brand.version}
    admin.post(page_of(brand, BRANDS), form | {"name": "Theirs"})

    response = admin.post(page_of(brand, BRANDS), form)

    text = response.content.decode()
    brand.refresh_from_db()
    assert (response.status_code, brand.name) == (200, "Theirs")
    assert "changed since it was read" in text
    assert 'value="Mine"' in text


def test_deletes_no_product(admin, make_product):
    shoe = make_product()

    assert admin.post(f"{PRODUCTS}{shoe.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Product.objects.exists()


def test_uploads_a_picture(admin, make_product, make_image):
    shoe = make_product("shoe")
    file = SimpleUploadedFile("a.png", make_image("red", (200, 100)))
    form = {"product": shoe.pk, "file": file, "alt": "Side", "options": '{"colour": "red"}', "place": "0"}

    response = admin.post(f"{MEDIA}add/", form)

    media = Media.objects.get()
    assert response.status_code == 302
    assert (media.product, media.alt, media.options) == (shoe, "Side", {"colour": "red"})
    assert media.picture.color == "#ff0000"
    assert LogEntry.objects.get().object_id == str(media.pk)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alt": " "}, "This field is required."),
        ({"options": "red"}, "Enter a valid JSON."),
        ({"options": '["red"]'}, "Enter codes of options and values"),
        (
            {"file": SimpleUploadedFile("a.svg", b"<svg/>")},
            "The file is not a complete JPEG, PNG or WebP picture.",
        ),
        ({"file": SimpleUploadedFile("a.png", b"\0" * (8 * 2**20 + 1))}, "A picture may have"),
    ],
)
def test_says_why_it_takes_no_picture(admin, make_product, make_image, changes, message):
    file = SimpleUploadedFile("a.png", make_image())
    form = {"product": make_product().pk, "file": file, "alt": "Side", "options": "{}", "place": ""}

    response = admin.post(f"{MEDIA}add/", form | changes)

    assert response.status_code == 200
    assert message in response.content.decode()
    assert not Media.objects.exists()


def test_keeps_what_was_typed_of_a_picture_that_is_there_already(admin, make_product, make_image, add_media):
    shoe = make_product()
    add_media(shoe, data=make_image())
    file = SimpleUploadedFile("a.png", make_image())

    response = admin.post(f"{MEDIA}add/", {"product": shoe.pk, "file": file, "alt": "Typed", "options": "{}"})

    text = response.content.decode()
    assert response.status_code == 200
    assert "This product shows the same picture for the same options." in text
    assert 'value="Typed"' in text


def test_shows_and_changes_a_picture(admin, make_product, add_media):
    shoe = make_product()
    first, second = add_media(shoe, "red"), add_media(shoe, "green")
    form = {"alt": "Sole", "options": "", "place": "0", "seen": "3"}

    shown = admin.get(page_of(second, MEDIA)).content.decode()
    response = admin.post(page_of(second, MEDIA), form)

    first.refresh_from_db()
    second.refresh_from_db()
    assert f'<img src="/media/products/{second.picture.sha256}/' in shown
    assert response.status_code == 302
    assert (second.alt, second.position, first.position) == ("Sole", 0, 1)


def test_does_not_undo_what_somebody_else_said_of_a_picture(admin, make_product, add_media):
    media = add_media(make_product())
    form = {"alt": "Theirs", "options": "", "place": "", "seen": "2"}
    admin.post(page_of(media, MEDIA), form)

    response = admin.post(page_of(media, MEDIA), form | {"alt": "Mine"})

    text = response.content.decode()
    media.refresh_from_db()
    assert (response.status_code, media.alt) == (200, "Theirs")
    assert "changed since it was read" in text
    assert 'value="Mine"' in text


def test_takes_a_picture_away(admin, make_product, add_media):
    shoe = make_product()
    media = add_media(shoe)

    response = admin.post(f"{MEDIA}{media.pk}/delete/", {"post": "yes"})

    shoe.refresh_from_db()
    assert response.status_code == 302
    assert (shoe.media.count(), shoe.version) == (0, 3)


def test_adds_changes_and_deletes_a_brand(admin):
    form = {"name": "Alder", "slug": "alder", "description": ""}

    admin.post(f"{BRANDS}add/", form)
    brand = Brand.objects.get(slug="alder")
    admin.post(page_of(brand, BRANDS), form | {"name": "Birch", "seen": brand.version})
    brand.refresh_from_db()
    deleted = admin.post(f"{BRANDS}{brand.pk}/delete/", {"post": "yes"})

    assert (brand.name, brand.version) == ("Birch", 2)
    assert (deleted.status_code, Brand.objects.exists()) == (302, False)


def test_says_why_it_deletes_no_brand(admin, make_brand, make_product):
    brand = make_brand()
    make_product(brand=brand.public_id)

    response = admin.post(f"{BRANDS}{brand.pk}/delete/", {"post": "yes"}, follow=True)

    assert "Cannot delete brand" in response.content.decode()
    assert Brand.objects.exists()


def test_completes_the_name_of_a_brand(admin, make_brand):
    make_brand("Alder")
    names = {"app_label": "catalog_product", "model_name": "product", "field_name": "brand"}

    response = admin.get(f"{ROOT}autocomplete/", names | {"term": "ald"})

    assert [found["text"] for found in response.json()["results"]] == ["Alder"]


@pytest.mark.parametrize(("page", "queries"), [(PRODUCTS, 7), (MEDIA, 5), (BRANDS, 5)])
def test_asks_the_same_queries_however_long_the_list_is(
    admin, make_product, make_brand, add_media, django_assert_max_num_queries, page, queries
):
    admin.get(ROOT)
    [add_media(make_product(brand=make_brand().public_id)) for _ in range(5)]

    with django_assert_max_num_queries(queries):
        admin.get(page)


def test_serves_its_own_static_files(admin):
    response = admin.get(f"{ROOT}static/admin/css/base.css")

    assert response.status_code == 200
    response.close()


@pytest.mark.parametrize("page", PAGES)
def test_refuses_the_anonymous(anonymous, page):
    assert anonymous.get(page).status_code == 401


@pytest.mark.parametrize("page", PAGES)
def test_refuses_everybody_else(as_staff, as_user, page):
    assert as_user("catalog:admin").get(page).status_code == 403
    assert as_staff("catalog:write").get(page).status_code == 403
