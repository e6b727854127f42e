import json

import pytest

from catalog_variant.models import OptionValue, Variant
from catalog_variant.operations import variants
from chassis.ids import uuid7
from chassis.keys import KeyStore
from chassis.testing import ORIGIN
from chassis.tokens import Verifier

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("product_service", "shirt")]
URL = "/api/v1/variants"
PRODUCT = "01999999-0000-7000-8000-000000000001"
PRICE = {"amount_minor": 1990, "currency": "EUR"}
BODY = {
    "product": PRODUCT,
    "sku": "SHIRT-FOREST-M",
    "options": {"colour": "forest", "size": "m"},
    "price": PRICE,
}


def post(client, body, content_type="application/json"):
    return client.post(URL, json.dumps(body), content_type=content_type)


def errors_of(response):
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


def test_adds_a_draft_as_the_last_of_its_product(editor, make_variant):
    make_variant(PRODUCT, {"colour": "sand", "size": "m"})

    response = post(editor, BODY)

    row = response.json()
    assert response.status_code == 201
    assert (row["status"], row["position"], row["sku"]) == ("draft", 1, "SHIRT-FOREST-M")
    assert (row["price"], row["compare_at"], row["barcode"], row["weight_grams"]) == (PRICE, None, "", None)
    assert row["availability"] == {"state": "out_of_stock", "left": None}
    assert list(row["options"].items()) == [("colour", "forest"), ("size", "m")]
    assert response["Location"] == f"{URL}/{row['id']}"
    assert response["ETag"] == '"1"'


def test_adds_a_variant_with_all_it_is_told(editor):
    told = {
        "compare_at": {"amount_minor": 2490, "currency": "EUR"},
        "barcode": "4006381333931",
        "weight_grams": 180,
        "status": "published",
        "position": 7,
    }

    row = post(editor, BODY | told | {"safety": 2}).json()

    assert {name: row[name] for name in told} == told
    assert Variant.objects.get().safety == 2


def test_finds_options_and_values_in_any_case(editor):
    response = post(editor, BODY | {"options": {"Size": "M"}})

    assert response.json()["options"] == {"size": "m"}


def test_adds_the_only_variant_of_a_product_without_options(editor):
    assert post(editor, BODY | {"options": {}}).json()["options"] == {}
    assert post(editor, BODY | {"options": {}, "sku": "OTHER"}).json()["code"] == "variant-exists"


@pytest.mark.parametrize("sku", ["SHIRT", "shirt"])
def test_refuses_a_sku_that_another_has(editor, make_variant, sku):
    make_variant(sku="SHIRT")

    response = post(editor, BODY | {"sku": sku})

    assert (response.status_code, response.json()["code"]) == (409, "sku-taken")
    assert errors_of(response) == [("#/sku", "taken")]
    assert Variant.objects.count() == 1


def test_refuses_the_same_options_on_the_same_product(editor):
    post(editor, BODY)

    response = post(editor, BODY | {"sku": "OTHER", "options": {"size": "m", "colour": "forest"}})

    assert (response.status_code, response.json()["code"]) == (409, "variant-exists")
    assert errors_of(response) == [("#/options", "taken")]


def test_takes_the_same_options_on_another_product_or_after_an_archived_one(editor, make_variant):
    make_variant(uuid7(), BODY["options"])
    make_variant(PRODUCT, BODY["options"], status="archived")

    assert post(editor, BODY).status_code == 201


@pytest.mark.parametrize("options", [{}, {"size": "m"}, {"colour": "sand"}])
def test_refuses_other_options_than_the_other_variants_have(editor, options):
    post(editor, BODY)

    response = post(editor, BODY | {"sku": "OTHER", "options": options})

    assert (response.status_code, response.json()["code"]) == (409, "options-differ")
    assert errors_of(response) == [("#/options", "differ")]


