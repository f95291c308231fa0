-- What all services that call a portal share: its rate limit and its paused methods.

CREATE SCHEMA IF NOT EXISTS bitrix;

-- A portal's token bucket, as one moment: when it would be full again if nobody took from it.
CREATE TABLE bitrix.buckets (
    portal  text        PRIMARY KEY, -- member_id
    full_at timestamptz NOT NULL
);

-- Methods that have used up their operating time (OPERATION_TIME_LIMIT).
CREATE TABLE bitrix.pauses (
    portal text        NOT NULL,
    method text        NOT NULL,
    until  timestamptz NOT NULL,
    PRIMARY KEY (portal, method)
);
