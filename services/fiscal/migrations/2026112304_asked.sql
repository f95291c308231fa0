-- Receipts that were asked for by name, and what became of them: kept before the asker is answered.
CREATE TABLE asked (
    cause      uuid        PRIMARY KEY, -- the event that tells it to our queue
    shop       text        NOT NULL,
    key        text        NOT NULL,    -- what tells it from the shop's other requests
    occurrence integer     NOT NULL,    -- above 1: asked for anew after it had stopped
    digest     bytea       NOT NULL,    -- SHA-256 of what was asked for
    event      text,                    -- JSON, told again until its job has begun
    state      text        NOT NULL DEFAULT 'waiting', -- waiting, issued, stopped, unknown, replaced
    outcome    text,                    -- JSON: the fiscal data, or the last reason
    asked_at   timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (shop, key, occurrence)
);

CREATE INDEX asked_untold ON asked (asked_at) WHERE event IS NOT NULL;
