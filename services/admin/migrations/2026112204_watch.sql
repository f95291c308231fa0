-- What lasts for a while and people must know of, as the services' metrics show it. A row is one
-- occurrence: until it is over, and for some time after that, should it come back at once.
CREATE TABLE conditions (
    kind        text        NOT NULL CHECK (kind IN ('away', 'silent', 'certificate')),
    service     text        NOT NULL,
    subject     text        NOT NULL,             -- the store, the signer; '' for the service's register
    occurrence  uuid        NOT NULL,             -- also the id of the replay that its end begins
    since       timestamptz NOT NULL DEFAULT now(),
    at          timestamptz,                      -- when the store was heard last, when the certificate ends
    over_at     timestamptz,
    told_at     timestamptz,                      -- when people were told
    replayed_at timestamptz,                      -- when what it had stopped was handed back
    PRIMARY KEY (kind, service, subject)
);
CREATE INDEX conditions_over ON conditions (over_at) WHERE kind = 'away' AND replayed_at IS NULL;

-- Who comes from an identity provider has no password here.
ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL;
ALTER TABLE users ADD COLUMN issuer text, ADD COLUMN subject text,
    ADD CONSTRAINT users_identity UNIQUE (issuer, subject),
    ADD CONSTRAINT users_way_in CHECK ((issuer IS NULL) = (subject IS NULL) AND (issuer IS NULL OR password_hash IS NULL));

-- Sign-ins under way at the identity provider: each state holds once and for ten minutes.
CREATE TABLE sign_ins (
    state    bytea       PRIMARY KEY,             -- SHA-256
    browser  bytea       NOT NULL,                -- SHA-256 of the cookie of who began it
    nonce    text        NOT NULL,
    verifier text        NOT NULL,
    next     text        NOT NULL,
    address  text        NOT NULL,
    at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_ins_at ON sign_ins (at);

-- The way of a letter.
CREATE INDEX entries_changed ON entries (order_key, at) WHERE topic = 'order.changed';

-- What a search looks through. An index that finds a part of a word is an extension (pg_trgm), which not every
-- server lets us have; to compare bytes of a text that is in lower case already is quick enough for what is open.
ALTER TABLE letters ADD COLUMN search text COLLATE "C"
    GENERATED ALWAYS AS (lower(reason_ru || chr(10) || reason_en)) STORED;
