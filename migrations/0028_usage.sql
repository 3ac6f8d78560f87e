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
