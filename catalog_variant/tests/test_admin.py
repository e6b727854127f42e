import pytest
from django.contrib.admin.models import LogEntry

from catalog_variant.models import Option, OptionValue, StockMovement, Variant
from chassis.ids import uuid7

pytestmark = pytest.mark.django_db
ROOT = "/admin/variants/"
LISTS = {name: f"{ROOT}catalog_variant/{name}/" for name in ("option", "variant", "stockmovement")}
PAGES = [ROOT, *LISTS.values(), *(f"{page}add/" for page in LISTS.values())]
PRODUCT = str(uuid7())
VARIANT = {
    "product": PRODUCT,
    "sku": "SHIRT",
    "price_minor": "1990",
    "currency": "EUR",
    "compare_at_minor": "",
    "barcode": "",
    "weight_grams": "",
    "status": "published",
    "position": "",
    "safety": "0",
    "seen": "1",
}
OPTION = {
    "code": "size",
    "name": "Size",
    "display": "pill",
    "position": "",
    "seen": "1",
    "values-TOTAL_FORMS": "1",
    "values-INITIAL_FORMS": "0",
    "values-0-code": "m",
    "values-0-name": "M",
    "values-0-swatch": "",
    "values-0-position": "",
}


@pytest.fixture
def admin(as_staff):
    """Staff with the admin's scope."""
    return as_staff("stock:admin")


def change_url(kind, row):
    return f"{LISTS[kind]}{row.pk}/change/"


def ids_of(*codes):
    return [OptionValue.objects.get(code=code).pk for code in codes]


def movement(variant, **changes):
    return {
        "variant": variant.pk,
        "delta": "5",
        "reason": "receive",
        "note": "Delivery",
        "key": str(uuid7()),
    } | changes


def errors_of(response):
    return response.context["adminform"].form.errors


@pytest.mark.parametrize("page", PAGES)
def test_shows_its_pages(admin, make_variant, make_option, adjust, page):
    make_option("size", "m")
    adjust(make_variant(options={"size": "m"}), 5)

    response = admin.get(page)

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"


def test_finds_a_variant_by_its_sku(admin, make_variant):
    make_variant(sku="SHIRT-1")
    make_variant(sku="HAT")

    assert "1 variant" in admin.get(LISTS["variant"], {"q": "shirt"}).content.decode()


@pytest.mark.parametrize(
    ("stock", "found"),
    [("in", "1 variant"), ("out", "0 variants"), ("promised", "0 variants"), ("x", "1 variant")],
)
def test_finds_variants_by_their_stock(admin, make_variant, adjust, stock, found):
    adjust(make_variant(), 5)

    page = admin.get(f"{ROOT}catalog_variant/variant/", {"stock": stock}).content.decode()

    assert found in page


def test_finds_the_variants_of_a_product(admin, make_variant):
    variant = make_variant()

    page = admin.get(f"{ROOT}catalog_variant/variant/", {"product": str(variant.product)}).content.decode()

    assert f"?product={variant.product}" in page
    assert "1 variant" in page


def test_adds_a_variant(admin, product_service, shirt):
    response = admin.post(f"{LISTS['variant']}add/", VARIANT | {"values": ids_of("forest", "m")})

    added = Variant.objects.get()
    assert response.status_code == 302
    assert (added.sku, str(added.product), added.value_ids) == ("SHIRT", PRODUCT, ids_of("forest", "m"))
    assert LogEntry.objects.get().object_id == str(added.pk)
    assert LogEntry.objects.get().user.username == admin.sub


def test_changes_a_variant_and_its_options(admin, make_variant, shirt):
    variant = make_variant(PRODUCT, {"colour": "sand", "size": "m"})
    form = VARIANT | {"price_minor": "1790", "compare_at_minor": "1990", "values": ids_of("l")}

    response = admin.post(change_url("variant", variant), form)

    variant.refresh_from_db()
    assert response.status_code == 302
    assert (variant.price_minor, variant.price_version, variant.compare_at_minor) == (1790, 2, 1990)
    assert variant.value_ids == ids_of("l")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sku": "hat"}, "Another variant has this SKU."),
        ({"sku": "a b"}, "Enter a valid value."),
        ({"price_minor": "0"}, "greater than or equal to 1"),
        ({"compare_at_minor": "5"}, "variant_compare_at_check"),
        ({"barcode": "4006381333930"}, "This is no GTIN"),
        ({"values": "twice"}, "Choose one value of each option."),
    ],
)
def test_says_what_is_wrong_and_keeps_what_was_typed(admin, make_variant, shirt, changes, message):
    make_variant(sku="HAT")
    variant = make_variant()
    if changes.get("values"):
        changes = {"values": ids_of("s", "m")}

    response = admin.post(change_url("variant", variant), VARIANT | {"weight_grams": "4711"} | changes)

    assert response.status_code == 200
    assert message in response.content.decode()
    assert "4711" in response.content.decode()
    variant.refresh_from_db()
    assert variant.version == 1