@pytest.mark.parametrize(
    ("options", "pointers"),
    [
        ({"size": "xxl", "colour": "sand"}, ["#/options/size"]),
        ({"fit": "slim"}, ["#/options/fit"]),
        ({"fit": "slim", "size": "xxl", "colour": "sand"}, ["#/options/fit", "#/options/size"]),
        ({"size": "forest"}, ["#/options/size"]),
    ],
)
def test_points_at_an_unknown_option_or_value(editor, options, pointers):
    response = post(editor, BODY | {"options": options})

    assert (response.status_code, response.json()["code"]) == (422, "unknown-option")
    assert [pointer for pointer, _ in errors_of(response)] == pointers
    assert not Variant.objects.exists()


def test_asks_the_product_service_with_a_token_of_its_own(editor, product_service, keys_dir):
    post(editor, BODY)

    ((path, authorization),) = product_service.asked
    verifier = Verifier(KeyStore(keys_dir / "public"), issuer=ORIGIN, audience="catalog_product")
    principal = verifier.authenticate([authorization])
    assert path == f"/internal/products/{PRODUCT}"
    assert principal.sub == "svc:catalog_variant"
    assert principal.scopes == {"catalog:exists"}


def test_asks_for_one_product_once_in_a_while(editor, product_service):
    post(editor, BODY)

    post(editor, BODY | {"sku": "OTHER", "options": {"colour": "sand", "size": "m"}})

    assert len(product_service.asked) == 1


def test_remembers_no_more_products_than_it_should(editor, product_service, monkeypatch):
    monkeypatch.setattr(variants, "_KNOWN_LIMIT", 1)

    responses = [post(editor, BODY | {"product": str(uuid7()), "sku": sku}) for sku in ("A", "B")]

    assert [response.status_code for response in responses] == [201, 201]
    assert len(variants._known) == 1


def test_refuses_an_unknown_product_and_asks_for_it_again(editor, product_service):
    product_service.status = 404

    responses = [post(editor, BODY), post(editor, BODY)]

    assert [response.status_code for response in responses] == [422, 422]
    assert responses[0].json()["code"] == "unknown-product"
    assert errors_of(responses[0]) == [("#/product", "unknown")]
    assert len(product_service.asked) == 2
    assert not Variant.objects.exists()


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b'{"exists": true}'), (200, b"not json"), (200, b"[]"), (200, b"{}"), (200, b'{"exists": false}')],
)
def test_adds_nothing_when_the_product_service_says_nothing(editor, product_service, status, body):
    product_service.status, product_service.body = status, body

    response = post(editor, BODY)

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response.json()["service"] == "catalog_product"
    assert not Variant.objects.exists()


def test_adds_nothing_when_the_product_service_is_away(editor, no_product_service):
    response = post(editor, BODY)

    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert not Variant.objects.exists()


