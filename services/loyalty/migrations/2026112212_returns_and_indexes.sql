-- The value of goods that came back, return by return: shares of points are parts of one sum, so no kopeck is lost between
-- them.
CREATE TABLE returns (
    source     text   NOT NULL,
    name       text   NOT NULL, -- the order's
    occurrence bigint NOT NULL,
    value      bigint NOT NULL, -- kopecks, at full prices
    before     bigint NOT NULL, -- of those noted before
    PRIMARY KEY (source, name, occurrence)
);

-- What is to be compared with 1C's balances, without reading all customers for it.
CREATE INDEX customers_unchecked ON customers (updated_at) WHERE checked_at IS NULL OR checked_at < updated_at;

-- Whether a silence was told already.
CREATE INDEX exceptions_subject ON exceptions (kind, subject, opened_at);

-- When a phone came to its customer or another customer lost it: what waited for it is looked for among these alone.
ALTER TABLE phones ADD COLUMN since timestamptz NOT NULL DEFAULT now();
CREATE INDEX phones_since ON phones (since);
