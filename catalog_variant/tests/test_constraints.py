"""What the tables refuse to the service's own role in psql, and to its owner."""

import pytest
from psycopg2 import errors

from chassis.ids import uuid7

OPTION = """
    INSERT INTO option (public_id, code, name, display, position, version)
    VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
"""
VALUE = """
    INSERT INTO option_value (public_id, option_id, code, name, swatch, position)
    VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
"""
VARIANT = """
    INSERT INTO variant (public_id, product, sku, value_ids, price_minor, currency, compare_at_minor,
                         price_version, barcode, weight_grams, status, position, on_hand, reserved, allocated,
                         safety, version, created_at, updated_at)
    VALUES (%(public_id)s, %(product)s, %(sku)s, %(values)s::bigint[], %(price)s, %(currency)s, %(before)s,
            %(price_version)s, %(barcode)s, %(grams)s, %(status)s, %(position)s, %(on_hand)s, %(reserved)s,
            %(allocated)s, %(safety)s, %(version)s, now(), now()) RETURNING id
"""
PLAIN = {
    "values": [],
    "price": 1990,
    "currency": "EUR",
    "before": None,
    "price_version": 1,
    "barcode": "",
    "grams": None,
    "status": "published",
    "position": 0,
    "on_hand": 0,
    "reserved": 0,
    "allocated": 0,
    "safety": 0,
    "version": 1,
}
PRODUCT = str(uuid7())


def one(cursor, statement, values):
    cursor.execute(statement, values)
    return cursor.fetchone()[0]


def add_option(cursor, code=None, name="n", display="pill", position=0, version=1):
    code = f"o-{uuid7().hex}" if code is None else code
    return one(cursor, OPTION, [str(uuid7()), code, name, display, position, version])


def add_value(cursor, option, code=None, name="n", swatch="", position=0):
    code = f"v-{uuid7().hex}" if code is None else code
    return one(cursor, VALUE, [str(uuid7()), option, code, name, swatch, position])


def add_variant(cursor, values=(), **changes):
    keys = {"public_id": str(uuid7()), "product": str(uuid7()), "sku": uuid7().hex}
    row = PLAIN | keys | changes | {"values": list(values)}
    return one(cursor, VARIANT, row)


@pytest.fixture(params=["app", "owner"])
def psql(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def sizes(psql):
    """Two values of one option."""
    option = add_option(psql)
    return [add_value(psql, option), add_value(psql, option)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": ""},
        {"code": "a b"},
        {"code": "a\n"},
        {"name": " "},
        {"display": "list"},
        {"position": -1},
        {"version": 0},
    ],
)
def test_checks_every_column_of_an_option(psql, wrong):
    with pytest.raises(errors.CheckViolation):
        add_option(psql, **wrong)


@pytest.mark.parametrize(
    "wrong", [{"code": "a b"}, {"name": ""}, {"swatch": "red"}, {"swatch": "#ABCDEF"}, {"position": -1}]
)
def test_checks_every_column_of_a_value(psql, wrong):
    option = add_option(psql)

    with pytest.raises(errors.CheckViolation):
        add_value(psql, option, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sku": ""},
        {"sku": "a b"},
        {"sku": "a\n"},
        {"sku": "-a"},
        {"price": 0},
        {"price": -1},
        {"price": 10**12 + 1},
        {"currency": "eur"},
        {"before": 1990},
        {"before": 10**12 + 1},
        {"barcode": "123"},
        {"grams": -1},
        {"status": "gone"},
        {"position": -1},
        {"safety": -1},
        {"safety": 10**6 + 1},
        {"version": 0},
        {"price_version": 0},
        {"values": [10**15]},
    ],
)
def test_checks_every_column_of_a_variant(psql, wrong):
    with pytest.raises(errors.CheckViolation):
        add_variant(psql, **wrong)


def test_keeps_codes_and_skus_apart_ignoring_case(psql):
    add_option(psql, "size")
    psql.execute("SAVEPOINT s")
    with pytest.raises(errors.UniqueViolation):
        add_option(psql, "SIZE")
    psql.execute("ROLLBACK TO s")
    add_variant(psql, sku="SHIRT")

    with pytest.raises(errors.UniqueViolation):
        add_variant(psql, sku="shirt")


def test_keeps_values_of_one_option_apart_ignoring_case(psql):
    option = add_option(psql)
    add_value(psql, option, "m")
    add_value(psql, add_option(psql), "m")

    with pytest.raises(errors.UniqueViolation):
        add_value(psql, option, "M")


def test_sorts_what_a_variant_chooses(psql):
    values = [add_value(psql, add_option(psql)) for _ in range(3)]

    variant = add_variant(psql, reversed(values))

    assert one(psql, "SELECT value_ids FROM variant WHERE id = %s", [variant]) == values


def test_has_one_variant_of_a_product_for_one_choice(psql, sizes):
    colour = add_value(psql, add_option(psql))
    add_variant(psql, [sizes[0], colour], product=PRODUCT)

    with pytest.raises(errors.UniqueViolation):
        add_variant(psql, [colour, sizes[0]], product=PRODUCT)


def test_lets_variants_of_a_product_choose_from_the_same_options_only(psql, sizes):
    add_variant(psql, [sizes[0]], product=PRODUCT)
    add_variant(psql, [sizes[1]], product=PRODUCT)

    with pytest.raises(errors.ExclusionViolation) as caught:
        add_variant(psql, product=PRODUCT)

    assert caught.value.diag.constraint_name == "variant_options_excl"


def test_has_one_currency_for_a_product(psql, sizes):
    add_variant(psql, [sizes[0]], product=PRODUCT)

    with pytest.raises(errors.ExclusionViolation) as caught:
        add_variant(psql, [sizes[1]], product=PRODUCT, currency="USD")

    assert caught.value.diag.constraint_name == "variant_currency_excl"


def test_has_what_is_archived_out_of_the_way(psql, sizes):
    add_variant(psql, [sizes[0]], product=PRODUCT, status="archived", currency="USD")
    add_variant(psql, [sizes[0]], product=PRODUCT, status="archived")

    assert add_variant(psql, product=PRODUCT)


@pytest.mark.parametrize("chosen", [[0, 1], [0, 0]])
def test_lets_a_variant_choose_one_value_of_an_option(psql, sizes, chosen):
    with pytest.raises(errors.CheckViolation) as caught:
        add_variant(psql, [sizes[index] for index in chosen])

    assert caught.value.diag.constraint_name == "variant_choice_check"


def test_lets_a_variant_choose_from_five_options(psql):
    values = [add_value(psql, add_option(psql)) for _ in range(6)]

    with pytest.raises(errors.CheckViolation) as caught:
        add_variant(psql, values)

    assert caught.value.diag.constraint_name == "variant_options_check"


def test_deletes_no_value_that_a_variant_has(psql, sizes):
    add_variant(psql, sizes[:1])
    psql.execute("DELETE FROM option_value WHERE id = %s", sizes[1:])

    with pytest.raises(errors.ForeignKeyViolation):
        psql.execute("DELETE FROM option_value WHERE id = %s", sizes[:1])


def test_lets_go_of_values_with_the_variant(psql, sizes):
    variant = add_variant(psql, sizes[:1])
    psql.execute("DELETE FROM variant WHERE id = %s", [variant])

    psql.execute("DELETE FROM option_value WHERE id = ANY(%s)", [sizes])

    assert psql.rowcount == 2


@pytest.mark.parametrize("counter", ["on_hand", "reserved", "allocated"])
def test_starts_a_variant_without_stock(psql, counter):
    with pytest.raises(errors.RestrictViolation):
        add_variant(psql, **{counter: 1})
