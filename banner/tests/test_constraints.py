"""What the tables refuse to the service's own role in psql, and to their owner."""

import pytest
from psycopg2 import errors

from chassis.ids import uuid7

UNKNOWN = "01999999-0000-7000-8000-000000000000"
GOOD = {
    "placement_id": 1,
    "title": "t",
    "subtitle": "",
    "cta_text": "",
    "target_kind": "page",
    "target_ref": "winter",
    "theme": "light",
    "background": "#ffffff",
    "foreground": "#000000",
    "image_id": None,
    "image_alt": "",
    "starts_at": None,
    "ends_at": None,
    "priority": 50,
    "status": "draft",
    "audience": "all",
    "categories": "{}",
    "locale": "",
    "version": 1,
    "created_at": "2030-01-01",
    "updated_at": "2030-01-01",
}


def insert(cursor, **changes):
    row = GOOD | {"public_id": str(uuid7())} | changes
    cursor.execute(
        f"INSERT INTO banner ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))}) RETURNING id",
        list(row.values()),
    )
    return cursor.fetchone()[0]


def insert_image(cursor, **changes):
    row = {"sha256": "0" * 64, "width": 1, "height": 1, "color": "#ffffff", "renditions": "[]"} | changes
    cursor.execute(
        f"INSERT INTO image ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))}) RETURNING id",
        list(row.values()),
    )
    return cursor.fetchone()[0]


@pytest.fixture(params=["app", "owner"])
def psql(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"target_kind": "x"},
        {"target_ref": ""},
        {"target_ref": "//evil.example"},
        {"target_ref": "winter\n"},
        {"target_kind": "search", "target_ref": "a\nb"},
        {"target_kind": "external", "target_ref": "http://a.example/"},
        {"target_kind": "external", "target_ref": "https://a@b.example/"},
        {"target_kind": "external", "target_ref": "https://a.example\\@b.example/"},
        {"theme": "blue"},
        {"background": "#FFFFFF"},
        {"foreground": "white"},
        {"image_alt": "of nothing"},
        {"starts_at": "2030-01-02", "ends_at": "2030-01-02"},
        {"priority": 101},
        {"priority": -1},
        {"status": "live"},
        {"audience": "staff"},
        {"categories": "{" + ",".join([UNKNOWN] * 101) + "}"},
        {"locale": "german"},
        {"version": 0},
    ],
)
def test_checks_every_column(psql, wrong):
    with pytest.raises(errors.CheckViolation):
        insert(psql, **wrong)


@pytest.mark.parametrize(
    ("kind", "ref"),
    [
        ("product", "wool-hat"),
        ("category", "shoes/boots"),
        ("search", "wool & hat"),
        ("external", "https://partner.example/a?b=c&d=[e]~"),
    ],
)
def test_takes_what_the_service_takes(psql, kind, ref):
    assert insert(psql, target_kind=kind, target_ref=ref)


def test_has_no_image_without_an_alternative_text(psql):
    image = insert_image(psql)

    with pytest.raises(errors.CheckViolation):
        insert(psql, image_id=image, image_alt=" ")


@pytest.mark.parametrize("wrong", [{"sha256": "../x"}, {"width": 0}, {"height": -1}, {"color": "red"}])
def test_checks_every_column_of_an_image(psql, wrong):
    with pytest.raises(errors.CheckViolation):
        insert_image(psql, **wrong)


def test_keeps_ids_apart(psql):
    insert(psql, public_id=UNKNOWN)

    with pytest.raises(errors.UniqueViolation):
        insert(psql, public_id=UNKNOWN)


@pytest.mark.parametrize("reference", [{"placement_id": 10**9}, {"image_id": 10**9, "image_alt": "a"}])
def test_knows_every_place_and_image(psql, reference):
    with pytest.raises(errors.ForeignKeyViolation):
        insert(psql, **reference)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE banner SET public_id = gen_random_uuid()",
        "UPDATE banner SET id = 7",
        "UPDATE banner SET created_at = now()",
        "TRUNCATE banner",
        "UPDATE log_entry SET subject = ''",
        "DELETE FROM log_entry",
        "TRUNCATE log_entry",
        "UPDATE image SET sha256 = ''",
        "DELETE FROM image",
        "INSERT INTO placement (code, name, max_items) VALUES ('a', 'a', 1)",
        "UPDATE placement SET max_items = 9",
        "DELETE FROM placement",
        "UPDATE alembic_version SET version_num = ''",
        "DELETE FROM alembic_version",
        "CREATE TABLE mine (id int)",
        "SET session_replication_role = replica",
    ],
)
def test_lets_the_service_neither_rename_ids_nor_rewrite_what_was(app, statement):
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)
