-- Who is served first of those that wait, what came of serving them, and how the stock went.
ALTER TABLE client_order ADD COLUMN priority SMALLINT NOT NULL DEFAULT 0,
    ADD COLUMN passed INTEGER NOT NULL DEFAULT 0;

CREATE TABLE backlog_plan (
    id UUID PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    waiting INTEGER NOT NULL DEFAULT 0,
    placed INTEGER NOT NULL DEFAULT 0,
    bound INTEGER NOT NULL DEFAULT 0,
    is_proven BOOLEAN NOT NULL DEFAULT false,
    took_ms INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX backlog_plan_at ON backlog_plan (at);

CREATE TABLE stock_level (
    id UUID PRIMARY KEY,
    product UUID NOT NULL REFERENCES product ON DELETE RESTRICT,
    day DATE NOT NULL,
    servers INTEGER NOT NULL DEFAULT 0,
    ip4 INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT stock_level_once UNIQUE (product, day)
);
CREATE INDEX stock_level_product ON stock_level (product);