@pytest.mark.parametrize(
    ("compare_at", "pointer"),
    [
        ({"amount_minor": 1990, "currency": "EUR"}, "#/compare_at/amount_minor"),
        ({"amount_minor": 2490, "currency": "USD"}, "#/compare_at/currency"),
        ({"amount_minor": 2490}, "#/compare_at/currency"),
        ("24.90", "#/compare_at"),
    ],
)
def test_points_at_a_wrong_compare_at(editor, compare_at, pointer):
    response = post(editor, BODY | {"compare_at": compare_at})

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert [error[0] for error in errors_of(response)] == [pointer]
    assert not Variant.objects.exists()


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"product": "7"}, "#/product", "invalid"),
        ({"product": None}, "#/product", "null"),
        ({"sku": 7}, "#/sku", "invalid"),
        ({"sku": ""}, "#/sku", "blank"),
        ({"sku": "a b"}, "#/sku", "invalid"),
        ({"sku": "a\n"}, "#/sku", "invalid"),
        ({"sku": "é"}, "#/sku", "invalid"),
        ({"options": None}, "#/options", "null"),
        ({"options": []}, "#/options", "not-a-dict"),
        ({"options": {"size": 7}}, "#/options/size", "invalid"),
        ({"options": {"size": None}}, "#/options/size", "null"),
        ({"options": {"size": "a b"}}, "#/options/size", "invalid"),
        ({"options": {"a/b": "m"}}, "#/options/a~1b", "invalid"),
        ({"options": {"\x00": "m"}}, "#/options/\x00", "invalid"),
        ({"options": {f"o-{number}": "m" for number in range(6)}}, "#/options", "max-length"),
        ({"price": None}, "#/price", "null"),
        ({"price": 1990}, "#/price", "invalid"),
        ({"price": PRICE | {"amount_minor": 0}}, "#/price/amount_minor", "min-value"),
        ({"price": PRICE | {"amount_minor": -1}}, "#/price/amount_minor", "min-value"),
        ({"price": PRICE | {"amount_minor": 10**12 + 1}}, "#/price/amount_minor", "max-value"),
        ({"price": PRICE | {"amount_minor": 19.9}}, "#/price/amount_minor", "invalid"),
        ({"price": PRICE | {"amount_minor": "1990"}}, "#/price/amount_minor", "invalid"),
        ({"price": PRICE | {"amount_minor": True}}, "#/price/amount_minor", "invalid"),
        ({"price": PRICE | {"currency": "XXX"}}, "#/price/currency", "invalid-choice"),
        ({"price": PRICE | {"tax": 1}}, "#/price/tax", "unknown"),
        ({"barcode": "4006381333930"}, "#/barcode", "invalid"),
        ({"barcode": "123"}, "#/barcode", "invalid"),
        ({"barcode": 4006381333931}, "#/barcode", "invalid"),
        ({"weight_grams": 0}, "#/weight_grams", "min-value"),
        ({"weight_grams": 10**30}, "#/weight_grams", "max-value"),
        ({"status": "gone"}, "#/status", "invalid-choice"),
        ({"position": -1}, "#/position", "min-value"),
        ({"safety": -1}, "#/safety", "min-value"),
        ({"safety": 1.0}, "#/safety", "invalid"),
        ({"on_hand": 5}, "#/on_hand", "unknown"),
    ],
)
def test_points_at_a_wrong_member(editor, change, pointer, code):
    response = post(editor, BODY | change)

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert errors_of(response) == [(pointer, code)]
    assert not Variant.objects.exists()


def test_points_at_an_option_that_stands_twice(editor):
    response = post(editor, BODY | {"options": {"size": "m", "Size": "l"}})

    assert errors_of(response) == [("#/options/size", "invalid"), ("#/options/Size", "invalid")]


@pytest.mark.parametrize("member", ["product", "sku", "options", "price"])
def test_needs_what_has_no_default(editor, member):
    response = post(editor, {name: value for name, value in BODY.items() if name != member})

    assert response.status_code == 400
    assert errors_of(response) == [(f"#/{member}", "required")]


def test_refuses_another_media_type(editor):
    assert post(editor, BODY, "text/plain").status_code == 415


def test_answers_with_what_it_added_though_somebody_deletes_it_at_once(editor, deleted_after):
    deleted_after("create_variant", Variant, OptionValue)

    response = post(editor, BODY)

    assert response.status_code == 201
    assert response.json()["options"] == BODY["options"]
    assert response.json()["availability"]["state"] == "out_of_stock"


def test_refuses_the_anonymous(anonymous):
    assert post(anonymous, BODY).status_code == 401


@pytest.mark.parametrize("scope", ["", "catalog:read", "stock:write", "stock:admin"])
def test_refuses_another_scope(as_staff, scope):
    response = post(as_staff(scope), BODY)

    assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")
    assert not Variant.objects.exists()


def test_asks_few_queries(editor, make_variant, django_assert_num_queries):
    [make_variant(PRODUCT, {"colour": "sand", "size": size}) for size in "sml"]

    with django_assert_num_queries(9):
        post(editor, BODY)
