-- Settlements whose receipt waits for an earlier one of the order: planned by nobody yet, and overdue
-- like any other.
CREATE TABLE waiting (
    cause       uuid        PRIMARY KEY,
    happened_at timestamptz NOT NULL
);
