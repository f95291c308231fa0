-- What each fact of an order came to: a receipt, or a note that later receipts need. Refunds are
-- kept within sales by it. The entries of an order are read and written by one job at a time
-- (pg_advisory_xact_lock on the book).
CREATE TABLE ledger (
    cause       uuid        PRIMARY KEY, -- the event that states the fact
    book        text        NOT NULL,    -- "<shop> <portal or site> <order id>"
    place       bigint      GENERATED ALWAYS AS IDENTITY,
    deed        text        NOT NULL,    -- JSON
    settled     boolean     NOT NULL,    -- whether the register has issued the receipt; notes always are
    happened_at timestamptz NOT NULL,    -- when the fact came about
    made_at     timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX ledger_book ON ledger (book, place);
CREATE INDEX ledger_open ON ledger (happened_at) WHERE NOT settled;
