-- By which way a receipt came, and what it looks like (a digest of shop, kind, buyer's address and
-- total): a sale whose receipt came by one way gets no second one by the other.
ALTER TABLE ledger ADD COLUMN way text;
ALTER TABLE ledger ADD COLUMN likeness bytea;
CREATE INDEX ledger_likeness ON ledger (likeness) WHERE likeness IS NOT NULL;
