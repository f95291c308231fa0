-- Discarded letters whose worker does not know yet that a person has given the job up: until then a change of the order
-- in the shop would bring it back.
ALTER TABLE letters ADD COLUMN to_give_up boolean NOT NULL DEFAULT false;
CREATE INDEX letters_to_give_up ON letters (state_at) WHERE to_give_up;
