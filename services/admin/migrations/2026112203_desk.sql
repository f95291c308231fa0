-- Dead letters, and messages that no queue was bound for, as they were taken off the broker.
CREATE TABLE letters (
    id            uuid        PRIMARY KEY,        -- made of worker, event and death: told twice it is one row
    worker        text,                           -- who gave it up; NULL: no queue was bound for it
    service       text,                           -- who speaks of it in status events
    event_id      uuid        NOT NULL,           -- the message-id
    death         uuid,                           -- which death of its job
    exchange      text        NOT NULL,
    routing_key   text        NOT NULL,
    headers       jsonb       NOT NULL,
    body          bytea       NOT NULL,           -- to the byte; emptied when it is forgotten
    class         text        NOT NULL CHECK (class IN ('invalid', 'refused', 'unavailable', 'unknown', 'internal', 'unrouted')),
    code          text        NOT NULL,
    reason_ru     text        NOT NULL,
    reason_en     text        NOT NULL,
    evidence      text,
    first_error   text,
    attempts      bigint      NOT NULL,
    topic         text,
    order_key     text,                           -- "<shop> portal 1042" or "<shop> site 1042"
    order_number  text,
    group_id      uuid        NOT NULL,
    state         text        NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'queued', 'sent', 'resolved', 'again', 'discarded', 'settled')),
    state_at      timestamptz NOT NULL DEFAULT now(),
    state_note    text,                           -- why it was discarded, how it was settled
    edited        text,                           -- what a replay sends instead of the body
    arrived_at    timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX letters_state ON letters (state, arrived_at DESC, id);
CREATE INDEX letters_group ON letters (group_id, state);
CREATE INDEX letters_event ON letters (event_id);
CREATE INDEX letters_order ON letters (order_key, arrived_at);
CREATE INDEX letters_arrived ON letters (arrived_at DESC, id);
CREATE INDEX letters_number ON letters (order_number);

-- What several letters have in common: worker, class, code and the reason without its numbers.
CREATE TABLE groups (
    id          uuid        PRIMARY KEY,
    worker      text,
    class       text        NOT NULL,
    code        text        NOT NULL,
    pattern_ru  text        NOT NULL,
    pattern_en  text        NOT NULL,
    first_at    timestamptz NOT NULL DEFAULT now(),
    last_at     timestamptz NOT NULL DEFAULT now(),
    notified_at timestamptz,                      -- when people were told of it last
    notified_open bigint    NOT NULL DEFAULT 0    -- how many open letters they were told of
);

-- What people wrote beside a letter.
CREATE TABLE notes (
    id     uuid        PRIMARY KEY,
    letter uuid        NOT NULL REFERENCES letters ON DELETE CASCADE,
    who    text        NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    text   text        NOT NULL
);
CREATE INDEX notes_letter ON notes (letter, at);

-- The way of each order: the facts of the shop and what services said.
CREATE TABLE entries (
    event_id   uuid        PRIMARY KEY,
    order_key  text        NOT NULL,
    at         timestamptz NOT NULL,
    topic      text        NOT NULL,
    service    text,                              -- who speaks; NULL: the shop
    phase      text,
    code       text,
    text_ru    text        NOT NULL,
    text_en    text        NOT NULL,
    cause      uuid,                              -- the event whose work this is
    step       text,
    properties jsonb       NOT NULL DEFAULT '{}',
    links      jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX entries_order ON entries (order_key, at);
CREATE INDEX entries_cause ON entries (cause, service) WHERE cause IS NOT NULL;
CREATE INDEX entries_service ON entries (service, at) WHERE service IS NOT NULL;
CREATE INDEX entries_at ON entries (at);

-- One row for each order that was heard of.
CREATE TABLE orders (
    key        text        PRIMARY KEY,
    shop       text        NOT NULL,
    id         numeric(20) NOT NULL,
    number     text        NOT NULL,
    site       boolean     NOT NULL,
    price      bigint,                            -- kopecks
    phone_tail text,                              -- the last four digits: no more is kept
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL
);
CREATE INDEX orders_number ON orders (lower(number));
CREATE INDEX orders_phone ON orders (phone_tail) WHERE phone_tail IS NOT NULL;
CREATE INDEX orders_last ON orders (last_at DESC);

-- What else an order is found by: the public part of a mark code, a document's id.
CREATE TABLE terms (
    term      text NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('mark', 'document')),
    order_key text NOT NULL,
    PRIMARY KEY (term, kind, order_key)
);
CREATE INDEX terms_order ON terms (order_key);

-- Letters that are handed back to their workers, one after another.
CREATE TABLE replays (
    id          uuid        PRIMARY KEY,          -- made by the form: pressed twice it is one replay
    who         text        NOT NULL,
    why         text        NOT NULL,
    unknown     boolean     NOT NULL,             -- the unknown ones are not there, as a person has seen
    rate        integer     NOT NULL CHECK (rate BETWEEN 1 AND 1000), -- letters in a second
    state       text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'done', 'cancelled')),
    next_at     timestamptz NOT NULL DEFAULT now(),
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    error       text                              -- why it does not go on just now
);
CREATE INDEX replays_running ON replays (next_at) WHERE state = 'running';

CREATE TABLE replay_items (
    replay  uuid        NOT NULL REFERENCES replays ON DELETE CASCADE,
    letter  uuid        NOT NULL REFERENCES letters ON DELETE CASCADE,
    sent_at timestamptz,
    PRIMARY KEY (replay, letter)
);
CREATE INDEX replay_items_left ON replay_items (replay) WHERE sent_at IS NULL;
CREATE INDEX replay_items_letter ON replay_items (letter);

-- Who did what, when and why. Rows are never changed.
CREATE TABLE audit (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    who     text        NOT NULL,
    action  text        NOT NULL,
    subject text        NOT NULL DEFAULT '',
    why     text        NOT NULL DEFAULT '',
    outcome text        NOT NULL CHECK (outcome IN ('done', 'refused'))
);
CREATE INDEX audit_subject ON audit (subject);

CREATE TABLE users (
    login         text        PRIMARY KEY CHECK (login ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
    role          text        NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    password_hash text        NOT NULL,           -- argon2id, PHC string
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz
);

-- Secrets of sessions and tokens are kept as SHA-256 only.
CREATE TABLE sessions (
    hash       bytea       PRIMARY KEY,
    login      text        NOT NULL REFERENCES users ON DELETE CASCADE,
    csrf       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tokens (
    id         uuid        PRIMARY KEY,
    hash       bytea       NOT NULL UNIQUE,
    name       text        NOT NULL,
    role       text        NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    made_by    text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz,
    revoked_at timestamptz
);

-- Failed attempts to sign in: what bounds guessing.
CREATE TABLE attempts (
    at      timestamptz NOT NULL DEFAULT now(),
    login   text        NOT NULL,
    address text        NOT NULL
);
CREATE INDEX attempts_at ON attempts (at);
