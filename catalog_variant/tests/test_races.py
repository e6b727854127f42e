"""Real transactions on real connections, side by side."""

from collections import Counter

import pytest

from catalog_variant import operations, queries
from catalog_variant.models import Option, StockMovement, Variant
from catalog_variant.operations.options import CodeTaken, OptionInUse
from catalog_variant.operations.stock import InsufficientStock
from catalog_variant.operations.variants import OptionsDiffer, SkuTaken, UnknownOption, VariantExists
from chassis.django.etags import ANY
from chassis.ids import uuid7

CLIENTS = 50
THREADS = 8
pytestmark = pytest.mark.usefixtures("emptied")


@pytest.fixture
def product(make_variant):
    """A product that was asked for a moment ago, with an archived variant, which is in nobody's way."""
    return make_variant(status="archived").product


def kinds(results):
    return Counter(type(result) for result in results)


def test_fifty_clients_take_no_more_than_the_five_units_there_are(at_once, make_variant, adjust):
    variant = make_variant()
    adjust(variant, 5)

    results = at_once(lambda _: adjust(variant, -1, reason="correction"), range(CLIENTS))

    variant.refresh_from_db()
    assert kinds(results)[InsufficientStock] == CLIENTS - 5
    assert (variant.on_hand, variant.movements.count()) == (0, 6)


def test_one_key_is_executed_once(at_once, make_variant, adjust):
    variant = make_variant()

    results = at_once(lambda _: adjust(variant, 3, idempotency_key=f"twin:{variant.sku}"), range(THREADS))

    variant.refresh_from_db()
    assert Counter(result.is_replay for result in results) == {False: 1, True: THREADS - 1}
    assert {result.movement for result in results} == {results[0].movement}
    assert variant.on_hand == 3


def test_a_refusal_is_given_once_for_one_key(at_once, make_variant, adjust):
    variant = make_variant()

    results = at_once(lambda _: adjust(variant, -1, idempotency_key=f"twin:{variant.sku}"), range(THREADS))

    assert Counter(bool(result.headers) for result in results) == {False: 1, True: THREADS - 1}


def test_a_twin_of_a_crashed_request_executes(connect, make_variant, adjust):
    variant, key = make_variant(), str(uuid7())
    crashed = connect()
    crashed.cursor().execute(
        "SELECT stock_adjust('actor:adjust', %s, sha256(''), %s, %s, 3, 'receive', '', 'actor')",
        [key, str(uuid7()), str(variant.public_id)],
    )
    crashed.close()

    result = adjust(variant, 3, idempotency_key=key, actor_sub="actor")

    assert (result.is_replay, result.movement.on_hand_after) == (False, 3)


def test_movements_of_one_variant_stand_in_one_order(at_once, make_variant, adjust):
    variant = make_variant()

    at_once(lambda delta: adjust(variant, delta), range(1, THREADS + 1))

    rows = list(StockMovement.objects.filter(variant=variant).order_by("created_at"))
    sums = [sum(row.delta for row in rows[: end + 1]) for end in range(THREADS)]
    assert [row.on_hand_after for row in rows] == sums


def test_one_of_many_gets_the_same_options(at_once, make_variant, product, shirt):
    results = at_once(lambda _: make_variant(product, {"size": "m"}), range(THREADS))

    assert kinds(results) == {Variant: 1, VariantExists: THREADS - 1}
    assert Variant.objects.visible().count() == 1


def test_one_of_many_gets_the_same_sku(at_once, make_variant, product):
    skus = ["Shirt", "SHIRT", "shirt", "sHIRT"] * 2

    results = at_once(lambda sku: make_variant(product, sku=sku, status="archived"), skus)

    assert kinds(results) == {Variant: 1, SkuTaken: THREADS - 1}
    assert Variant.objects.with_sku("shirt").count() == 1


def test_the_first_variants_of_a_product_choose_from_the_same_options(at_once, make_variant, product, shirt):
    choices = [{"size": "m"}, {"size": "l"}, {"colour": "sand"}, {"colour": "forest"}]

    results = at_once(lambda options: make_variant(product, options), choices)

    sets = {tuple(row.options) for row in queries.rows_of(list(Variant.objects.visible()))}
    assert len(sets) == 1
    assert kinds(results).keys() <= {Variant, OptionsDiffer}


def test_one_of_many_gets_the_same_code(at_once, make_option):
    results = at_once(lambda code: make_option(code, "s", "m"), ["size", "SIZE"] * 4)

    assert kinds(results) == {Option: 1, CodeTaken: THREADS - 1}


def test_a_value_that_goes_away_is_chosen_by_nobody(at_once, make_variant, make_option, product):
    size = make_option("size", "m")
    value = size.values.get()

    def delete():
        operations.delete_value(option_id=size.public_id, value_id=value.public_id, expected=ANY)

    def choose():
        return make_variant(product, {"size": "m"}, status="archived")

    results = at_once(lambda act: act(), [delete, choose, choose, choose])

    assert kinds(results).keys() <= {type(None), Variant, OptionInUse, UnknownOption}
    assert size.values.exists() == Variant.objects.exclude(value_ids=[]).exists()


def test_a_variant_that_gets_stock_while_it_is_deleted_is_kept_or_was_never_there(
    at_once, make_variant, adjust
):
    variant = make_variant()

    def delete():
        operations.delete_variant(variant_id=variant.public_id, expected=ANY)

    at_once(lambda act: act(), [delete, *[lambda: adjust(variant, 1)] * 4])

    assert Variant.objects.count() == StockMovement.objects.values("variant").distinct().count()
