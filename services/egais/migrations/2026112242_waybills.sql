-- Waybills that came in: what the sender says is there, and EGAIS's number of it. The two come in two documents.
CREATE TABLE waybills (
    utm         text NOT NULL,
    -- The sender's number and day: what the two documents have in common.
    number      text NOT NULL,
    day         text NOT NULL,
    lines       jsonb,
    reg_id      text,
    -- The references of form B that EGAIS has given its positions.
    forms       jsonb,
    PRIMARY KEY (utm, number, day)
);
CREATE INDEX waybills_reg_id ON waybills (utm, reg_id);

-- When EGAIS was asked for the bottles of a form B, and when it answered.
CREATE TABLE forms_asked (
    utm         text NOT NULL,
    f2_reg_id   text NOT NULL,
    asked_at    timestamptz NOT NULL,
    answered_at timestamptz,
    PRIMARY KEY (utm, f2_reg_id)
);
