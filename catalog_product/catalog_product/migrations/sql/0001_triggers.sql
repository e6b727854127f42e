-- What is searched follows what it is made of, whoever writes it. For PostgreSQL 14 to 18.

-- By weight: title A, brand and subtitle B, details C, description D. The words are for likeness alone.
CREATE FUNCTION product_keep_search() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_brand text := coalesce((SELECT b.name FROM brand b WHERE b.id = NEW.brand_id), '');
    v_values text := (SELECT string_agg(v #>> '{}', ' ') FROM jsonb_path_query(NEW.details, '$[*].value') v);
BEGIN
    NEW.search := setweight(to_tsvector('english', NEW.title), 'A')
               || setweight(to_tsvector('english', v_brand || ' ' || NEW.subtitle), 'B')
               || setweight(jsonb_to_tsvector('english', NEW.details, '["string"]'), 'C')
               || setweight(to_tsvector('english', NEW.description), 'D');
    NEW.words := concat_ws(' ', NEW.title, v_brand, NEW.subtitle, v_values);
    RETURN NEW;
END $$;

CREATE TRIGGER product_keeps_search
    BEFORE INSERT OR UPDATE ON product FOR EACH ROW EXECUTE FUNCTION product_keep_search();

CREATE FUNCTION brand_keep_search() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE product SET brand_id = NEW.id WHERE brand_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER brand_keeps_search AFTER UPDATE OF name ON brand
    FOR EACH ROW WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION brand_keep_search();
