import json

import pytest

from catalog_variant import operations
from catalog_variant.models import Money, OptionValue, Variant
from catalog_variant.operations.variants import CurrencyDiffers
from chassis.django.etags import ANY
from chassis.ids import uuid7

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"
PRODUCT = uuid7()
EUROS = {"amount_minor": 1790, "currency": "EUR"}


def patch(client, variant, body, tag='"1"', content_type="application/merge-patch+json"):
    headers = {} if tag is None else {"If-Match": tag}
    url = f"/api/v1/variants/{variant.public_id}"
    return client.patch(url, json.dumps(body), content_type=content_type, headers=headers)


@pytest.fixture
def variant(make_variant, shirt):
    return make_variant(PRODUCT, {"colour": "forest", "size": "m"}, sku="SHIRT", barcode="4006381333931")


def test_changes_what_it_is_told_and_nothing_else(editor, variant):
    response = patch(editor, variant, {"sku": "SHIRT-2", "status": "archived", "weight_grams": 180})

    row = response.json()
    assert response.status_code == 200
    assert (row["sku"], row["status"], row["weight_grams"]) == ("SHIRT-2", "archived", 180)
    assert (row["barcode"], row["options"]) == ("4006381333931", {"colour": "forest", "size": "m"})
    assert response["ETag"] == '"2"'
    assert row["updated_at"] > row["created_at"]


def test_takes_the_tag_of_what_was_read(editor, variant):
    tag = editor.get(f"/api/v1/variants/{variant.public_id}")["ETag"]

    assert patch(editor, variant, {"position": 3}, tag).status_code == 200


def test_counts_another_price_up(editor, variant):
    row = patch(editor, variant, {"price": EUROS}).json()

    variant.refresh_from_db()
    assert row["price"] == EUROS
    assert (variant.price_minor, variant.price_version) == (1790, 2)


def test_answers_with_what_it_wrote_though_somebody_deletes_it_at_once(editor, variant, deleted_after):
    deleted_after("update_variant", Variant, OptionValue)

    response = patch(editor, variant, {"options": {"size": "l"}})

    assert (response.status_code, response["ETag"]) == (200, '"2"')
    assert response.json()["options"] == {"colour": "forest", "size": "l"}


def test_answers_with_what_can_be_sold_now(editor, variant, adjust):
    adjust(variant, 9)

    assert patch(editor, variant, {"safety": 5}).json()["availability"] == {"state": "low_stock", "left": 4}


@pytest.mark.parametrize("body", [{"price": {"amount_minor": 1990, "currency": "EUR"}}, {"position": 7}])
def test_counts_the_same_price_not_up(editor, variant, body):
    patch(editor, variant, body)

    variant.refresh_from_db()
    assert variant.price_version == 1


def test_sets_and_takes_away_what_it_cost_before(editor, variant):
    before = {"amount_minor": 2490, "currency": "EUR"}

    assert patch(editor, variant, {"compare_at": before}).json()["compare_at"] == before
    assert patch(editor, variant, {"compare_at": None}, '"2"').json()["compare_at"] is None


def test_refuses_a_price_that_is_more_than_it_cost_before(editor, make_variant, shirt, variant):
    patch(editor, variant, {"compare_at": {"amount_minor": 2490, "currency": "EUR"}})

    response = patch(editor, variant, {"price": EUROS | {"amount_minor": 2490}}, '"2"')

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/compare_at/amount_minor"


def test_changes_one_option_and_keeps_the_others(editor, variant):
    row = patch(editor, variant, {"options": {"Size": "L"}}).json()

    assert row["options"] == {"colour": "forest", "size": "l"}


def test_takes_an_option_away_for_null(editor, variant):
    assert patch(editor, variant, {"options": {"size": None}}).json()["options"] == {"colour": "forest"}


def test_lets_go_of_a_value_that_it_had(editor, variant):
    patch(editor, variant, {"options": {"size": "l"}})

    OptionValue.objects.get(code="m").delete()

    assert not OptionValue.objects.filter(code="m").exists()


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"size": "s"}, 409, "variant-exists"),
        ({"size": None}, 409, "options-differ"),
        ({"size": "xxl"}, 422, "unknown-option"),
        ({"fit": "slim"}, 422, "unknown-option"),
    ],
)
def test_refuses_options_that_cannot_be(editor, make_variant, variant, options, status, code):
    make_variant(PRODUCT, {"colour": "forest", "size": "s"})

    response = patch(editor, variant, {"options": options, "sku": "OTHER"})

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["errors"][0]["pointer"].startswith("#/options")
    variant.refresh_from_db()
    assert (variant.sku, variant.version) == ("SHIRT", 1)


