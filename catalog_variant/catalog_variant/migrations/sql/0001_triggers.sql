-- What the tables promise to everybody, the owner's own psql session included.

CREATE FUNCTION stock_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

-- Append-only. Statement triggers: they also fire when no row matches, and for TRUNCATE.
CREATE TRIGGER stock_movement_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movement
    EXECUTE FUNCTION stock_refuse('movements are append-only');
CREATE TRIGGER idempotency_is_kept BEFORE DELETE OR TRUNCATE ON idempotency
    EXECUTE FUNCTION stock_refuse('a key is kept for ever');

-- A refusal is written into the row of its key while the request runs, never afterwards.
CREATE TRIGGER idempotency_is_final BEFORE UPDATE ON idempotency FOR EACH ROW
    WHEN (OLD.xact <> pg_current_xact_id() OR (NEW.scope, NEW.key, NEW.fingerprint, NEW.result_id, NEW.xact)
          IS DISTINCT FROM (OLD.scope, OLD.key, OLD.fingerprint, OLD.result_id, OLD.xact))
    EXECUTE FUNCTION stock_refuse('the result of a key is final');

-- What is in the house changes only with a movement: movement_counts updates the variant from inside a trigger
-- (depth 1), anybody else from depth 0.
CREATE TRIGGER variant_starts_empty BEFORE INSERT ON variant FOR EACH ROW
    WHEN ((NEW.on_hand, NEW.reserved, NEW.allocated) IS DISTINCT FROM (0, 0, 0))
    EXECUTE FUNCTION stock_refuse('a variant starts without stock');
CREATE TRIGGER variant_moves_with_a_movement BEFORE UPDATE OF on_hand ON variant FOR EACH ROW
    WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION stock_refuse('stock changes only with a movement');

-- The row lock of the UPDATE orders the movements of a variant; constraints of the variant refuse what would
-- take away what is promised.
CREATE FUNCTION movement_count() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.variant SET on_hand = on_hand + NEW.delta WHERE id = NEW.variant_id
    RETURNING on_hand INTO NEW.on_hand_after;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no variant %', NEW.variant_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    NEW.created_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER movement_counts BEFORE INSERT ON stock_movement FOR EACH ROW EXECUTE FUNCTION movement_count();

-- value_ids in one order, so that equal choices are equal arrays; at most one value of each option. Whoever writes
-- what the variants of a product must agree on takes turns: an exclusion constraint alone would let two of them
-- wait for each other.
CREATE FUNCTION variant_choose() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_values  bigint[];
    v_options bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.product::text, 0));
    SELECT coalesce(array_agg(v.id ORDER BY v.id), '{}'),
           coalesce(array_agg(DISTINCT v.option_id ORDER BY v.option_id), '{}')
      INTO v_values, v_options
      FROM public.option_value v WHERE v.id = ANY (NEW.value_ids);
    IF cardinality(v_values) <> cardinality(NEW.value_ids) OR cardinality(v_options) <> cardinality(v_values) THEN
        RAISE EXCEPTION 'variant % does not choose one known value of each of its options', NEW.public_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'variant_choice_check', TABLE = 'variant';
    END IF;
    NEW.value_ids := v_values;
    NEW.option_set := array_to_string(v_options, ',');
    RETURN NEW;
END $$;
CREATE TRIGGER variant_chooses BEFORE INSERT OR UPDATE OF product, value_ids, option_set, currency, status ON variant
    FOR EACH ROW EXECUTE FUNCTION variant_choose();

CREATE FUNCTION variant_keep_values() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.variant_value WHERE variant_id = NEW.id;
    INSERT INTO public.variant_value (variant_id, value_id) SELECT NEW.id, unnest(NEW.value_ids);
    RETURN NULL;
END $$;
CREATE TRIGGER variant_keeps_values AFTER INSERT OR UPDATE OF value_ids ON variant
    FOR EACH ROW EXECUTE FUNCTION variant_keep_values();
CREATE TRIGGER option_value_keeps_its_option BEFORE UPDATE OF id, option_id ON option_value
    EXECUTE FUNCTION stock_refuse('a value stays with its option');
