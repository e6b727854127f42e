"""What the table refuses to the service's own role in psql, and to its owner."""

import threading

import psycopg2
import pytest
from psycopg2 import errors

from chassis.ids import uuid7

INSERT = """
    INSERT INTO category (public_id, parent_id, name, slug, description, status, position, version,
                          created_at, updated_at)
    VALUES (%s, %s, %s, %s, '', %s, %s, %s, now(), now()) RETURNING id
"""


def insert(cursor, parent=None, slug=None, name="n", status="draft", position=0, version=1):
    slug = slug if slug is not None else f"s-{uuid7().hex}"
    cursor.execute(INSERT, [str(uuid7()), parent, name, slug, status, position, version])
    return cursor.fetchone()[0]


def hang(cursor, category, parent):
    cursor.execute("UPDATE category SET parent_id = %s WHERE id = %s", [parent, category])


@pytest.fixture(params=["app", "owner"])
def psql(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    "wrong",
    [
        {"slug": ""},
        {"slug": "a b"},
        {"slug": "a--b"},
        {"slug": "é"},
        {"slug": "a\n"},
        {"name": " "},
        {"status": "gone"},
        {"position": -1},
        {"version": 0},
    ],
)
def test_checks_every_column(psql, wrong):
    with pytest.raises(errors.CheckViolation):
        insert(psql, **wrong)


def test_keeps_slugs_of_roots_apart_ignoring_case(psql):
    insert(psql, slug="shoes")

    with pytest.raises(errors.UniqueViolation):
        insert(psql, slug="SHOES")


def test_keeps_slugs_of_siblings_apart_ignoring_case(psql):
    root = insert(psql)
    insert(psql, root, "shoes")

    with pytest.raises(errors.UniqueViolation):
        insert(psql, root, "Shoes")


def test_knows_every_parent(psql):
    insert(psql, parent=10**15)

    with pytest.raises(errors.ForeignKeyViolation):
        psql.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_deletes_no_parent(psql):
    root = insert(psql)
    insert(psql, root)
    psql.execute("DELETE FROM category WHERE id = %s", [root])

    with pytest.raises(errors.ForeignKeyViolation):
        psql.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_has_no_category_below_itself(psql):
    root = insert(psql)
    leaf = insert(psql, insert(psql, root))

    with pytest.raises(errors.CheckViolation, match="below itself"):
        hang(psql, root, leaf)


def test_has_no_category_as_its_own_parent(psql):
    root = insert(psql)

    with pytest.raises(errors.CheckViolation):
        hang(psql, root, root)


def test_sees_a_cycle_that_one_statement_makes_of_many_rows(psql):
    first, second, third = (insert(psql) for _ in range(3))

    with pytest.raises(errors.CheckViolation):
        psql.execute(
            "UPDATE category c SET parent_id = v.parent"
            " FROM (VALUES (%(a)s, %(b)s), (%(b)s, %(a)s), (%(c)s, %(a)s)) v (id, parent) WHERE c.id = v.id",
            {"a": first, "b": second, "c": third},
        )


def test_cannot_defer_the_look_for_cycles(psql):
    psql.execute("SET CONSTRAINTS ALL DEFERRED")
    root = insert(psql)
    leaf = insert(psql, root)

    with pytest.raises(errors.CheckViolation):
        hang(psql, root, leaf)


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_two_sessions_make_no_cycle_together(connect, level):
    here, there = connect(), connect()
    with here, here.cursor() as cursor:
        first, second = insert(cursor), insert(cursor)
    for session in (here, there):
        session.set_session(isolation_level=level)
        session.cursor().execute("SELECT count(*) FROM category")
    hang(here.cursor(), first, second)
    failures = []

    def other():
        try:
            hang(there.cursor(), second, first)
            there.commit()
        except psycopg2.Error as exc:
            failures.append(exc)
            there.rollback()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(0.2)
    here.commit()
    thread.join()

    assert [type(failure) for failure in failures] in (
        [errors.CheckViolation],
        [errors.SerializationFailure],
        [errors.DeadlockDetected],
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE category SET public_id = gen_random_uuid()",
        "UPDATE category SET id = 7",
        "UPDATE category SET created_at = now()",
        "TRUNCATE category",
        "ALTER TABLE category DISABLE TRIGGER ALL",
        "DROP TRIGGER category_has_no_cycle ON category",
        "SET session_replication_role = replica",
    ],
)
def test_lets_the_service_neither_rename_ids_nor_put_rules_aside(app, statement):
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)
