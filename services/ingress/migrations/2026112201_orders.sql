-- An order as it was last read, and what has been told of it.
CREATE TABLE orders (
    shop       text        NOT NULL,
    site       boolean     NOT NULL, -- kept by the shop's site, and not by its portal
    id         bigint      NOT NULL, -- Bitrix's order id
    version    bigint,               -- Bitrix's save counter
    sequence   bigint,               -- the site module's outbox number
    updated_at timestamptz NOT NULL, -- when the shop last saved it
    hash       bytea       NOT NULL, -- SHA-256 of what the order says
    snapshot   text        NOT NULL, -- the order, as JSON
    ledger     text        NOT NULL, -- what has been told of it, as JSON
    asked_at   timestamptz NOT NULL, -- when we began to ask for this snapshot
    read_at    timestamptz NOT NULL, -- when we had it
    payments   bigint[]    NOT NULL, -- ids of its payments: a webhook may name no more than that
    shipments  bigint[]    NOT NULL, -- ids of its shipments
    seen_at    timestamptz NOT NULL DEFAULT now(),
    reads      bigint      NOT NULL DEFAULT 1, -- snapshots that were newer than the one before
    PRIMARY KEY (shop, site, id)
);
CREATE INDEX orders_payments ON orders USING gin (payments);
CREATE INDEX orders_shipments ON orders USING gin (shipments);

-- What one webhook led to, saved together with its order: a step that is repeated tells the very same.
CREATE TABLE told (
    webhook uuid        PRIMARY KEY, -- the event id of the webhook
    events  text        NOT NULL,    -- JSON array of events
    told_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX told_at ON told (told_at);

-- Webhooks that were taken while the broker was away.
CREATE TABLE spool (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event    text        NOT NULL, -- the event's JSON
    trace    text,                 -- traceparent of the call
    taken_at timestamptz NOT NULL DEFAULT now()
);

-- How far the reconcile poll of a portal has come, and who polls it.
CREATE TABLE cursors (
    shop        text        PRIMARY KEY,
    cursor      timestamptz NOT NULL, -- changes before this have been told
    holder      uuid        NOT NULL,
    lease_until timestamptz NOT NULL
);
