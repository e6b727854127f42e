-- {app} is the role of the running service, the user of BANNER_DATABASE_URL. Places come with migrations. A
-- banner keeps its keys and its birthday, an image is what it was made, and the log is only ever added to.

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON placement FROM {app};

REVOKE UPDATE, DELETE, TRUNCATE ON image FROM {app};
REVOKE UPDATE, DELETE, TRUNCATE ON log_entry FROM {app};

REVOKE UPDATE, TRUNCATE ON banner FROM {app};
GRANT UPDATE (placement_id, title, subtitle, cta_text, target_kind, target_ref, theme, background, foreground,
              image_id, image_alt, starts_at, ends_at, priority, status, audience, categories, locale, version,
              updated_at) ON banner TO {app};
