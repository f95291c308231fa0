-- What CloudKassir's notifications said: which receipt of theirs bears our name. A hint, never
-- evidence: the register is asked before anything follows from it.
CREATE TABLE hints (
    invoice_id text        PRIMARY KEY, -- our name for the receipt
    receipt_id text        NOT NULL,    -- the register's
    told_at    timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX hints_told_at ON hints (told_at);