def test_refuses_more_options_than_five(editor, make_option, variant):
    more = {make_option(f"o-{number}", "v").code: "v" for number in range(4)}

    response = patch(editor, variant, {"options": more})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/options"


def test_refuses_another_currency_than_the_other_variants_have(make_variant, variant):
    make_variant(PRODUCT, {"colour": "sand", "size": "m"})

    with pytest.raises(CurrencyDiffers):
        operations.update_variant(variant_id=variant.public_id, expected=ANY, price=Money(1790, "USD"))


def test_brings_nothing_back_whose_place_is_taken(editor, make_variant, variant):
    patch(editor, variant, {"status": "archived"})
    make_variant(PRODUCT, {"colour": "forest", "size": "m"})

    response = patch(editor, variant, {"status": "published"}, '"2"')

    assert (response.status_code, response.json()["code"]) == (409, "variant-exists")


def test_refuses_a_sku_that_another_has(editor, make_variant, variant):
    make_variant(sku="HAT")

    response = patch(editor, variant, {"sku": "hat"})

    assert (response.status_code, response.json()["code"]) == (409, "sku-taken")
    assert response.json()["errors"][0]["pointer"] == "#/sku"


def test_takes_its_own_sku_in_other_case(editor, variant):
    assert patch(editor, variant, {"sku": "Shirt"}).json()["sku"] == "Shirt"


def test_shows_what_is_available_with_another_safety(keeper, as_staff, variant, adjust):
    adjust(variant, 10)
    both = as_staff("catalog:write stock:read")

    assert patch(both, variant, {"safety": 4}).json()["stock"]["available"] == 6


def test_takes_the_barcode_away_for_null(editor, variant):
    assert patch(editor, variant, {"barcode": None}).json()["barcode"] == ""


def test_makes_no_version_of_no_change(editor, variant):
    response = patch(editor, variant, {"sku": "SHIRT", "options": {"size": "m"}})

    assert (response.status_code, response["ETag"]) == (200, '"1"')


def test_takes_plain_json_too(editor, variant):
    assert patch(editor, variant, {"position": 1}, content_type="application/json").status_code == 200


def test_requires_a_tag(editor, variant):
    response = patch(editor, variant, {"position": 1}, tag=None)

    assert (response.status_code, response.json()["code"]) == (428, "precondition-required")


def test_refuses_a_stale_tag_and_gives_the_current_one(editor, variant):
    patch(editor, variant, {"sku": "THEIRS"})

    response = patch(editor, variant, {"sku": "MINE"})

    assert (response.status_code, response.json()["code"]) == (412, "precondition-failed")
    assert response["ETag"] == '"2"'
    variant.refresh_from_db()
    assert variant.sku == "THEIRS"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"sku": None}, "#/sku", "null"),
        ({"price": None}, "#/price", "null"),
        ({"price": {"amount_minor": 1}}, "#/price/currency", "required"),
        ({"options": None}, "#/options", "null"),
        ({"options": {"size": 7}}, "#/options/size", "invalid"),
        ({"barcode": "1"}, "#/barcode", "invalid"),
        ({"status": None}, "#/status", "null"),
        ({"position": None}, "#/position", "null"),
        ({"safety": -1}, "#/safety", "min-value"),
        ({"product": UNKNOWN}, "#/product", "unknown"),
        ({"on_hand": 7}, "#/on_hand", "unknown"),
        ({"price_version": 7}, "#/price_version", "unknown"),
    ],
)
def test_points_at_a_wrong_member(editor, variant, body, pointer, code):
    response = patch(editor, variant, body | {"weight_grams": 7})

    assert response.status_code == 400
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]
    variant.refresh_from_db()
    assert (variant.weight_grams, variant.version) == (None, 1)


def test_does_not_know_others(editor):
    response = editor.patch(
        f"/api/v1/variants/{UNKNOWN}", "{}", content_type="application/json", headers={"If-Match": "*"}
    )

    assert response.status_code == 404


def test_refuses_the_anonymous(anonymous, variant):
    assert patch(anonymous, variant, {"position": 1}).status_code == 401


@pytest.mark.parametrize("scope", ["catalog:read", "stock:write"])
def test_refuses_another_scope(as_staff, variant, scope):
    assert patch(as_staff(scope), variant, {"position": 1}).status_code == 403


def test_asks_few_queries(editor, variant, django_assert_num_queries):
    with django_assert_num_queries(10):
        patch(editor, variant, {"options": {"size": "l"}})