def test_says_why_the_options_cannot_be_and_keeps_what_was_typed(admin, make_variant, shirt):
    make_variant(PRODUCT, {"size": "m"})
    form = VARIANT | {"weight_grams": "4711", "values": ids_of("sand")}

    response = admin.post(f"{LISTS['variant']}add/", form)

    assert response.status_code == 200
    assert "Options differ." in response.content.decode()
    assert "Other variants of the product choose from other options." in errors_of(response)["values"]
    assert 'value="4711"' in response.content.decode()
    assert f'value="{ids_of("sand")[0]}" selected' in response.content.decode()
    assert Variant.objects.count() == 1


def test_says_that_a_variant_exists_beside_its_options(admin, make_variant, shirt):
    make_variant(PRODUCT, {"size": "m"})

    response = admin.post(f"{LISTS['variant']}add/", VARIANT | {"values": ids_of("m")})

    assert "Another variant of the product has the same options." in errors_of(response)["values"]


def test_keeps_what_was_typed_while_the_product_service_is_away(admin, no_product_service):
    response = admin.post(f"{LISTS['variant']}add/", VARIANT | {"weight_grams": "4711"})

    assert response.status_code == 200
    assert "unavailable" in errors_of(response)["__all__"][0]
    assert 'value="4711"' in response.content.decode()
    assert not Variant.objects.exists()


def test_says_beside_the_product_that_there_is_none(admin, product_service):
    product_service.status, product_service.body = 404, b"{}"

    response = admin.post(f"{LISTS['variant']}add/", VARIANT)

    assert errors_of(response)["product"] == ["There is no product with this id."]


def test_says_that_what_was_read_has_changed_and_keeps_what_was_typed(admin, make_variant):
    variant = make_variant()
    admin.post(change_url("variant", variant), VARIANT)

    response = admin.post(change_url("variant", variant), VARIANT | {"weight_grams": "4711"})

    assert response.status_code == 200
    assert "changed since it was read" in errors_of(response)["__all__"][0]
    assert 'value="4711"' in response.content.decode()


def test_does_not_undo_what_somebody_else_changed_meanwhile(admin, make_variant):
    variant = make_variant()
    admin.post(change_url("variant", variant), VARIANT | {"sku": "THEIRS"})

    response = admin.post(change_url("variant", variant), VARIANT | {"sku": "MINE"}, follow=True)

    assert "changed since it was read" in response.content.decode()
    variant.refresh_from_db()
    assert variant.sku == "THEIRS"


def test_changes_no_stock_with_the_form_of_a_variant(admin, make_variant):
    variant = make_variant()

    admin.post(change_url("variant", variant), VARIANT | {"on_hand": "7", "reserved": "7"})

    variant.refresh_from_db()
    assert (variant.on_hand, variant.reserved) == (0, 0)


def test_adds_an_option_with_values(admin):
    response = admin.post(f"{LISTS['option']}add/", OPTION)

    option = Option.objects.get()
    assert response.status_code == 302
    assert (option.code, option.position, option.version) == ("size", 0, 2)
    assert list(option.values.values_list("code", "position")) == [("m", 0)]


def test_changes_adds_and_deletes_values(admin, make_option):
    option = make_option("size", "s", "m")
    small, medium = option.values.order_by("position")
    form = OPTION | {
        "values-TOTAL_FORMS": "3",
        "values-INITIAL_FORMS": "2",
        "values-0-id": small.pk,
        "values-0-name": "Small",
        "values-0-code": "s",
        "values-0-position": "0",
        "values-1-id": medium.pk,
        "values-1-code": "m",
        "values-1-name": "M",
        "values-1-position": "1",
        "values-1-DELETE": "on",
        "values-2-code": "l",
        "values-2-name": "L",
        "values-2-position": "",
    }

    response = admin.post(change_url("option", option), form)

    assert response.status_code == 302
    assert list(option.values.order_by("position").values_list("code", "name")) == [
        ("s", "Small"),
        ("l", "L"),
    ]


def test_saves_nothing_of_an_option_of_which_a_value_is_refused_and_keeps_what_was_typed(admin):
    second = {name.replace("-0-", "-1-"): value for name, value in OPTION.items() if "-0-" in name}
    form = OPTION | second | {"values-TOTAL_FORMS": "2", "values-0-name": "typed"}

    response = admin.post(f"{LISTS['option']}add/", form)

    assert response.status_code == 200
    assert "Code taken." in errors_of(response)["__all__"][0]
    assert 'value="typed"' in response.content.decode()
    assert not Option.objects.exists()


def test_keeps_a_value_that_a_variant_has_and_what_was_typed(admin, make_option, make_variant):
    option = make_option("size", "m")
    make_variant(options={"size": "m"})
    value = {"values-INITIAL_FORMS": "1", "values-0-id": option.values.get().pk, "values-0-DELETE": "on"}

    response = admin.post(change_url("option", option), OPTION | value | {"name": "typed"})

    option.refresh_from_db()
    assert "Option in use." in errors_of(response)["__all__"][0]
    assert 'value="typed"' in response.content.decode()
    assert (option.name, option.values.count()) == ("Size", 1)


