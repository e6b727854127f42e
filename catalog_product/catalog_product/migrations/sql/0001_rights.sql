-- {app} is the role of the running service, the user of CATALOG_PRODUCT_DATABASE_URL. A product keeps its keys
-- and its birthday, and is never deleted, for variants of another service refer to it. A picture never changes.

REVOKE UPDATE, DELETE, TRUNCATE ON product FROM {app};
GRANT UPDATE (brand_id, title, slug, subtitle, description, details, status, version, published_at, updated_at)
    ON product TO {app};
REVOKE UPDATE, TRUNCATE ON brand FROM {app};
GRANT UPDATE (name, slug, description, version, updated_at) ON brand TO {app};
REVOKE UPDATE, TRUNCATE ON slug_history, product_category FROM {app};
REVOKE UPDATE, DELETE, TRUNCATE ON picture FROM {app};
REVOKE UPDATE, TRUNCATE ON media FROM {app};
GRANT UPDATE (alt, options, position) ON media TO {app};
