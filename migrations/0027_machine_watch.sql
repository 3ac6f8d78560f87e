-- How a machine differs from what its service says, and since when its provider shows it so.
ALTER TABLE machine ADD COLUMN drift TEXT NOT NULL DEFAULT '';
ALTER TABLE machine ADD COLUMN drift_since TIMESTAMPTZ;
ALTER TABLE machine ADD CONSTRAINT known_drift CHECK (
    drift IN ('', 'gone', 'left_over', 'not_suspended', 'suspended', 'off')
);
ALTER TABLE machine ADD CONSTRAINT drift_with_time CHECK ((drift = '') = (drift_since IS NULL));

-- What a provider of virtual machines says when it is asked for all of them, and when it is asked.
CREATE TABLE provider_watch (
    connection TEXT PRIMARY KEY,
    due_at TIMESTAMPTZ NOT NULL,
    asked_at TIMESTAMPTZ,
    heard_at TIMESTAMPTZ,
    silent_since TIMESTAMPTZ,
    silence TEXT NOT NULL DEFAULT '',
    machines INTEGER NOT NULL DEFAULT 0,
    foreign_machines INTEGER NOT NULL DEFAULT 0,
    foreign_sample JSONB NOT NULL DEFAULT '[]'
);

-- Machines with our mark that belong to no service of ours.
CREATE TABLE stray_machine (
    id UUID PRIMARY KEY,
    connection TEXT NOT NULL,
    number TEXT NOT NULL,
    node TEXT NOT NULL,
    name TEXT NOT NULL,
    power TEXT NOT NULL,
    service UUID NOT NULL,
    first_seen_at TIMESTAMPTZ NOT NULL,
    left_alone_at TIMESTAMPTZ,
    CONSTRAINT stray_once UNIQUE (connection, number)
);
