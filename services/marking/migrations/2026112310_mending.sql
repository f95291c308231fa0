-- An order that only its status calls cancelled stays so while it has that status; NULL where its own flag says it.
ALTER TABLE orders ADD COLUMN cancelled_status text;
-- The status at seen_at: a cancelling by that very status that comes late still holds.
ALTER TABLE orders ADD COLUMN seen_status text;

-- Pieces of a line that were sold and came home: they are not set aside for it again.
ALTER TABLE order_lines ADD COLUMN back bigint NOT NULL DEFAULT 0 CHECK (back >= 0);

-- What a person or the register said about a change of status.
ALTER TABLE moves ADD COLUMN detail text NOT NULL DEFAULT '';

-- Rows of a report in their order: the sheets of a workbook each count their rows from one.
ALTER TABLE import_rows ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;
DROP INDEX import_rows_import;
CREATE UNIQUE INDEX import_rows_import ON import_rows (import, id);

-- Write-ahead marks that somebody has acted upon: whoever enters a mark may send the document under it, nobody else.
CREATE TABLE sendings (
    mark uuid        PRIMARY KEY,
    at   timestamptz NOT NULL DEFAULT now()
);

-- Goods that left, and until when the law wants their codes withdrawn.
CREATE TABLE departures (
    cause   uuid        PRIMARY KEY,                 -- the shipment's event
    book    text        NOT NULL,
    due_at  timestamptz NOT NULL,
    done_at timestamptz                              -- withdrawn, or not to be
);
CREATE INDEX departures_open ON departures (due_at) WHERE done_at IS NULL;
