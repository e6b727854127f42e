-- What stands beside the tables of the models. SQL for PostgreSQL 14 to 18.

-- Lets an exclusion constraint compare UUIDs and texts. A trusted extension: the owner of the database adds it.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Room for HOT updates: stock changes in place.
ALTER TABLE variant SET (fillfactor = 80);

-- The options that a variant chooses from, as ascending keys with commas between; variant_chooses writes it.
ALTER TABLE variant ADD COLUMN option_set text NOT NULL,
    ADD CONSTRAINT variant_options_check CHECK (cardinality(value_ids) <= 5),
    -- All variants of a product choose from the same options and cost the same currency, however many are
    -- written at once. What is archived is out of the way of its successors.
    ADD CONSTRAINT variant_options_excl
        EXCLUDE USING gist (product WITH =, option_set WITH <>) WHERE (status <> 'archived'),
    ADD CONSTRAINT variant_currency_excl
        EXCLUDE USING gist (product WITH =, currency WITH <>) WHERE (status <> 'archived');

-- variant.value_ids once more as rows, for the foreign key: a value that a variant has is not deleted.
CREATE TABLE variant_value (
    variant_id bigint NOT NULL,
    value_id   bigint NOT NULL,

    CONSTRAINT variant_value_pkey PRIMARY KEY (variant_id, value_id),
    CONSTRAINT variant_value_variant_fkey FOREIGN KEY (variant_id) REFERENCES variant (id) ON DELETE CASCADE,
    CONSTRAINT variant_value_value_fkey FOREIGN KEY (value_id) REFERENCES option_value (id)
);
CREATE INDEX variant_value_value_idx ON variant_value (value_id);

CREATE DOMAIN movement_reason AS text CHECK (VALUE IN ('receive', 'correction', 'damage', 'return'));

CREATE TABLE stock_movement (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    public_id     uuid            NOT NULL,
    variant_id    bigint          NOT NULL,
    delta         integer         NOT NULL,             -- units, signed
    on_hand_after integer         NOT NULL,             -- assigned by movement_counts, whatever an INSERT says
    reason        movement_reason NOT NULL,
    note          text            NOT NULL DEFAULT '',
    actor_sub     text            NOT NULL,
    db_role       text            NOT NULL DEFAULT session_user,  -- tells a psql session from the service
    created_at    timestamptz     NOT NULL,             -- likewise assigned; the row lock of the variant orders it

    CONSTRAINT stock_movement_pkey PRIMARY KEY (id),
    CONSTRAINT stock_movement_public_id_key UNIQUE (public_id),
    CONSTRAINT stock_movement_variant_fkey FOREIGN KEY (variant_id) REFERENCES variant (id),
    CONSTRAINT stock_movement_delta_check CHECK (delta <> 0 AND delta BETWEEN -1000000 AND 1000000),
    CONSTRAINT stock_movement_actor_check CHECK (actor_sub <> '')
);
CREATE INDEX stock_movement_variant_idx ON stock_movement (variant_id, created_at, public_id);
CREATE INDEX stock_movement_created_at_idx ON stock_movement (created_at, public_id);

-- One row per executed request, kept for ever; written in the same transaction as the request's effect.
CREATE TABLE idempotency (
    scope       text        NOT NULL,                   -- who asks for what: '<subject>:<operation>'
    key         text        NOT NULL,
    fingerprint bytea       NOT NULL,                   -- SHA-256 of the request
    outcome     text        NOT NULL DEFAULT 'done',    -- or the code of the refusal
    result_id   uuid        NOT NULL,                   -- public id of what the request made, if it was done
    xact        xid8        NOT NULL DEFAULT pg_current_xact_id(),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT idempotency_pkey PRIMARY KEY (scope, key),
    CONSTRAINT idempotency_key_check CHECK (octet_length(key) BETWEEN 1 AND 255)
);
