-- Who writes on an order now. An order is a text, "<shop> portal 236" or "<shop> site 236".
CREATE TABLE claims (
    order_key   text        PRIMARY KEY,
    owner       uuid        NOT NULL, -- a late owner's writes are refused
    lease_until timestamptz NOT NULL
);

-- What is written on an order in one go. There is one at a time for each order.
CREATE TABLE writes (
    id         uuid        PRIMARY KEY,
    order_key  text        NOT NULL,
    plan       text        NOT NULL,               -- exactly what, decided once
    owner      uuid        NOT NULL,               -- the claim under which it was decided
    done       text[]      NOT NULL DEFAULT '{}',  -- parts of it that the shop has taken
    tried_at   timestamptz,                        -- the last attempt
    unsettled  boolean     NOT NULL DEFAULT false, -- nobody knows what that attempt did
    closed_at  timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX writes_open ON writes (order_key) WHERE closed_at IS NULL;
CREATE INDEX writes_closed ON writes (closed_at);

-- What was said about an order, until it is old enough to be forgotten.
CREATE TABLE statuses (
    event_id   uuid        PRIMARY KEY,
    order_key  text        NOT NULL,
    said_at    timestamptz NOT NULL,
    status     text        NOT NULL,               -- the event's data, JSON
    write_id   uuid,                               -- the write that carries it
    written_at timestamptz,
    done       text[]      NOT NULL DEFAULT '{}',  -- parts that were written before another was refused
    refused_to uuid                                -- the event whose job must see a refused part through
);

CREATE INDEX statuses_order ON statuses (order_key);
CREATE INDEX statuses_write ON statuses (write_id);
CREATE INDEX statuses_refused ON statuses (refused_to) WHERE refused_to IS NOT NULL;
CREATE INDEX statuses_written ON statuses (written_at);
