"""What somebody can do who holds the password of the running service's database role, and a psql."""

import pytest
from django.conf import settings
from psycopg2 import DatabaseError, errors

from chassis.ids import uuid7
from chassis.postgres import has_too_many_rights

pytestmark = pytest.mark.skipif(not settings.APP_ROLE, reason="One role is both, so nothing can be withheld.")
LEDGER = ["account", "audit_event", "entry", "idempotency", "transfer"]
ADJUST = "SELECT (wallet_adjust('evil', %s, sha256(''), %s, %s, %s, 'EUR', %s, 'evil', 'evil')).outcome"


def adjust(app, amount):
    app.execute(ADJUST, [str(uuid7()), str(uuid7()), str(uuid7()), str(uuid7()), amount])
    return app.fetchone()[0]


def attempt(app, amount):
    try:
        return adjust(app, amount)
    except DatabaseError as exc:
        return type(exc).__name__


@pytest.mark.parametrize("table", LEDGER)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {} DEFAULT VALUES",
        "UPDATE {} SET created_at = now()",
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
    column = "posted_at" if table == "entry" else "created_at"

    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement.format(table).replace("created_at", column))


def test_cannot_read_the_keys_of_others(app):
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("SELECT * FROM idempotency")


@pytest.mark.parametrize(
    "call",
    [
        "wallet_post(gen_random_uuid(), 'adjustment', 'EUR', ARRAY[1, 2], ARRAY[1, -1], 1, '', 'x', 'x')",
        "wallet_account(gen_random_uuid(), 'customer', 'x', 'EUR', 0::smallint)",
        "wallet_stripe('manual_adjustment', 'EUR', gen_random_uuid())",
        "wallet_claim('x', 'x', sha256(''), gen_random_uuid())",
        "wallet_result_of('done', true, gen_random_uuid(), 1)",
        "setval('entry_id_seq', 1)",
        "nextval('account_id_seq')",
        "pg_read_file('/etc/hostname')",
        "set_config('session_replication_role', 'replica', false)",
    ],
)
def test_cannot_call_what_the_operations_are_made_of(app, call):
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(f"SELECT {call}")


@pytest.mark.parametrize("function", ["entry_post", "transfer_check", "ledger_refuse"])
def test_cannot_hang_a_trigger_function_on_a_table_of_his_own(app, function):
    app.execute(
        "CREATE TEMP TABLE mine (transfer_id bigint, account_id bigint, currency text, amount bigint)"
    )

    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(f"CREATE TRIGGER t BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION {function}()")


def test_cannot_slip_a_table_of_his_own_under_a_function(app):
    app.execute("CREATE TEMP TABLE account AS SELECT * FROM public.account")
    app.execute("CREATE TEMP TABLE transfer AS SELECT * FROM public.transfer")
    app.execute("SET search_path = pg_temp, public")

    outcome = adjust(app, -1)

    assert outcome == "insufficient-funds"


def test_cannot_slip_a_function_of_his_own_under_a_function(app):
    app.execute("CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea'")
    app.execute("SET search_path = pg_temp, public, pg_catalog")

    adjust(app, 1)

    app.execute("SELECT count(*) FROM public.entry WHERE hash IS NULL")
    assert app.fetchone() == (0,)


def test_cannot_overdraw_with_the_constraints_set_otherwise(app):
    app.execute("SET CONSTRAINTS ALL DEFERRED")

    assert adjust(app, -1) == "insufficient-funds"


@pytest.mark.parametrize("amount", [0, 10**12 + 1, -(10**12) - 1, 2**63 - 1, -(2**63)])
def test_cannot_move_an_amount_out_of_bounds(app, amount):
    outcome = attempt(app, amount)

    assert outcome in {"CheckViolation", "NumericValueOutOfRange", "insufficient-funds", "balance-limit"}


def test_cannot_adjust_without_a_trace(app):
    adjust(app, 1)

    app.execute("SELECT action, outcome, actor_sub, db_role FROM audit_event ORDER BY id DESC LIMIT 1")
    assert app.fetchone() == ("adjust", "done", "evil", settings.APP_ROLE)


def test_cannot_slip_an_operator_under_a_function(owner):
    # Who may create in public, as everyone could before PostgreSQL 15, could plant an exact match.
    owner.execute(
        "CREATE FUNCTION public.evil(account_kind, text) RETURNS boolean LANGUAGE plpgsql"
        " AS 'BEGIN RAISE EXCEPTION ''evil ran''; END'"
    )
    owner.execute(
        "CREATE OPERATOR public.= (LEFTARG = account_kind, RIGHTARG = text, FUNCTION = public.evil)"
    )

    assert adjust(owner, 1) == "done"


def test_may_do_no_more_than_this_list_says(app):
    # Every table of the service, today's and tomorrow's, but those of the admin.
    app.execute(
        "SELECT a.privilege_type || ' ' || c.relname FROM pg_class c, aclexplode(c.relacl) a"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relname !~ '^(auth|django)_'"
        "   AND a.grantee IN (0, current_user::regrole)"
        " UNION ALL SELECT 'EXECUTE ' || p.proname FROM pg_proc p"
        " WHERE p.pronamespace = 'public'::regnamespace AND has_function_privilege(p.oid, 'EXECUTE')"
    )

    assert {row[0] for row in app.fetchall()} == {
        "SELECT account",
        "SELECT transfer",
        "SELECT entry",
        "SELECT audit_event",
        "EXECUTE wallet_adjust",
    }


def test_may_not_rewrite_the_history_of_migrations(app):
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("DELETE FROM django_migrations")


def test_gets_no_function_that_a_later_migration_makes(owner):
    owner.execute("CREATE FUNCTION later() RETURNS integer LANGUAGE sql AS 'SELECT 1'")

    owner.execute("SELECT has_function_privilege(%s, 'later()', 'EXECUTE')", [settings.APP_ROLE])
    assert owner.fetchone() == (False,)


def test_is_told_from_a_role_with_too_many_rights(app, owner):
    assert not has_too_many_rights(app)
    assert has_too_many_rights(owner)
