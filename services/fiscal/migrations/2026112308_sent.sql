-- Whether a register may have what was asked for: then Bitrix is told of no error, whatever stopped.
-- Of rows of before nobody knows.
ALTER TABLE asked ADD COLUMN sent boolean NOT NULL DEFAULT true;
