-- One row for each event that a worker has taken up. The schema is the service's own
-- (search_path), the table is the runtime's.
CREATE TABLE jobs (
    worker       text        NOT NULL,
    event_id     uuid        NOT NULL,
    event        text        NOT NULL, -- the event's exact JSON, so that the sweeper can tell it again
    trace        text,                 -- traceparent of the webhook that it all began with
    topic        text        NOT NULL,
    subject      text,                 -- "<shop> <order id>", for people who search
    alias        text,                 -- the register's own name for this job
    state        text        NOT NULL DEFAULT 'null',
    phase        text        NOT NULL DEFAULT 'open' CHECK (phase IN ('open', 'done', 'dead')),
    outbox       text        NOT NULL DEFAULT '[]', -- events saved with the state and not yet confirmed by the broker
    told         boolean     NOT NULL DEFAULT false, -- whether the broker has confirmed what this save has to say
    attempts     integer     NOT NULL DEFAULT 0,     -- failures in a row
    opens        integer     NOT NULL DEFAULT 1,     -- times taken up since the last save: a crash loop shows here
    first_error  text,
    last_error   text,
    due          timestamptz NOT NULL DEFAULT now(), -- not to be looked at before
    deadline     timestamptz NOT NULL,               -- not to be waited for after
    lease_until  timestamptz NOT NULL,
    fence        uuid        NOT NULL,               -- the present owner's mark: a late owner's save is refused
    swept_at     timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (worker, event_id)
) WITH (fillfactor = 50); -- a job is saved and settled soon after it came in: on its own page that costs a third less

-- What the sweeper looks for: work that waits, and words that were saved and perhaps not said.
CREATE INDEX jobs_open ON jobs (worker, due) WHERE phase = 'open';
CREATE INDEX jobs_untold ON jobs (worker, updated_at) WHERE phase <> 'open' AND NOT told;
CREATE INDEX jobs_alias ON jobs (worker, alias) WHERE alias IS NOT NULL;
-- Data that are still to be forgotten.
CREATE INDEX jobs_data ON jobs (worker, created_at) WHERE event <> '';
