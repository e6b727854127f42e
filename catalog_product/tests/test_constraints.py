"""What the tables refuse to the service's own role in psql, and to their owner."""

import json

import pytest
from psycopg2 import errors

from chassis.ids import uuid7

NOW = "2026-01-01T00:00:00Z"
BRAND = {"name": "n", "description": "", "version": 1, "created_at": NOW, "updated_at": NOW}
PRODUCT = {
    "title": "t",
    "subtitle": "",
    "description": "",
    "details": "[]",
    "status": "draft",
    "version": 1,
    "created_at": NOW,
    "updated_at": NOW,
}
PICTURE = {"width": 1, "height": 1, "color": "#000000", "renditions": "[]"}
MEDIA = {"alt": "a", "options": "{}", "position": 0, "created_at": NOW}


def insert(cursor, table, **values):
    names = ", ".join(values)
    places = ", ".join(["%s"] * len(values))
    cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING id", list(values.values()))
    return cursor.fetchone()[0]


def brand(cursor, **changes):
    keys = {"public_id": str(uuid7()), "slug": uuid7().hex}
    return insert(cursor, "brand", **BRAND | keys | changes)


def product(cursor, **changes):
    keys = {"public_id": str(uuid7()), "slug": uuid7().hex}
    return insert(cursor, "product", **PRODUCT | keys | changes)


def picture(cursor, **changes):
    return insert(cursor, "picture", **PICTURE | {"sha256": uuid7().hex * 2} | changes)


def media(cursor, **changes):
    keys = {"public_id": str(uuid7())}
    needed = {"product_id": lambda: product(cursor), "picture_id": lambda: picture(cursor)}
    made = {name: make() for name, make in needed.items() if name not in changes}
    return insert(cursor, "media", **MEDIA | keys | made | changes)


@pytest.fixture(params=["app", "owner"])
def psql(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (brand, {"slug": "a b"}),
        (brand, {"name": " "}),
        (brand, {"version": 0}),
        (product, {"slug": ""}),
        (product, {"slug": "a--b"}),
        (product, {"slug": "é"}),
        (product, {"slug": "a\n"}),
        (product, {"title": " "}),
        (product, {"status": "gone"}),
        (product, {"status": "published"}),
        (product, {"version": 0}),
        (product, {"details": "{}"}),
        (picture, {"sha256": "A" * 64}),
        (picture, {"sha256": "0" * 63}),
        (picture, {"color": "red"}),
        (picture, {"renditions": "{}"}),
        (picture, {"width": -1}),
        (media, {"alt": " "}),
        (media, {"options": "[]"}),
        (media, {"position": -1}),
    ],
)
def test_checks_every_column(psql, make, wrong):
    with pytest.raises(errors.CheckViolation):
        make(psql, **wrong)


@pytest.mark.parametrize("make", [brand, product])
def test_keeps_slugs_apart_ignoring_case(psql, make):
    make(psql, slug="shoe")

    with pytest.raises(errors.UniqueViolation):
        make(psql, slug="SHOE")


def test_keeps_old_slugs_apart_ignoring_case(psql):
    shoe = product(psql)
    insert(psql, "slug_history", product_id=shoe, slug="shoe")

    with pytest.raises(errors.UniqueViolation):
        insert(psql, "slug_history", product_id=shoe, slug="SHOE")


def test_keeps_a_picture_once_for_the_same_bytes(psql):
    picture(psql, sha256="0" * 64)

    with pytest.raises(errors.UniqueViolation):
        picture(psql, sha256="0" * 64)


@pytest.mark.parametrize("change", [{"position": 1}, {"category": str(uuid7())}])
def test_puts_a_product_into_a_category_once_and_at_one_place(psql, change):
    row = {"product_id": product(psql), "category": str(uuid7()), "position": 0}
    insert(psql, "product_category", **row)

    with pytest.raises(errors.UniqueViolation):
        insert(psql, "product_category", **row | change)


def test_shows_a_picture_once_for_the_same_options(psql):
    shoe, red = product(psql), picture(psql)
    media(psql, product_id=shoe, picture_id=red, options=json.dumps({"a": "1", "b": "2"}))

    with pytest.raises(errors.UniqueViolation):
        media(psql, product_id=shoe, picture_id=red, options='{"b":"2", "a":"1"}', position=1)


def test_shows_one_picture_at_a_place(psql):
    shoe = product(psql)
    media(psql, product_id=shoe)
    media(psql, product_id=shoe)

    with pytest.raises(errors.UniqueViolation):
        psql.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    ("make", "unknown"),
    [
        (product, {"brand_id": 10**15}),
        (media, {"product_id": 10**15}),
        (media, {"picture_id": 10**15}),
    ],
)
def test_knows_what_a_row_refers_to(psql, make, unknown):
    make(psql, **unknown)

    with pytest.raises(errors.ForeignKeyViolation):
        psql.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_deletes_no_brand_that_a_product_has(psql):
    alder = brand(psql)
    product(psql, brand_id=alder)
    psql.execute("DELETE FROM brand WHERE id = %s", [alder])

    with pytest.raises(errors.ForeignKeyViolation):
        psql.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_keeps_what_is_searched_true_whoever_writes(psql):
    alder = brand(psql, name="Alder")
    shoe = product(psql, title="Shoe", brand_id=alder)
    psql.execute("UPDATE brand SET name = 'Birch' WHERE id = %s", [alder])

    psql.execute("SELECT words, search @@ 'birch' FROM product WHERE id = %s", [shoe])

    assert psql.fetchone() == ("Shoe Birch ", True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE product SET public_id = gen_random_uuid()",
        "UPDATE product SET created_at = now()",
        "UPDATE product SET search = ''",
        "UPDATE product SET words = ''",
        "DELETE FROM product",
        "UPDATE brand SET public_id = gen_random_uuid()",
        "UPDATE picture SET sha256 = ''",
        "DELETE FROM picture",
        "UPDATE media SET product_id = 7",
        "UPDATE media SET picture_id = 7",
        "UPDATE slug_history SET product_id = 7",
        "UPDATE product_category SET category = gen_random_uuid()",
        "TRUNCATE media",
        "TRUNCATE product CASCADE",
        "ALTER TABLE product DISABLE TRIGGER ALL",
        "DROP TRIGGER product_keeps_search ON product",
        "SET session_replication_role = replica",
    ],
)
def test_lets_the_service_neither_rename_ids_nor_put_rules_aside(app, statement):
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)
