-- The newest snapshot with which an order was cancelled: what an older one asks for comes too late.
CREATE TABLE ended (
    source     text        NOT NULL,
    name       text        NOT NULL, -- the order's
    version    bigint,               -- the shop's count of its saves, where the shop tells it
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (source, name)
);
