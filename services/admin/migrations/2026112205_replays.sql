-- How a replay came out, counted for good a day after its end: the list need not count all letters of all replays.
ALTER TABLE replays
    ADD COLUMN total    bigint,
    ADD COLUMN sent     bigint,
    ADD COLUMN resolved bigint,
    ADD COLUMN again    bigint;
CREATE INDEX replays_uncounted ON replays (finished_at) WHERE total IS NULL;

-- Who looks for order 1042 need not know that the shop writes A-1042.
CREATE INDEX orders_digits ON orders (substring(number FROM '[0-9]+$'));
