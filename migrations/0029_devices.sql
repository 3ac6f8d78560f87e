-- How switches and PDUs are reached, and what they said last.
CREATE TABLE device_access (
    id UUID PRIMARY KEY,
    device UUID NOT NULL UNIQUE REFERENCES device (id) ON DELETE RESTRICT,
    dialect TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    username TEXT NOT NULL DEFAULT '',
    sealed_secret BYTEA NOT NULL,
    sealed_more BYTEA,
    host_key TEXT NOT NULL DEFAULT '',
    parking_vid INTEGER NOT NULL DEFAULT 1,
    asked_at TIMESTAMPTZ,
    read_at TIMESTAMPTZ,
    error TEXT NOT NULL DEFAULT '',
    state JSONB NOT NULL DEFAULT '{}',
    CONSTRAINT known_port CHECK (port BETWEEN 1 AND 65535),
    CONSTRAINT known_parking CHECK (parking_vid BETWEEN 1 AND 4094)
);

-- What a port of a switch is to have: what we put there last, or a person accepted.
CREATE TABLE switch_port (
    id UUID PRIMARY KEY,
    port UUID NOT NULL UNIQUE REFERENCES port (id) ON DELETE RESTRICT,
    untagged INTEGER,
    tagged TEXT NOT NULL DEFAULT '',
    set_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT some_vlan CHECK (untagged IS NOT NULL OR tagged <> ''),
    CONSTRAINT known_vlan CHECK (untagged BETWEEN 1 AND 4094)
);

-- A change that a person asked for: planned by a worker, looked at, and then done.
CREATE TABLE switch_change (
    id UUID PRIMARY KEY,
    device UUID NOT NULL REFERENCES device (id) ON DELETE RESTRICT,
    wanted JSONB NOT NULL,
    state TEXT NOT NULL,
    plan JSONB NOT NULL DEFAULT '{}',
    error TEXT NOT NULL DEFAULT '',
    asked_by UUID,
    asked_as TEXT NOT NULL,
    asked_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT known_change CHECK (state IN ('planning', 'planned', 'applying', 'done', 'failed'))
);
CREATE INDEX switch_change_device ON switch_change (device);
