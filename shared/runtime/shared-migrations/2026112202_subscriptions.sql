-- What all services share about the bus: who hears what. No service's own schema, and the runtime's alone.

CREATE SCHEMA IF NOT EXISTS bus;

-- A worker that has once started: its queue is kept from then on, also on a broker that lost everything.
-- One that is taken away for good is deleted here, then on the broker.
CREATE TABLE bus.subscriptions (
    prefix  text        NOT NULL, -- AMQP_PREFIX: several systems may share a database
    worker  text        NOT NULL,
    topics  text[]      NOT NULL,
    told_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (prefix, worker)
);
