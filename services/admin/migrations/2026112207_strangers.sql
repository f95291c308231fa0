-- How many refusals of strangers were noted just now is looked up at each of them.
CREATE INDEX audit_strangers ON audit (at) WHERE who = '—';
