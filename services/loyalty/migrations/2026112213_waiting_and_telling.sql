-- Whether somebody has shown that a phone is his (the site by a code, a manager), or only typed it into an order.
ALTER TABLE phones ADD COLUMN proven boolean NOT NULL DEFAULT true;

-- Rows that this version cannot read: they are left to a person, and keep nothing else waiting.
ALTER TABLE parked ADD COLUMN unreadable boolean NOT NULL DEFAULT false;
CREATE INDEX parked_unreadable ON parked (seq) WHERE unreadable;
CREATE UNIQUE INDEX parked_seq ON parked (seq);
CREATE INDEX parked_at ON parked (parked_at);

-- How many are parked is the sum of these: one counter would be a row for which all transactions wait.
CREATE TABLE parked_changes (change bigint NOT NULL);
INSERT INTO parked_changes SELECT count(*) FROM parked;

CREATE FUNCTION count_parked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO parked_changes SELECT count(*) FROM added HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER more AFTER INSERT ON parked
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_parked();

CREATE FUNCTION count_woken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO parked_changes SELECT -count(*) FROM gone HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER fewer AFTER DELETE ON parked
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_woken();

-- Operations of orders that were carried out here and that 1C, the master, has not been told yet.
CREATE TABLE untold (
    operation_id uuid        PRIMARY KEY REFERENCES operations,
    seq          bigint      GENERATED ALWAYS AS IDENTITY,
    customer_id  bigint      NOT NULL REFERENCES customers,
    withdraws    boolean     NOT NULL DEFAULT false, -- takes back something that 1C may never have got
    failed       integer     NOT NULL DEFAULT 0,     -- attempts
    since        timestamptz NOT NULL,
    due_at       timestamptz NOT NULL                -- until then its order's job tells it
);
CREATE INDEX untold_due ON untold (due_at, seq);
CREATE INDEX untold_customer ON untold (customer_id);

-- Whom 1C does not answer about is asked for again after the others.
ALTER TABLE customers ADD COLUMN compare_at timestamptz;
ALTER TABLE customers ADD COLUMN compare_failed integer NOT NULL DEFAULT 0;
DROP INDEX customers_unchecked;
CREATE INDEX customers_unchecked ON customers (compare_at NULLS FIRST, updated_at)
    WHERE checked_at IS NULL OR checked_at < updated_at;

CREATE INDEX exceptions_closed ON exceptions (closed_at) WHERE closed_at IS NOT NULL;
