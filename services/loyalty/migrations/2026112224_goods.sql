-- What an order's goods were worth when they were worth most: a return is a share of that, and what a manager takes out of
-- the order because of it makes the share no larger.
CREATE TABLE goods (
    source text   NOT NULL,
    name   text   NOT NULL, -- the order's
    value  bigint NOT NULL, -- kopecks, at full prices
    PRIMARY KEY (source, name)
);

-- From now on returns are counted for what they undo, and not for the order: what is spent anew is given back anew.
COMMENT ON COLUMN returns.name IS 'of the operation of which the returned goods are a share';
