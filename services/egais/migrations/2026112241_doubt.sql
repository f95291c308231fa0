-- A ticket without the UTM's name for its document is one of that document all the same, and a later verdict that says
-- otherwise is kept beside the first.
ALTER TABLE tickets DROP CONSTRAINT tickets_pkey;
ALTER TABLE tickets ADD PRIMARY KEY (utm, identity, transport, step, accepted);

ALTER TABLE turns
    -- When the newest document that could not be read was first seen: it may be anybody's ticket.
    ADD COLUMN unread_at timestamptz,
    -- Since when every round has failed although the UTM answers.
    ADD COLUMN ailing_since timestamptz;

-- Orders that were cancelled: what left before that and comes late to us is not written off any more.
CREATE TABLE cancelled (
    book        text PRIMARY KEY,
    at          timestamptz NOT NULL
);
