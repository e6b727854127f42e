-- Every write of stock, one round trip each. The operations are SECURITY DEFINER: they run as the owner of the
-- tables and are all that the service may execute (0001_rights.sql). What they are made of has no rights of its own.
-- A refusal is a result and not an exception, so that it commits with its key and repeats alike.
-- Lock order everywhere: idempotency row, then variants by ascending id, then the turn of a product
-- (0001_triggers.sql).

-- Claim a key: NULL when the caller is the first (its row is locked until commit), else the row of the first.
-- A twin that is still running is waited for (lock_timeout bounds the wait).
CREATE FUNCTION stock_claim(p_scope text, p_key text, p_fingerprint bytea, p_result_id uuid)
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

-- Why a variant cannot gain or lose so much; 'done' when it can. Its row is locked until the transaction ends.
CREATE FUNCTION stock_judge(p_variant uuid, p_delta integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_free bigint;
    v_room bigint;
BEGIN
    SELECT on_hand - reserved - allocated, 1000000000 - on_hand INTO v_free, v_room
      FROM public.variant WHERE public_id = p_variant FOR NO KEY UPDATE;
    RETURN CASE WHEN NOT FOUND         THEN 'unknown-variant'
                WHEN p_delta < -v_free THEN 'insufficient-stock'
                WHEN p_delta > v_room  THEN 'stock-limit'
                ELSE 'done' END;
END $$;

-- What a request for a movement shows, and how it ended.
CREATE TYPE stock_result AS (
    outcome       text,          -- 'done', or the code of the refusal (then the rest is NULL)
    is_replay     boolean,
    public_id     uuid,
    variant       uuid,
    delta         integer,
    on_hand_after integer,
    reason        text,
    note          text,
    actor_sub     text,
    created_at    timestamptz
);

CREATE FUNCTION stock_result_of(p_outcome text, p_is_replay boolean, p_public_id uuid)
    RETURNS public.stock_result LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_result public.stock_result;
BEGIN
    IF p_outcome = 'done' THEN
        SELECT p_outcome, p_is_replay, m.public_id, v.public_id, m.delta, m.on_hand_after, m.reason, m.note,
               m.actor_sub, m.created_at
          INTO STRICT v_result
          FROM public.stock_movement m JOIN public.variant v ON v.id = m.variant_id
         WHERE m.public_id = p_public_id;
    ELSE
        v_result.outcome := p_outcome;
        v_result.is_replay := p_is_replay;
    END IF;
    RETURN v_result;
END $$;

-- Units of a variant come into the house (p_delta > 0) or leave it (p_delta < 0). Outcomes: done, unknown-variant,
-- insufficient-stock, stock-limit, idempotency-key-reused.
CREATE FUNCTION stock_adjust(p_scope text, p_key text, p_fingerprint bytea, p_public_id uuid, p_variant uuid,
                             p_delta integer, p_reason text, p_note text, p_actor_sub text)
    RETURNS public.stock_result LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_first   public.idempotency;
    v_outcome text;
BEGIN
    v_first := public.stock_claim(p_scope, p_key, p_fingerprint, p_public_id);
    IF v_first.fingerprint <> p_fingerprint THEN
        RETURN public.stock_result_of('idempotency-key-reused', false, NULL);
    END IF;
    IF v_first.outcome IS NOT NULL THEN
        RETURN public.stock_result_of(v_first.outcome, true, v_first.result_id);
    END IF;

    v_outcome := public.stock_judge(p_variant, p_delta);
    IF v_outcome = 'done' THEN
        INSERT INTO public.stock_movement (public_id, variant_id, delta, reason, note, actor_sub)
        SELECT p_public_id, id, p_delta, p_reason, p_note, p_actor_sub
          FROM public.variant WHERE public_id = p_variant;
    ELSE
        UPDATE public.idempotency SET outcome = v_outcome WHERE scope = p_scope AND key = p_key;
    END IF;
    RETURN public.stock_result_of(v_outcome, false, p_public_id);
END $$;

-- Nobody may execute any of this unless 0001_rights.sql says so. Trigger functions included: whoever may execute
-- one could hang it on a table of his own and have it work on the stock with the owner's rights.
REVOKE ALL ON FUNCTION stock_refuse(), movement_count(), variant_choose(), variant_keep_values(),
    stock_claim(text, text, bytea, uuid), stock_judge(uuid, integer), stock_result_of(text, boolean, uuid),
    stock_adjust(text, text, bytea, uuid, uuid, integer, text, text, text) FROM PUBLIC;
