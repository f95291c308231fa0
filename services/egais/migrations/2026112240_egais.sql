-- Who sends to a UTM and who polls it: one at a time of each, whatever the number of replicas.
CREATE TABLE turns (
    utm         text NOT NULL,
    task        text NOT NULL CHECK (task IN ('send', 'poll', 'rests')),
    holder      uuid,
    until       timestamptz NOT NULL DEFAULT '-infinity',
    -- When a round of the task last came to its end.
    ended_at    timestamptz,
    PRIMARY KEY (utm, task)
);

-- Every document that was made for a UTM.
CREATE TABLE documents (
    identity    text PRIMARY KEY,
    utm         text NOT NULL,
    kind        text NOT NULL,
    cause       uuid,
    book        text,
    order_number text,
    body        text NOT NULL,
    state       text NOT NULL,
    reply_id    text,
    reg_id      text,
    words       text,
    created_at  timestamptz NOT NULL,
    sent_at     timestamptz,
    ended_at    timestamptz
);
CREATE INDEX documents_reply ON documents (utm, reply_id) WHERE reply_id IS NOT NULL;
CREATE INDEX documents_open ON documents (utm) WHERE ended_at IS NULL;
CREATE INDEX documents_book ON documents (book);

-- Their history.
CREATE TABLE document_moves (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identity    text NOT NULL REFERENCES documents,
    at          timestamptz NOT NULL,
    state       text NOT NULL,
    words       text
);
CREATE INDEX document_moves_identity ON document_moves (identity);

-- Tickets, each once, however often it comes.
CREATE TABLE tickets (
    utm         text NOT NULL,
    transport   text NOT NULL,
    step        text NOT NULL CHECK (step IN ('check', 'operation')),
    identity    text NOT NULL,
    accepted    boolean NOT NULL,
    words       text NOT NULL,
    reg_id      text,
    body        text NOT NULL,
    came_at     timestamptz NOT NULL,
    PRIMARY KEY (utm, transport, step)
);
CREATE INDEX tickets_identity ON tickets (identity);

-- Which bottle went with which line of which order: the brief's local_egais_alcocodes.
CREATE TABLE egais_alcocodes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book        text NOT NULL,
    order_number text NOT NULL,
    line_id     bigint NOT NULL,
    product_group text NOT NULL,
    alco_code   text NOT NULL,
    mark        text,
    -- One for a marked bottle.
    quantity    numeric NOT NULL CHECK (quantity > 0),
    returned    numeric NOT NULL DEFAULT 0 CHECK (returned >= 0 AND returned <= quantity),
    f2_reg_id   text,
    price       bigint NOT NULL,
    document    text NOT NULL,
    back_document text,
    -- EGAIS's number: EGAISQuntId of the brief, else RegID of the ticket.
    egais_quant_id text,
    status      text NOT NULL CHECK (status IN ('taken', 'written_off', 'returning', 'returned')),
    changed_at  timestamptz NOT NULL
);
-- A mark is used once.
CREATE UNIQUE INDEX egais_alcocodes_mark ON egais_alcocodes (mark) WHERE mark IS NOT NULL AND status <> 'returned';
CREATE UNIQUE INDEX egais_alcocodes_line ON egais_alcocodes (document, line_id) WHERE mark IS NULL;
CREATE INDEX egais_alcocodes_book ON egais_alcocodes (book, line_id);

-- What EGAIS says there is, by the last answers to RestBal.
CREATE TABLE rests (
    utm         text NOT NULL,
    register    smallint NOT NULL CHECK (register IN (1, 2)),
    place       integer NOT NULL,
    alc_code    text NOT NULL,
    name        text NOT NULL,
    f1_reg_id   text,
    f2_reg_id   text,
    quantity    numeric NOT NULL,
    PRIMARY KEY (utm, register, place)
);
CREATE INDEX rests_code ON rests (utm, alc_code);

-- A run of RestBal: both registers, then the comparison.
CREATE TABLE rest_runs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    utm         text NOT NULL,
    asked_at    timestamptz NOT NULL,
    first_reply text,
    shop_reply  text,
    first_at    timestamptz,
    shop_at     timestamptz,
    compared_at timestamptz
);

-- What the shop's catalogue says there is.
CREATE TABLE catalogue (
    utm         text NOT NULL,
    alc_code    text NOT NULL,
    name        text NOT NULL,
    quantity    numeric NOT NULL,
    said_at     timestamptz NOT NULL,
    PRIMARY KEY (utm, alc_code)
);

-- Where the two disagree, run by run, kept for audit.
CREATE TABLE differences (
    run         bigint NOT NULL REFERENCES rest_runs,
    alc_code    text NOT NULL,
    name        text NOT NULL,
    first       numeric NOT NULL,
    shop        numeric NOT NULL,
    catalogue   numeric NOT NULL,
    PRIMARY KEY (run, alc_code)
);

-- Products as EGAIS describes them, for acts that name the whole product.
CREATE TABLE products (
    alc_code    text PRIMARY KEY,
    product     jsonb NOT NULL
);

-- Bottles of a form B, by ReplyRestBCode.
CREATE TABLE bottles (
    mark        text PRIMARY KEY,
    utm         text NOT NULL,
    f2_reg_id   text NOT NULL,
    alc_code    text
);
