-- Token and rate stand in the runtime's tables from now on. The version before goes on with the very same rows under
-- the old names, beside this one and after a rollback: in a copy of its own each version would keep a refresh token
-- that the other has replaced, and that is worth nothing. Both views go one version later.

-- Renaming locks: nothing is replaced while it moves.
ALTER TABLE diadoc_tokens RENAME TO moved;
INSERT INTO shared_sessions (account, token, refresh, number, renew_at, expires_at, holder, held_until)
    SELECT account, token, refresh, number, renew_at, expires_at, holder, held_until FROM moved;
DROP TABLE moved;
CREATE VIEW diadoc_tokens AS
    SELECT account, token, refresh, number, renew_at, expires_at, holder, held_until FROM shared_sessions;

ALTER TABLE diadoc_turns RENAME TO moved;
INSERT INTO shared_rates (account, full_at) SELECT account, full_at FROM moved;
DROP TABLE moved;
CREATE VIEW diadoc_turns AS SELECT account, full_at FROM shared_rates;
