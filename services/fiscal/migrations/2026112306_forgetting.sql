-- Finds the oldest entries when ledgers are forgotten (FISCAL_KEEP_LEDGER).
CREATE INDEX ledger_made ON ledger USING brin (made_at);
