-- Products whose machines are virtual; null: its orders get physical servers.
ALTER TABLE product ADD COLUMN machine_rules JSONB;

-- The virtual machine of a service: where it was planned, and what is known of it.
CREATE TABLE machine (
    id UUID PRIMARY KEY,
    service UUID NOT NULL UNIQUE REFERENCES service (id) ON DELETE RESTRICT,
    connection TEXT NOT NULL,
    datacentre TEXT NOT NULL,
    rack TEXT NOT NULL DEFAULT '',
    node TEXT NOT NULL,
    storage TEXT NOT NULL DEFAULT '',
    bridge TEXT NOT NULL DEFAULT '',
    template TEXT NOT NULL,
    cores INTEGER NOT NULL,
    memory_mb INTEGER NOT NULL,
    disk_gb INTEGER NOT NULL,
    number TEXT NOT NULL DEFAULT '',
    power TEXT NOT NULL DEFAULT 'unknown',
    power_seen_at TIMESTAMPTZ,
    planned_at TIMESTAMPTZ NOT NULL,
    made_at TIMESTAMPTZ,
    removed_at TIMESTAMPTZ,
    CONSTRAINT known_power CHECK (power IN ('on', 'off', 'unknown'))
);
CREATE INDEX machine_connection ON machine (connection);
