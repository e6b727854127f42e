"""What somebody can do who holds the password of the running service's database role, and a psql."""

import pytest
from django.conf import settings
from psycopg2 import DatabaseError, errors

from chassis.ids import uuid7
from chassis.postgres import has_too_many_rights

pytestmark = pytest.mark.skipif(not settings.APP_ROLE, reason="One role is both, so nothing can be withheld.")
GUARDED = ["stock_movement", "idempotency", "variant_value"]
_VERBS = ("SELECT", "INSERT", "DELETE")
ADJUST = "SELECT (stock_adjust('evil', %s, sha256(''), %s, %s, %s, 'correction', '', 'evil')).outcome"
VARIANT = """
    INSERT INTO variant (public_id, product, sku, value_ids, price_minor, currency, price_version, barcode,
                         status, position, on_hand, reserved, allocated, safety, version, created_at,
                         updated_at)
    VALUES (%s, %s, %s, '{}', 1, 'EUR', 1, '', 'draft', 0, 0, 0, 0, 0, 1, now(), now())
"""


@pytest.fixture
def variant(app):
    """A variant with 3 units."""
    public_id = str(uuid7())
    app.execute(VARIANT, [public_id, str(uuid7()), public_id])
    adjust(app, public_id, 3)
    return public_id


def adjust(app, variant, delta):
    app.execute(ADJUST, [str(uuid7()), str(uuid7()), variant, delta])
    return app.fetchone()[0]


def attempt(app, variant, delta):
    try:
        return adjust(app, variant, delta)
    except DatabaseError as exc:
        return type(exc).__name__


@pytest.mark.parametrize("table", GUARDED)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {} DEFAULT VALUES",
        "DELETE FROM {}",
        "TRUNCATE {} CASCADE",
        "LOCK TABLE {} IN ROW EXCLUSIVE MODE",
        "SELECT * FROM {} FOR UPDATE",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "DROP TABLE {} CASCADE",
        "CREATE TRIGGER t BEFORE INSERT ON {} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ],
)
def test_cannot_write_lock_or_alter(app, table, statement):
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE variant SET on_hand = 7",
        "UPDATE variant SET reserved = 1",
        "UPDATE variant SET allocated = 1",
        "UPDATE variant SET option_set = ''",
        "UPDATE variant SET product = gen_random_uuid()",
        "UPDATE variant SET public_id = gen_random_uuid()",
        "UPDATE variant SET id = 7",
        "UPDATE variant SET created_at = now()",
        "UPDATE stock_movement SET note = 'nothing happened'",
        "UPDATE idempotency SET outcome = 'done'",
        "UPDATE option SET public_id = gen_random_uuid()",
        "UPDATE option_value SET option_id = 7",
        "TRUNCATE variant CASCADE",
        "ALTER TABLE variant DISABLE TRIGGER ALL",
        "ALTER TABLE variant DROP CONSTRAINT variant_promise_check",
        "DROP TRIGGER variant_moves_with_a_movement ON variant",
        "SET session_replication_role = replica",
        "SELECT * FROM idempotency",
        "SELECT setval('stock_movement_id_seq', 1)",
    ],
)
def test_cannot_change_counters_or_movements(app, variant, statement):
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)


@pytest.mark.parametrize(
    "call",
    [
        "stock_claim('x', 'x', sha256(''), gen_random_uuid())",
        "stock_judge(gen_random_uuid(), 1)",
        "stock_result_of('done', true, gen_random_uuid())",
    ],
)
def test_cannot_call_what_the_operations_are_made_of(app, call):
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(f"SELECT {call}")


@pytest.mark.parametrize(
    "function", ["movement_count", "variant_choose", "variant_keep_values", "stock_refuse"]
)
def test_cannot_hang_a_trigger_function_on_a_table_of_his_own(app, function):
    app.execute("CREATE TEMP TABLE mine (id bigint, variant_id bigint, delta integer, value_ids bigint[])")

    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(f"CREATE TRIGGER t BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION {function}()")


def test_cannot_slip_a_table_of_his_own_under_a_function(app, variant):
    app.execute("CREATE TEMP TABLE variant AS SELECT * FROM public.variant")
    app.execute("UPDATE pg_temp.variant SET on_hand = 100")
    app.execute("SET search_path = pg_temp, public")

    assert adjust(app, variant, -4) == "insufficient-stock"


def test_cannot_slip_a_function_of_his_own_under_a_function(app, variant):
    app.execute(
        "CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
        " AS $$SELECT timestamptz 'epoch'$$"
    )
    app.execute("SET search_path = pg_temp, public, pg_catalog")

    adjust(app, variant, 1)

    app.execute("SELECT count(*) FROM public.stock_movement WHERE created_at = 'epoch'")
    assert app.fetchone() == (0,)


@pytest.mark.parametrize("delta", [0, 10**6 + 1, -(10**6) - 1, 2**31 - 1, -(2**31), 2**63 - 1])
def test_cannot_move_an_amount_out_of_bounds(app, variant, delta):
    outcome = attempt(app, variant, delta)

    assert outcome in {"CheckViolation", "UndefinedFunction", "insufficient-stock", "stock-limit"}


def test_cannot_take_what_is_not_there(app, variant):
    app.execute("SET CONSTRAINTS ALL DEFERRED")

    assert adjust(app, variant, -4) == "insufficient-stock"


def test_cannot_move_without_a_trace(app, variant):
    adjust(app, variant, -1)

    app.execute(
        "SELECT delta, on_hand_after, actor_sub, db_role FROM stock_movement ORDER BY id DESC LIMIT 1"
    )
    assert app.fetchone() == (-1, 2, "evil", settings.APP_ROLE)


def test_may_do_no_more_than_this_list_says(app):
    # Every table of the service, today's and tomorrow's, but those of the admin; functions of extensions are
    # everybody's.
    app.execute(
        "SELECT a.privilege_type || ' ' || c.relname FROM pg_class c, aclexplode(c.relacl) a"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
        "   AND c.relname !~ '^(auth|django)_' AND a.grantee IN (0, current_user::regrole)"
        " UNION ALL SELECT 'EXECUTE ' || p.proname FROM pg_proc p"
        " WHERE p.pronamespace = 'public'::regnamespace AND has_function_privilege(p.oid, 'EXECUTE')"
        "   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
    )

    catalogue = [f"{verb} {table}" for verb in _VERBS for table in ("option", "option_value", "variant")]
    found = {row[0] for row in app.fetchall()}
    assert found == {*catalogue, "SELECT stock_movement", "EXECUTE stock_adjust"}


def test_gets_no_function_that_a_later_migration_makes(owner):
    owner.execute("CREATE FUNCTION later() RETURNS integer LANGUAGE sql AS 'SELECT 1'")

    owner.execute("SELECT has_function_privilege(%s, 'later()', 'EXECUTE')", [settings.APP_ROLE])
    assert owner.fetchone() == (False,)


def test_is_told_from_a_role_with_too_many_rights(app, owner):
    assert not has_too_many_rights(app)
    assert has_too_many_rights(owner)