def test_deletes_an_option_that_nothing_chooses_from(admin, make_option):
    option = make_option("size", "m")

    response = admin.post(f"{LISTS['option']}{option.pk}/delete/", {"post": "yes"})

    assert response.status_code == 302
    assert not Option.objects.exists()


def test_says_why_it_deletes_nothing(admin, make_option, make_variant):
    option = make_option("size", "m")
    make_variant(options={"size": "m"})

    response = admin.post(f"{LISTS['option']}{option.pk}/delete/", {"post": "yes"}, follow=True)

    assert "Option in use" in response.content.decode()
    assert Option.objects.exists()


def test_moves_stock_once_for_one_form(admin, make_variant):
    variant = make_variant()
    form = movement(variant)

    responses = [admin.post(f"{LISTS['stockmovement']}add/", form) for _ in range(2)]

    made = StockMovement.objects.get()
    assert [response.status_code for response in responses] == [302, 302]
    assert (made.delta, made.note, made.actor_sub) == (5, "Delivery", admin.sub)
    assert Variant.objects.get().on_hand == 5


def test_says_that_there_is_not_enough(admin, make_variant):
    form = movement(make_variant(), delta="-1")

    response = admin.post(f"{LISTS['stockmovement']}add/", form)

    assert "Insufficient stock" in errors_of(response)["__all__"][0]
    assert 'value="Delivery"' in response.content.decode()
    assert not StockMovement.objects.exists()


def test_shows_a_refused_form_with_a_new_key(admin, make_variant, adjust):
    variant = make_variant()
    form = movement(variant, delta="-1")
    shown = admin.post(f"{LISTS['stockmovement']}add/", form).context["adminform"].form
    adjust(variant, 5)

    again = admin.post(f"{LISTS['stockmovement']}add/", form | {"key": shown["key"].value()})

    assert again.status_code == 302
    assert Variant.objects.get().on_hand == 4


def test_moves_nothing_with_a_key_that_has_moved_something_else(admin, make_variant):
    form = movement(make_variant())
    admin.post(f"{LISTS['stockmovement']}add/", form)

    response = admin.post(f"{LISTS['stockmovement']}add/", form | {"delta": "6"})

    assert "was used for another request" in errors_of(response)["__all__"][0]
    assert response.context["adminform"].form["key"].value() == form["key"]
    assert Variant.objects.get().on_hand == 5


@pytest.mark.parametrize("delta", ["0", "1000001", "x", ""])
def test_says_what_is_wrong_with_a_movement(admin, make_variant, delta):
    response = admin.post(f"{LISTS['stockmovement']}add/", movement(make_variant(), delta=delta))

    assert response.status_code == 200
    assert "Delivery" in response.content.decode()
    assert not StockMovement.objects.exists()


def test_changes_and_deletes_no_movement(admin, make_variant, adjust):
    adjust(make_variant(), 5)
    made = StockMovement.objects.get()

    assert admin.get(change_url("stockmovement", made)).status_code == 200
    assert admin.post(change_url("stockmovement", made), {"note": "x"}).status_code == 403
    assert admin.post(f"{LISTS['stockmovement']}{made.pk}/delete/", {"post": "yes"}).status_code == 403


def test_deletes_no_variant(admin, make_variant):
    variant = make_variant()

    assert admin.post(f"{LISTS['variant']}{variant.pk}/delete/", {"post": "yes"}).status_code == 403


def test_completes_the_sku_of_a_variant(admin, make_variant):
    make_variant(sku="SHIRT")
    names = {"app_label": "catalog_variant", "model_name": "stockmovement", "field_name": "variant"}

    response = admin.get(f"{ROOT}autocomplete/", names | {"term": "shi"})

    assert [found["text"] for found in response.json()["results"]] == ["SHIRT"]


@pytest.mark.parametrize("kind", LISTS)
def test_asks_the_same_queries_however_long_the_list_is(
    admin, make_variant, adjust, django_assert_max_num_queries, kind
):
    admin.get(ROOT)
    [adjust(make_variant(), 1) for _ in range(5)]

    with django_assert_max_num_queries(5):
        admin.get(LISTS[kind])


def test_serves_its_own_static_files(admin):
    response = admin.get(f"{ROOT}static/admin/css/base.css")

    assert response.status_code == 200
    response.close()


@pytest.mark.parametrize("page", PAGES)
def test_refuses_the_anonymous(anonymous, page):
    assert anonymous.get(page).status_code == 401


@pytest.mark.parametrize("page", PAGES)
def test_refuses_everybody_else(as_staff, as_user, page):
    assert as_user("stock:admin").get(page).status_code == 403
    assert as_staff("catalog:admin stock:write").get(page).status_code == 403
