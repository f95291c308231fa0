-- The stock of marking codes: each code once, to the byte (COLLATE "C": upper and lower case are different
-- codes), with every change of its status.

-- What was imported: a file is known by its content.
CREATE TABLE imports (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest   bytea       NOT NULL UNIQUE,            -- SHA-256 of the file
    name     text        NOT NULL,                   -- as the person's computer calls it
    person   text        NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now(),
    rows     bigint      NOT NULL DEFAULT 0,
    added    bigint      NOT NULL DEFAULT 0,
    known    bigint      NOT NULL DEFAULT 0,         -- were in stock already
    repeated bigint      NOT NULL DEFAULT 0,         -- stand in the file more than once
    refused  bigint      NOT NULL DEFAULT 0,
    repaired bigint      NOT NULL DEFAULT 0          -- of those that were read
);

-- Rows of a file that did not simply become a new code, and why. No code stands here.
CREATE TABLE import_rows (
    import  bigint NOT NULL REFERENCES imports,
    line    bigint NOT NULL,
    sheet   text,
    outcome text   NOT NULL,                         -- known, repeated, refused, repaired
    detail  text   NOT NULL DEFAULT ''
);
CREATE INDEX import_rows_import ON import_rows (import, line);

-- The orders that have marked goods, as they were last seen.
CREATE TABLE orders (
    book         text        PRIMARY KEY,            -- "<shop> <portal or site> <order id>"
    number       text        NOT NULL,
    seen_at      timestamptz NOT NULL,               -- the order's own time of its last save
    cancelled_at timestamptz,                        -- the order's own time of its cancelling
    channel      text        CHECK (channel IN ('document', 'receipt')), -- decided with the first withdrawal
    receipt      text,                               -- the fiscal document's number, once a sale is receipted
    receipt_at   timestamptz
);

-- What must be marked in an order.
CREATE TABLE order_lines (
    book    text   NOT NULL REFERENCES orders,
    line    bigint NOT NULL,
    name    text   NOT NULL,
    gtin    text   COLLATE "C",
    article text   COLLATE "C",
    count   bigint NOT NULL CHECK (count >= 0),
    PRIMARY KEY (book, line)
);

CREATE TABLE codes (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ki         text        COLLATE "C" NOT NULL UNIQUE,
    gtin       text        COLLATE "C" NOT NULL,
    article    text        COLLATE "C",
    status     text        NOT NULL CHECK (status IN ('in_stock', 'in_order', 'withdrawing', 'sold', 'returning', 'quarantined')),
    book       text        REFERENCES orders,        -- the order that has it
    line       bigint,
    confirmed  boolean     NOT NULL DEFAULT false,   -- scanned, or named by the shop: the very piece
    came_back  boolean     NOT NULL DEFAULT false,   -- scanned as returned
    cause      uuid,                                 -- the event whose job took it last
    import     bigint      REFERENCES imports,
    changed_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((book IS NULL) = (line IS NULL)),
    CHECK (status IN ('in_stock', 'quarantined') OR book IS NOT NULL)
);
CREATE INDEX codes_free ON codes (gtin, id) WHERE status = 'in_stock';
CREATE INDEX codes_free_article ON codes (article, id) WHERE status = 'in_stock' AND article IS NOT NULL;
CREATE INDEX codes_book ON codes (book) WHERE book IS NOT NULL;
CREATE INDEX codes_status ON codes (status) WHERE status <> 'in_stock';

-- What follows the identification code on the label: the crypto tail. Apart, so that nothing that lists
-- codes can show it.
CREATE TABLE tails (
    code bigint PRIMARY KEY REFERENCES codes,
    tail bytea  NOT NULL
);

-- Every status a code has had, in order. The first row of a code is its arrival.
CREATE TABLE moves (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code    bigint      NOT NULL,
    status  text        NOT NULL,
    why     text        NOT NULL,                    -- a machine word: imported, reserved, scanned, …
    book    text,
    cause   uuid,
    person  text,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX moves_code ON moves (code, id);
CREATE INDEX moves_cause ON moves (cause) WHERE cause IS NOT NULL;

-- Documents at GIS MT: what was written, and how it stands.
CREATE TABLE documents (
    id          uuid        PRIMARY KEY,
    cause       uuid        NOT NULL,                -- the event it follows from
    book        text        NOT NULL REFERENCES orders,
    kind        text        NOT NULL,                -- LK_RECEIPT, LK_RECEIPT_CANCEL, LP_RETURN
    product_group text      NOT NULL,
    digest      bytea       NOT NULL,                -- SHA-256 of the exact bytes that are signed
    state       text        NOT NULL CHECK (state IN ('written', 'sending', 'sent', 'accepted', 'done', 'refused', 'unknown', 'cancelled')),
    register_id text,
    detail      text        NOT NULL DEFAULT '',
    made_at     timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX documents_book ON documents (book, made_at);
CREATE INDEX documents_open ON documents (state) WHERE state NOT IN ('done', 'cancelled');
CREATE UNIQUE INDEX documents_register ON documents (register_id) WHERE register_id IS NOT NULL;

CREATE TABLE document_codes (
    document uuid   NOT NULL REFERENCES documents,
    code     bigint NOT NULL REFERENCES codes,
    PRIMARY KEY (document, code)
);
CREATE INDEX document_codes_code ON document_codes (code);

-- People who are signed in at the storekeeper's page: SHA-256 of the cookie.
CREATE TABLE sessions (
    digest     bytea       PRIMARY KEY,
    person     text        NOT NULL,
    csrf       text        NOT NULL,
    expires_at timestamptz NOT NULL
);
