-- Every write, one round trip each. The operations are SECURITY DEFINER: they run as the owner of the ledger and are
-- all that the service may execute (0001_rights.sql). What they are made of has no rights of its own.
-- A refusal is a result and not an exception, so that it commits with its key and repeats alike.
-- Lock order everywhere: idempotency row, then customers' accounts by ascending id, then the shop's by ascending id.

-- Claim a key: NULL when the caller is the first (its row is locked until commit), else the row of the first.
-- A twin that is still running is waited for (lock_timeout bounds the wait).
CREATE FUNCTION wallet_claim(p_scope text, p_key text, p_fingerprint bytea, p_result_id uuid)
    RETURNS public.idempotency LANGUAGE plpgsql AS $$
DECLARE
    v_first public.idempotency;
BEGIN
    INSERT INTO public.idempotency (scope, key, fingerprint, result_id)
    VALUES (p_scope, p_key, p_fingerprint, p_result_id)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO STRICT v_first FROM public.idempotency WHERE scope = p_scope AND key = p_key;
    RETURN v_first;
END $$;

-- The account of this kind, owner, currency and stripe; opened when there is none yet, with p_public_id or any.
CREATE FUNCTION wallet_account(p_public_id uuid, p_kind text, p_owner_sub text, p_currency text, p_stripe smallint)
    RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
BEGIN
    LOOP
        SELECT id INTO v_id FROM public.account
         WHERE kind = p_kind AND owner_sub = p_owner_sub AND currency = p_currency AND stripe = p_stripe;
        IF FOUND THEN
            RETURN v_id;
        END IF;
        INSERT INTO public.account (public_id, kind, owner_sub, currency, stripe, guarded)
        VALUES (coalesce(p_public_id, gen_random_uuid()), p_kind, p_owner_sub, p_currency, p_stripe, p_kind = 'customer')
        ON CONFLICT ON CONSTRAINT account_owner_key DO NOTHING
        RETURNING id INTO v_id;
        IF FOUND THEN
            RETURN v_id;
        END IF;
    END LOOP;
END $$;

-- One of the 16 accounts of the shop, chosen by the transfer, so that concurrent transfers rarely meet.
CREATE FUNCTION wallet_stripe(p_kind text, p_currency text, p_transfer_public_id uuid)
    RETURNS bigint LANGUAGE sql AS $$
    SELECT public.wallet_account(NULL, p_kind, '', p_currency,
                                 (uuid_hash(p_transfer_public_id) & 15)::smallint);
$$;

-- Post a transfer of any number of legs, given in lock order: those of p_customers customers first. No account
-- stands twice. Returns 'done', or the code of the refusal with nothing changed.
CREATE FUNCTION wallet_post(p_public_id uuid, p_kind text, p_currency text, p_accounts bigint[], p_amounts bigint[],
                            p_customers integer, p_order_ref text, p_reason text, p_actor_sub text)
    RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_available bigint;
    v_balance   bigint;
    v_moved     bigint := 0;
    v_transfer  bigint;
BEGIN
    -- Customers' rows are locked before they are judged; the shop's by their entries, last and shortly.
    FOR i IN 1 .. p_customers LOOP
        SELECT balance - held, balance INTO v_available, v_balance
          FROM public.account WHERE id = p_accounts[i] FOR NO KEY UPDATE;
        IF p_amounts[i] < 0 AND p_amounts[i] < -v_available THEN
            RETURN 'insufficient-funds';
        ELSIF p_amounts[i] > 0 AND p_amounts[i] > 1000000000000000 - v_balance THEN
            RETURN 'balance-limit';
        END IF;
    END LOOP;

    FOR i IN 1 .. cardinality(p_amounts) LOOP
        v_moved := v_moved + greatest(p_amounts[i], 0);
    END LOOP;
    INSERT INTO public.transfer (public_id, kind, currency, amount, order_ref, reason, actor_sub)
    VALUES (p_public_id, p_kind, p_currency, v_moved, p_order_ref, p_reason, p_actor_sub)
    RETURNING id INTO v_transfer;
    INSERT INTO public.entry (transfer_id, account_id, currency, amount)
    SELECT v_transfer, p_accounts[i], p_currency, p_amounts[i] FROM generate_subscripts(p_accounts, 1) AS i;
    RETURN 'done';
