-- What all replicas share at GIS MT: one token for a participant, and its 50 requests a second.

-- The token of a participant, and who is signing in just now.
CREATE TABLE gismt_tokens (
    participant text        PRIMARY KEY,                  -- INN
    token       text,                                     -- a Bearer for at most ten hours
    number      bigint      NOT NULL DEFAULT 0,           -- counts tokens: only the one that was refused is dropped
    renew_at    timestamptz NOT NULL DEFAULT 'epoch',     -- from then on somebody gets a new one
    expires_at  timestamptz NOT NULL DEFAULT 'epoch',
    holder      uuid,                                     -- the replica that signs in
    held_until  timestamptz NOT NULL DEFAULT 'epoch'
);

-- A participant's token bucket, as one moment: when it would be full again if nobody took from it.
CREATE TABLE gismt_turns (
    participant text        PRIMARY KEY,
    full_at     timestamptz NOT NULL
);
