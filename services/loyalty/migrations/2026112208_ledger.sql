-- The journal: what was decided (operations) and where points went (entries). Only ever added to.
CREATE TABLE customers (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Balances in kopecks: the sums of the journal, kept under the row's lock.
    available  bigint      NOT NULL DEFAULT 0 CHECK (available >= 0),
    pending    bigint      NOT NULL DEFAULT 0 CHECK (pending >= 0),
    held       bigint      NOT NULL DEFAULT 0 CHECK (held >= 0),
    debt       bigint      NOT NULL DEFAULT 0 CHECK (debt <= 0),
    updated_at timestamptz NOT NULL DEFAULT now(), -- of the last operation
    checked_at timestamptz,                        -- when the balance was last compared with 1C's
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The shops' users. A customer may be a user of several shops.
CREATE TABLE users (
    shop        text   NOT NULL,
    user_id     bigint NOT NULL,
    customer_id bigint NOT NULL REFERENCES customers,
    PRIMARY KEY (shop, user_id)
);
CREATE INDEX users_customer ON users (customer_id);

-- A phone may belong to several customers; then nobody guesses which one is meant.
CREATE TABLE phones (
    phone       text   NOT NULL, -- E.164
    customer_id bigint NOT NULL REFERENCES customers,
    PRIMARY KEY (phone, customer_id)
);
CREATE INDEX phones_customer ON phones (customer_id);

CREATE TABLE operations (
    id           uuid        PRIMARY KEY,
    seq          bigint      GENERATED ALWAYS AS IDENTITY UNIQUE, -- the order in which they were recorded
    source       text        NOT NULL,
    external_id  text        NOT NULL,
    kind         text        NOT NULL,
    customer_id  bigint      NOT NULL REFERENCES customers,
    amount       bigint,               -- kopecks asked for
    phone        text,                 -- as it was asked
    of_source    text,                 -- the operation that it refers to, by name
    of_external  text,
    of_id        uuid,                 -- and by id: an operation or a lot
    outcome      text        NOT NULL,
    applied      bigint      NOT NULL CHECK (applied >= 0), -- kopecks that moved
    effective_at timestamptz NOT NULL,  -- when it happened
    recorded_at  timestamptz NOT NULL,  -- when we took it up
    occurred_at  timestamptz,           -- when it happened by the register's clock
    register     text,
    store        text,
    description  text,
    order_number text,
    author       text,
    reason       text,
    UNIQUE (source, external_id)        -- what counts each operation once
);
CREATE INDEX operations_customer ON operations (customer_id, seq);

CREATE TABLE entries (
    operation_id uuid        NOT NULL REFERENCES operations,
    account      text        NOT NULL CHECK (account IN
        ('available', 'pending', 'held', 'debt', 'issued', 'spent', 'expired', 'adjusted')),
    customer_id  bigint      NOT NULL,
    amount       bigint      NOT NULL CHECK (amount <> 0),
    recorded_at  timestamptz NOT NULL,
    PRIMARY KEY (operation_id, account)
);
CREATE INDEX entries_customer ON entries (customer_id, recorded_at);

CREATE FUNCTION entries_sum_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added GROUP BY operation_id HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the entries of an operation do not sum to zero';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER zero AFTER INSERT ON entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION entries_sum_to_zero();

CREATE FUNCTION journal_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is only added to';
END $$;
CREATE TRIGGER final BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_final();
CREATE TRIGGER final BEFORE UPDATE OR DELETE OR TRUNCATE ON operations
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_final();

-- The books: what the journal comes to, so that a decision need not read all of it.
CREATE TABLE lots (
    id           uuid        PRIMARY KEY, -- of the operation that made it
    customer_id  bigint      NOT NULL REFERENCES customers,
    granted      bigint      NOT NULL,
    free         bigint      NOT NULL CHECK (free >= 0),
    expired      bigint      NOT NULL CHECK (expired >= 0),
    matures_at   timestamptz,
    expires_at   timestamptz,
    effective_at timestamptz NOT NULL
);
CREATE INDEX lots_free ON lots (customer_id) WHERE free > 0;
CREATE INDEX lots_maturing ON lots (matures_at) WHERE free > 0 AND matures_at IS NOT NULL;
CREATE INDEX lots_expiring ON lots (expires_at) WHERE free > 0 AND expires_at IS NOT NULL;

CREATE TABLE takes (
    operation_id uuid   NOT NULL, -- what took it
    lot_id       uuid   NOT NULL REFERENCES lots,
    amount       bigint NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (operation_id, lot_id)
);

CREATE TABLE owed (
    operation_id uuid        PRIMARY KEY,
    customer_id  bigint      NOT NULL REFERENCES customers,
    amount       bigint      NOT NULL CHECK (amount >= 0),
    since        timestamptz NOT NULL
);
CREATE INDEX owed_customer ON owed (customer_id) WHERE amount > 0;

-- How far an operation is undone, and how a hold stands. Without a row: not at all.
CREATE TABLE progress (
    operation_id uuid    PRIMARY KEY,
    customer_id  bigint  NOT NULL REFERENCES customers,
    undone       bigint  NOT NULL CHECK (undone >= 0),
    open         boolean NOT NULL,
    captured     bigint  NOT NULL CHECK (captured >= 0),
    until        timestamptz
);
CREATE INDEX progress_open ON progress (customer_id) WHERE open;
CREATE INDEX progress_until ON progress (until) WHERE open;

-- Operations that wait for a customer or for the operation that they refer to.
CREATE TABLE parked (
    source      text        NOT NULL,
    external_id text        NOT NULL,
    seq         bigint      GENERATED ALWAYS AS IDENTITY,
    waits       text        NOT NULL,
    phone       text,
    of_source   text,
    of_external text,
    request     text        NOT NULL, -- JSON, as it was understood
    parked_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, external_id)
);
CREATE INDEX parked_phone ON parked (phone);
CREATE INDEX parked_of ON parked (of_source, of_external);

-- What a person must look at. Open ones are unique by kind and subject.
CREATE TABLE exceptions (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind      text        NOT NULL,
    subject   text        NOT NULL,
    details   text        NOT NULL, -- JSON
    seen      bigint      NOT NULL DEFAULT 1,
    opened_at timestamptz NOT NULL DEFAULT now(),
    told_at   timestamptz,          -- when the notification was taken
    closed_at timestamptz,
    closed_by text,
    note      text
);
CREATE UNIQUE INDEX exceptions_open ON exceptions (kind, subject) WHERE closed_at IS NULL;

-- Every request of 1C's.
CREATE TABLE sync_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL,
    register    text,
    store       text,
    route       text        NOT NULL,
    external_id text,
    status      integer     NOT NULL, -- HTTP
    result      text        NOT NULL,
    millis      bigint      NOT NULL
);
CREATE INDEX sync_log_at ON sync_log (at);
CREATE INDEX sync_log_external ON sync_log (external_id);

-- When a store's registers last sent operations.
CREATE TABLE stores (
    store     text PRIMARY KEY,
    last_seen timestamptz NOT NULL
);
