-- What the table promises to everybody, the owner's own psql session included. For PostgreSQL 14 to 18.

-- Two moves that are fine alone can make a cycle together, so whoever changes the tree waits here for whoever
-- does already. The lock ends with the transaction. The number is the ASCII text "category".
CREATE FUNCTION category_take_turns() RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(x'63617465676f7279'::bigint)
$$;

-- Walks from the new parent to the root and must not meet the same category twice. FOR SHARE makes a
-- transaction with an old snapshot (REPEATABLE READ) fail instead of walking over a parent that has moved.
CREATE FUNCTION category_check_cycle() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_met bigint[] := ARRAY[NEW.id];
    v_id  bigint   := NEW.parent_id;
BEGIN
    PERFORM public.category_take_turns();
    WHILE v_id IS NOT NULL LOOP
        IF v_id = ANY (v_met) THEN
            RAISE EXCEPTION 'category % cannot hang below itself', NEW.public_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'category_has_no_cycle', TABLE = 'category';
        END IF;
        v_met := v_met || v_id;
        SELECT c.parent_id INTO v_id FROM public.category c WHERE c.id = v_id FOR SHARE;
    END LOOP;
    RETURN NULL;
END $$;

-- At the end of each statement, so that no statement, not even of the same transaction, ever reads a cycle.
CREATE CONSTRAINT TRIGGER category_has_no_cycle AFTER INSERT OR UPDATE OF id, parent_id ON category
    NOT DEFERRABLE FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION category_check_cycle();
