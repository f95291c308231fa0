-- The lists of one worker's letters.
CREATE INDEX letters_worker ON letters (worker, state, arrived_at DESC, id);
