-- The ledger. Every amount is an integer in minor units; credit is positive, so a customer's balance reads as
-- what the shop owes that customer. SQL for PostgreSQL 14 to 18.

-- What a row is born with is checked by domains and by account_starts_sound (0001_triggers.sql), for PostgreSQL
-- compiles and runs every CHECK of a table again whenever a balance changes.
CREATE DOMAIN currency_code AS text CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE DOMAIN account_kind AS text CHECK (VALUE IN ('customer', 'manual_adjustment'));
CREATE DOMAIN transfer_kind AS text CHECK (VALUE IN ('adjustment'));
CREATE DOMAIN stripe_number AS smallint CHECK (VALUE BETWEEN 0 AND 15);

CREATE TABLE account (
    id             bigint GENERATED ALWAYS AS IDENTITY,
    public_id      uuid          NOT NULL,
    kind           account_kind  NOT NULL,
    owner_sub      text          NOT NULL DEFAULT '',   -- subject of the customer; '' for the shop's own accounts
    currency       currency_code NOT NULL,
    stripe         stripe_number NOT NULL DEFAULT 0,    -- the shop's accounts are split 16 ways, so none is hot
    guarded        boolean       NOT NULL,              -- guarded: may never hold less than `held`
    balance        bigint        NOT NULL DEFAULT 0,
    held           bigint        NOT NULL DEFAULT 0,
    seq            bigint        NOT NULL DEFAULT 0,    -- number of entries; the next entry gets seq + 1
    head_hash      bytea         NOT NULL DEFAULT '\x', -- hash of the last entry; empty before the first
    last_posted_at timestamptz   NOT NULL DEFAULT '-infinity',
    created_at     timestamptz   NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT account_pkey PRIMARY KEY (id),
    CONSTRAINT account_public_id_key UNIQUE (public_id),
    CONSTRAINT account_owner_key UNIQUE (owner_sub, currency, kind, stripe),
    CONSTRAINT account_currency_key UNIQUE (id, currency),               -- target of the composite foreign key
    CONSTRAINT account_overdraft_check CHECK (held >= 0 AND (NOT guarded OR balance >= held))
) WITH (fillfactor = 70);                               -- room for HOT updates: the balance changes in place

CREATE TABLE transfer (
    id         bigint GENERATED ALWAYS AS IDENTITY,
    public_id  uuid          NOT NULL,
    kind       transfer_kind NOT NULL,
    currency   currency_code NOT NULL,
    amount     bigint        NOT NULL,                  -- what moves: the sum of the positive legs
    order_ref  text          NOT NULL DEFAULT '',
    reason     text          NOT NULL DEFAULT '',
    actor_sub  text          NOT NULL,
    xact       xid8          NOT NULL DEFAULT pg_current_xact_id(), -- legs may join in this transaction only
    created_at timestamptz   NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT transfer_pkey PRIMARY KEY (id, currency),    -- target of the composite foreign key
    CONSTRAINT transfer_public_id_key UNIQUE (public_id),
    CONSTRAINT transfer_amount_check CHECK (amount BETWEEN 1 AND 1000000000000),
    CONSTRAINT transfer_reason_check CHECK (actor_sub <> '' AND (kind <> 'adjustment' OR reason ~ '\S'))
);

CREATE TABLE entry (
    id            bigint GENERATED ALWAYS AS IDENTITY,  -- unindexed: nothing looks an entry up by it
    transfer_id   bigint        NOT NULL,
    account_id    bigint        NOT NULL,
    currency      currency_code NOT NULL,
    amount        bigint        NOT NULL,               -- signed
    -- Assigned by the trigger entry_posts, whatever an INSERT says.
    account_seq   bigint        NOT NULL,
    balance_after bigint        NOT NULL,
    posted_at     timestamptz   NOT NULL,               -- strictly increasing along account_seq
    hash          bytea         NOT NULL,

    CONSTRAINT entry_pkey PRIMARY KEY (account_id, account_seq),
    CONSTRAINT entry_transfer_key UNIQUE (transfer_id, account_id),
    CONSTRAINT entry_amount_check CHECK (amount <> 0),
    -- One currency per transfer, and it is the accounts' own.
    CONSTRAINT entry_transfer_fkey FOREIGN KEY (transfer_id, currency) REFERENCES transfer (id, currency),
    CONSTRAINT entry_account_fkey FOREIGN KEY (account_id, currency) REFERENCES account (id, currency)
);
CREATE INDEX entry_posted_at_idx ON entry (account_id, posted_at);

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

-- What people with rights did, whether it was done or refused.
CREATE TABLE audit_event (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    action      text        NOT NULL,
    outcome     text        NOT NULL,                   -- 'done' or the code of the refusal
    actor_sub   text        NOT NULL,
    owner_sub   text        NOT NULL DEFAULT '',        -- whose wallet it was about
    transfer    uuid,                                   -- public id of what it made
    detail      jsonb       NOT NULL DEFAULT '{}',
    db_role     text        NOT NULL DEFAULT session_user,   -- tells a psql session from the service
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT audit_event_pkey PRIMARY KEY (id),
    CONSTRAINT audit_event_transfer_fkey FOREIGN KEY (transfer) REFERENCES transfer (public_id)
);
