-- A job's subject is "<shop> <order id>", with " site" behind it where a site keeps the order.

-- Which dead jobs go on by themselves once the shop has changed the order: nothing was sent, or it
-- was refused for good.
ALTER TABLE jobs ADD COLUMN mendable boolean NOT NULL DEFAULT false;
CREATE INDEX jobs_mendable ON jobs (worker, subject) WHERE phase = 'dead' AND mendable;

-- The last that a worker heard of an order somebody changed. A job that dies later than that, on an
-- older snapshot, finds it here.
CREATE TABLE changes (
    worker     text        NOT NULL,
    subject    text        NOT NULL, -- as in jobs
    occurrence bigint      NOT NULL, -- which change of this order: higher is newer
    snapshot   text        NOT NULL, -- the order as JSON
    told_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (worker, subject)
);
CREATE INDEX changes_told ON changes (worker, told_at);
