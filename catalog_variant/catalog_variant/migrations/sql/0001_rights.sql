-- {app} is the role of the running service, the user of CATALOG_VARIANT_DATABASE_URL: it writes the catalogue, reads
-- stock, and moves it by calling stock_adjust. It has no other way to change a counter.

REVOKE UPDATE, TRUNCATE ON option, option_value, variant FROM {app};
GRANT UPDATE (code, name, display, position, version) ON option TO {app};
GRANT UPDATE (code, name, swatch, position) ON option_value TO {app};
GRANT UPDATE (sku, value_ids, price_minor, currency, compare_at_minor, price_version, barcode, weight_grams, status,
              position, safety, version, updated_at) ON variant TO {app};

REVOKE ALL ON variant_value, stock_movement, idempotency FROM {app};
REVOKE ALL ON SEQUENCE stock_movement_id_seq FROM {app};
GRANT SELECT ON stock_movement TO {app};
GRANT EXECUTE ON FUNCTION stock_adjust(text, text, bytea, uuid, uuid, integer, text, text, text) TO {app};
