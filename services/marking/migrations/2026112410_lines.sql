-- Which line of its order a code moved for: a return that was refused in part knows which of its pieces are home.
ALTER TABLE moves ADD COLUMN line bigint;
