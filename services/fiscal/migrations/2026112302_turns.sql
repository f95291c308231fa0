-- Whose turn it is at a register that takes one receipt at a time: receipts that wait, in the
-- order of their settlements, and when each account may send again.
CREATE TABLE turns (
    cause       uuid        PRIMARY KEY, -- the event that the receipt follows from
    account     text        NOT NULL,    -- "<shop> <register>"
    happened_at timestamptz NOT NULL,    -- when the settlement took place
    wakes_at    timestamptz NOT NULL     -- when its job looks again
);

CREATE INDEX turns_account ON turns (account, happened_at, cause);

CREATE TABLE paces (
    account text        PRIMARY KEY,
    next_at timestamptz NOT NULL         -- nothing is sent before
);
