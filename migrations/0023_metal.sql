-- Clouds of bare metal: a kind of connection, and the servers that they have.
ALTER TABLE connection DROP CONSTRAINT known_kind;
ALTER TABLE connection ADD CONSTRAINT known_kind
    CHECK (kind IN ('http', 'ssh', 'dns', 'chat', 'hypervisor', 'metal'));

CREATE TABLE metal_node (
    id UUID PRIMARY KEY,
    server UUID NOT NULL UNIQUE REFERENCES server (id) ON DELETE RESTRICT,
    connection TEXT NOT NULL,
    node TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT '',
    power TEXT NOT NULL DEFAULT 'unknown',
    error TEXT NOT NULL DEFAULT '',
    seen_at TIMESTAMPTZ,
    CONSTRAINT one_server UNIQUE (connection, node),
    CONSTRAINT known_power CHECK (power IN ('on', 'off', 'unknown'))
);
