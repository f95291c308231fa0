-- Orders that were cancelled, or whose goods came back: a document that has not left yet must know.
CREATE TABLE taken_back (
    book text        PRIMARY KEY,
    what text        NOT NULL CHECK (what IN ('cancelled', 'returned')),
    at   timestamptz NOT NULL
);
