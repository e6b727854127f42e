-- What the tables promise to everybody, the owner's own psql session included.

CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

-- Append-only. Statement triggers: they also fire when no row matches, and for TRUNCATE.
CREATE TRIGGER transfer_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
    EXECUTE FUNCTION ledger_refuse('the ledger is append-only');
CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    EXECUTE FUNCTION ledger_refuse('the ledger is append-only');
CREATE TRIGGER audit_event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
    EXECUTE FUNCTION ledger_refuse('the audit trail is append-only');
CREATE TRIGGER idempotency_is_kept BEFORE DELETE OR TRUNCATE ON idempotency
    EXECUTE FUNCTION ledger_refuse('a key is kept for ever');
CREATE TRIGGER account_is_kept BEFORE DELETE OR TRUNCATE ON account
    EXECUTE FUNCTION ledger_refuse('an account is kept for ever');

-- A refusal is written into the row of its key while the request runs, never afterwards.
CREATE TRIGGER idempotency_is_final BEFORE UPDATE ON idempotency FOR EACH ROW
    WHEN (OLD.xact <> pg_current_xact_id() OR (NEW.scope, NEW.key, NEW.fingerprint, NEW.result_id, NEW.xact)
          IS DISTINCT FROM (OLD.scope, OLD.key, OLD.fingerprint, OLD.result_id, OLD.xact))
    EXECUTE FUNCTION ledger_refuse('the result of a key is final');

-- A balance changes only with an entry: entry_posts updates the account from inside a trigger (depth 1), anybody
-- else from depth 0. Who an account belongs to, and what it is, never changes.
CREATE TRIGGER account_starts_sound BEFORE INSERT ON account FOR EACH ROW
    WHEN ((NEW.balance, NEW.held, NEW.seq, NEW.head_hash, NEW.last_posted_at)
          IS DISTINCT FROM (0::bigint, 0::bigint, 0::bigint, '\x'::bytea, '-infinity'::timestamptz)
          OR NEW.kind = 'customer' AND (NOT NEW.guarded OR NEW.owner_sub = '' OR NEW.stripe <> 0))
    EXECUTE FUNCTION ledger_refuse('an account starts empty, and a customer''s guarded, owned and whole');
CREATE TRIGGER account_moves_with_an_entry BEFORE UPDATE OF balance, seq, head_hash, last_posted_at ON account
    FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION ledger_refuse('a balance changes only with an entry');
CREATE TRIGGER account_keeps_its_identity
    BEFORE UPDATE OF id, public_id, kind, owner_sub, currency, stripe, guarded, created_at ON account
    EXECUTE FUNCTION ledger_refuse('an account keeps its owner, kind and currency');

-- An entry is posted to its account: the row lock of the UPDATE orders the entries of one account, and everything
-- that depends on that order (sequence, running balance, time, hash chain) is taken from the locked row.
--
-- hash = SHA-256 of the UTF-8 text of this JSON array, as json_build_array prints it (", " between members):
--   ["mercato-entry-1", previous hash (hex, "" for the first), account public id, account_seq, amount, currency,
--    balance_after, posted_at (UTC, "YYYY-MM-DDTHH:MM:SS.ffffffZ"),
--    transfer public id, kind, order_ref, reason, actor_sub]
-- manage.py verify_ledger computes the same in Python and compares.
CREATE FUNCTION entry_post() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    UPDATE public.account a
       SET balance = a.balance + NEW.amount,
           seq = a.seq + 1,
           last_posted_at = greatest(v_now, a.last_posted_at + interval '1 microsecond'),
           head_hash = sha256(convert_to(json_build_array(
               'mercato-entry-1', encode(a.head_hash, 'hex'), a.public_id, a.seq + 1, NEW.amount, NEW.currency,
               a.balance + NEW.amount,
               to_char(greatest(v_now, a.last_posted_at + interval '1 microsecond') AT TIME ZONE 'UTC',
                       'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
               t.public_id, t.kind, t.order_ref, t.reason, t.actor_sub)::text, 'UTF8'))
      FROM public.transfer t
     WHERE a.id = NEW.account_id AND t.id = NEW.transfer_id AND t.xact = pg_current_xact_id()
    RETURNING a.balance, a.seq, a.last_posted_at, a.head_hash
         INTO NEW.balance_after, NEW.account_seq, NEW.posted_at, NEW.hash;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'INSERT on entry: transfer % is closed, or there is no account %',
            NEW.transfer_id, NEW.account_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER entry_posts BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION entry_post();

-- Checked once per transfer when the transaction commits, so it also catches a transfer without legs.
CREATE FUNCTION transfer_check() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_legs  bigint;
    v_sum   numeric;
    v_moved numeric;
BEGIN
    SELECT count(*), sum(amount), sum(greatest(amount, 0)) INTO v_legs, v_sum, v_moved
      FROM public.entry WHERE transfer_id = NEW.id;
    IF v_legs < 2 OR v_sum <> 0 OR v_moved <> NEW.amount THEN
        RAISE EXCEPTION 'transfer % does not balance: % legs, sum %, moved %', NEW.id, v_legs, v_sum, v_moved
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_balances', TABLE = 'transfer';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER transfer_balances AFTER INSERT ON transfer
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION transfer_check();
