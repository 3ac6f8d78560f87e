-- What the machines of services used.
CREATE TABLE usage_watch (
    id UUID PRIMARY KEY,
    service UUID NOT NULL UNIQUE REFERENCES service (id) ON DELETE RESTRICT,
    due_at TIMESTAMPTZ NOT NULL,
    read_at TIMESTAMPTZ,
    error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX usage_watch_due_at ON usage_watch (due_at);

-- One hour; `slots` are twelve means of five minutes, packed in 312 bytes, until they are dropped.
CREATE TABLE usage_hour (
    id BIGSERIAL PRIMARY KEY,
    service UUID NOT NULL REFERENCES service (id) ON DELETE RESTRICT,
    at TIMESTAMPTZ NOT NULL,
    seconds INTEGER NOT NULL,
    cpu REAL NOT NULL,
    cpu_most REAL NOT NULL,
    memory_bytes BIGINT NOT NULL,
    disk_read_bytes BIGINT NOT NULL,
    disk_write_bytes BIGINT NOT NULL,
    net_in_bytes BIGINT NOT NULL,
    net_out_bytes BIGINT NOT NULL,
    slots BYTEA,
    CONSTRAINT hour_once UNIQUE (service, at)
);
-- Floats do not compress.
ALTER TABLE usage_hour ALTER COLUMN slots SET STORAGE PLAIN;

CREATE TABLE usage_day (
    id BIGSERIAL PRIMARY KEY,
    service UUID NOT NULL REFERENCES service (id) ON DELETE RESTRICT,
    at TIMESTAMPTZ NOT NULL,
    seconds INTEGER NOT NULL,
    cpu REAL NOT NULL,
    cpu_most REAL NOT NULL,
    memory_bytes BIGINT NOT NULL,
    disk_read_bytes BIGINT NOT NULL,
    disk_write_bytes BIGINT NOT NULL,
    net_in_bytes BIGINT NOT NULL,
    net_out_bytes BIGINT NOT NULL,
    CONSTRAINT day_once UNIQUE (service, at)
);

CREATE TABLE usage_month (
    id BIGSERIAL PRIMARY KEY,
    service UUID NOT NULL REFERENCES service (id) ON DELETE RESTRICT,
    number INTEGER NOT NULL,
    began_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL,
    seconds INTEGER NOT NULL,
    net_in_bytes BIGINT NOT NULL,
    net_out_bytes BIGINT NOT NULL,
    p95_in_bits_s BIGINT NOT NULL,
    p95_out_bits_s BIGINT NOT NULL,
    CONSTRAINT month_once UNIQUE (service, number)
);

-- Providers that stand for each other, how much each takes, and since when one takes none.
ALTER TABLE connection ADD COLUMN in_group TEXT NOT NULL DEFAULT '';
ALTER TABLE connection ADD COLUMN weight INTEGER NOT NULL DEFAULT 100;
ALTER TABLE connection ADD COLUMN draining_since TIMESTAMPTZ;
ALTER TABLE connection ADD CONSTRAINT plain_group CHECK (in_group ~ '^([a-z0-9][a-z0-9-]{0,62})?$');
ALTER TABLE connection ADD CONSTRAINT some_weight CHECK (weight BETWEEN 1 AND 1000);

-- The right to open a machine's screen once, within seconds; where it is, is sealed.
CREATE TABLE console_ticket (
    id UUID PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    service UUID NOT NULL REFERENCES service (id) ON DELETE RESTRICT,
    account UUID NOT NULL REFERENCES account (id) ON DELETE RESTRICT,
    connection TEXT NOT NULL,
    sealed_console BYTEA NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    taken_at TIMESTAMPTZ
);
CREATE INDEX console_ticket_service ON console_ticket (service);
CREATE INDEX console_ticket_account ON console_ticket (account);
CREATE INDEX console_ticket_expires_at ON console_ticket (expires_at);
