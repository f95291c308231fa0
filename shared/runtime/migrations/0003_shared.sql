-- What all replicas of a service share at a register: one sign-in and one rate for an account.

-- The token of an account, and who is signing in just now.
CREATE TABLE shared_sessions (
    account    uuid        PRIMARY KEY,              -- the register's own id for it, or the UUIDv5 of its name
    token      text,
    refresh    text,                                 -- what the next token is asked for with; each sign-in may replace it
    number     bigint      NOT NULL DEFAULT 0,       -- counts tokens: only the one that was refused is dropped
    renew_at   timestamptz NOT NULL DEFAULT 'epoch', -- from then on somebody gets a new one
    expires_at timestamptz NOT NULL DEFAULT 'epoch',
    holder     uuid,                                 -- the replica that signs in
    held_until timestamptz NOT NULL DEFAULT 'epoch'
);

-- The token bucket of an account, as one moment: when it would be full again if nobody took from it.
CREATE TABLE shared_rates (
    account uuid        PRIMARY KEY,
    full_at timestamptz NOT NULL
);
