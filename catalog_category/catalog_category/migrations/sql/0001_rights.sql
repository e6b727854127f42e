-- {app} is the role of the running service, the user of CATALOG_CATEGORY_DATABASE_URL. A category keeps its
-- keys and its birthday.

REVOKE UPDATE, TRUNCATE ON category FROM {app};
GRANT UPDATE (parent_id, name, slug, description, status, position, version, updated_at) ON category TO {app};
GRANT EXECUTE ON FUNCTION category_take_turns() TO {app};
