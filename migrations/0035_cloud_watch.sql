-- What a cloud of bare metal says when it is asked for all its nodes, and when it is asked.
CREATE TABLE cloud_watch (
    connection TEXT PRIMARY KEY,
    due_at TIMESTAMPTZ NOT NULL,
    asked_at TIMESTAMPTZ,
    heard_at TIMESTAMPTZ,
    silent_since TIMESTAMPTZ,
    silence TEXT NOT NULL DEFAULT '',
    nodes INTEGER NOT NULL DEFAULT 0
);

-- Each node as its cloud last showed it, and how it differs from what should be.
CREATE TABLE cloud_node (
    id UUID PRIMARY KEY,
    connection TEXT NOT NULL,
    node TEXT NOT NULL,
    name TEXT NOT NULL,
    stage TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT '',
    power TEXT NOT NULL DEFAULT 'unknown',
    in_maintenance BOOLEAN NOT NULL DEFAULT false,
    maintenance_reason TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    error_at TIMESTAMPTZ,
    instance TEXT NOT NULL DEFAULT '',
    service UUID,
    resource_class TEXT NOT NULL DEFAULT '',
    driver TEXT NOT NULL DEFAULT '',
    first_seen_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ,
    noted_at TIMESTAMPTZ,
    gone_since TIMESTAMPTZ,
    drift TEXT NOT NULL DEFAULT '',
    drift_since TIMESTAMPTZ,
    CONSTRAINT node_once UNIQUE (connection, node),
    CONSTRAINT known_node_power CHECK (power IN ('on', 'off', 'unknown')),
    CONSTRAINT known_stage CHECK (
        stage IN (
            '', 'enrolled', 'manageable', 'available', 'working', 'active', 'rescued', 'failed'
        )
    ),
    CONSTRAINT known_node_drift CHECK (
        drift IN (
            '', 'gone', 'twin', 'taken', 'occupied', 'lost', 'failed', 'maintenance',
            'not_offered', 'off', 'on', 'nobodys'
        )
    ),
    CONSTRAINT node_drift_with_time CHECK ((drift = '') = (drift_since IS NULL))
);
CREATE INDEX cloud_node_node ON cloud_node (node);
CREATE INDEX metal_node_node ON metal_node (node);
