-- Token and rate stand in the runtime's tables from now on (shared_sessions, shared_rates). Nothing is carried over:
-- a token is had again by signing in. These two are for the version before, beside this one and after a rollback, and
-- go one version later.
COMMENT ON TABLE gismt_tokens IS 'of the version before: dropped one version later';
COMMENT ON TABLE gismt_turns IS 'of the version before: dropped one version later';
