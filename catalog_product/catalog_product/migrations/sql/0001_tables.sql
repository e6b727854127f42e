-- What Django's models do not say. For PostgreSQL 14 to 18.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

ALTER TABLE product
    ADD COLUMN search tsvector NOT NULL,
    ADD COLUMN words  text     NOT NULL,
    ADD CONSTRAINT product_details_check CHECK (jsonb_typeof(details) = 'array');
ALTER TABLE media ADD CONSTRAINT media_options_check CHECK (jsonb_typeof(options) = 'object');
ALTER TABLE picture ADD CONSTRAINT picture_renditions_check CHECK (jsonb_typeof(renditions) = 'array');

CREATE INDEX product_search_idx ON product USING gin (search);
CREATE INDEX product_words_idx ON product USING gin (words gin_trgm_ops);
