-- Documents at Diadoc: bytes and signature are made once, and what happened to each is kept.
CREATE TABLE documents (
    id           uuid        PRIMARY KEY,              -- our name: the fact and the attempt
    cause        uuid        NOT NULL,                 -- the event
    book         text        NOT NULL,                 -- the order: shop, id, and whether the site keeps it
    order_number text        NOT NULL,
    revision     int         NOT NULL,
    correction   int,                                  -- which correction it is, if it is one
    kind         text        NOT NULL,                 -- Diadoc's words
    function     text        NOT NULL,
    version      text        NOT NULL,
    file_name    text        NOT NULL,
    number       text        NOT NULL,
    total        bigint      NOT NULL,                 -- kopecks
    receiver     text        NOT NULL,                 -- the buyer's box
    operation    text        NOT NULL UNIQUE,          -- the key under which it is sent
    content      bytea       NOT NULL,
    signature    bytea,                                -- CMS, DER
    state        text        NOT NULL DEFAULT 'written',
    detail       text        NOT NULL DEFAULT '',
    message_id   text,
    entity_id    text,
    made_at      timestamptz NOT NULL,
    sent_at      timestamptz,
    delivered_at timestamptz,
    signed_at    timestamptz,
    changed_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX documents_book ON documents (book, made_at);
CREATE INDEX documents_message ON documents (message_id);

-- Every state a document has had.
CREATE TABLE document_states (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document uuid        NOT NULL REFERENCES documents,
    state    text        NOT NULL,
    detail   text        NOT NULL,
    at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX document_states_document ON document_states (document, id);

-- The directory of buyers' boxes.
CREATE TABLE partners (
    inn         text        NOT NULL,
    kpp         text        NOT NULL,                  -- empty for entrepreneurs
    box_id      text        NOT NULL,
    participant text        NOT NULL,                  -- FnsParticipantId
    name        text        NOT NULL,
    seen_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (inn, kpp)
);

-- What all replicas share at Diadoc: one token for a box (access and refresh), its rate and its lanes.
CREATE TABLE diadoc_tokens (
    account    uuid        PRIMARY KEY,                -- our box
    token      text,
    refresh    text,                                   -- the last one; each refresh may replace it
    number     bigint      NOT NULL DEFAULT 0,
    renew_at   timestamptz NOT NULL DEFAULT 'epoch',
    expires_at timestamptz NOT NULL DEFAULT 'epoch',
    holder     uuid,
    held_until timestamptz NOT NULL DEFAULT 'epoch'
);
CREATE TABLE diadoc_turns (
    account uuid        PRIMARY KEY,
    full_at timestamptz NOT NULL
);
CREATE TABLE diadoc_lanes (
    account    uuid        NOT NULL,
    lane       smallint    NOT NULL,
    holder     uuid,
    held_until timestamptz NOT NULL DEFAULT 'epoch',
    PRIMARY KEY (account, lane)
);

-- Where the event feed was read to, and which events of the overlap are known.
CREATE TABLE feeds (
    account    uuid        PRIMARY KEY,
    index_key  text,
    previous   text,                                   -- the place before it: Diadoc may forget one
    ticks      bigint      NOT NULL DEFAULT 0,         -- the latest moment seen
    holder     uuid,
    held_until timestamptz NOT NULL DEFAULT 'epoch'
);
CREATE TABLE feed_events (
    account  uuid        NOT NULL,
    event_id text        NOT NULL,
    seen_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, event_id)
);
CREATE INDEX feed_events_seen ON feed_events (seen_at);