END $$;

-- What a customer's wallet shows of one transfer, and how the request for it ended.
CREATE TYPE wallet_result AS (
    outcome       text,          -- 'done', or the code of the refusal (then the rest is NULL)
    is_replay     boolean,
    public_id     uuid,
    kind          text,
    amount        bigint,
    currency      text,
    balance_after bigint,
    reason        text,
    order_ref     text,
    posted_at     timestamptz
);

CREATE FUNCTION wallet_result_of(p_outcome text, p_is_replay boolean, p_public_id uuid, p_account bigint)
    RETURNS public.wallet_result LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_result public.wallet_result;
BEGIN
    IF p_outcome = 'done' THEN
        SELECT p_outcome, p_is_replay, t.public_id, t.kind, e.amount, e.currency, e.balance_after, t.reason,
               t.order_ref, e.posted_at
          INTO STRICT v_result
          FROM public.transfer t
          JOIN public.entry e ON e.transfer_id = t.id AND e.account_id = p_account
         WHERE t.public_id = p_public_id;
    ELSE
        v_result.outcome := p_outcome;
        v_result.is_replay := p_is_replay;
    END IF;
    RETURN v_result;
END $$;

-- Staff credit (p_amount > 0) or debit (p_amount < 0) a customer, against the shop's account for adjustments.
-- The two public ids are for a transfer and a wallet account that may be made. Outcomes: done, insufficient-funds,
-- balance-limit, idempotency-key-reused.
CREATE FUNCTION wallet_adjust(p_scope text, p_key text, p_fingerprint bytea, p_transfer_public_id uuid,
                              p_account_public_id uuid, p_owner_sub text, p_currency text, p_amount bigint,
                              p_reason text, p_actor_sub text)
    RETURNS public.wallet_result LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_first    public.idempotency;
    v_customer bigint;
    v_shop     bigint;
    v_outcome  text;
BEGIN
    v_first := public.wallet_claim(p_scope, p_key, p_fingerprint, p_transfer_public_id);
    IF v_first.fingerprint <> p_fingerprint THEN
        RETURN public.wallet_result_of('idempotency-key-reused', false, NULL, NULL);
    END IF;
    v_customer := public.wallet_account(p_account_public_id, 'customer', p_owner_sub, p_currency, 0::smallint);
    IF v_first.outcome IS NOT NULL THEN
        RETURN public.wallet_result_of(v_first.outcome, true, v_first.result_id, v_customer);
    END IF;

    v_shop := public.wallet_stripe('manual_adjustment', p_currency, p_transfer_public_id);
    v_outcome := public.wallet_post(p_transfer_public_id, 'adjustment', p_currency, ARRAY[v_customer, v_shop],
                                    ARRAY[p_amount, -p_amount], 1, '', p_reason, p_actor_sub);
    IF v_outcome <> 'done' THEN
        UPDATE public.idempotency SET outcome = v_outcome WHERE scope = p_scope AND key = p_key;
    END IF;

    INSERT INTO public.audit_event (action, outcome, actor_sub, owner_sub, transfer, detail)
    VALUES ('adjust', v_outcome, p_actor_sub, p_owner_sub,
            CASE WHEN v_outcome = 'done' THEN p_transfer_public_id END,
            jsonb_build_object('amount', p_amount, 'currency', p_currency, 'reason', p_reason));
    RETURN public.wallet_result_of(v_outcome, false, p_transfer_public_id, v_customer);
END $$;

-- Nobody may execute any of this unless 0001_rights.sql says so. Trigger functions included: whoever may execute
-- one could hang it on a table of his own and have it work on the ledger with the owner's rights.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
