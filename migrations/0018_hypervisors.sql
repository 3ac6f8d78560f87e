-- Connections to providers of virtual machines, and turns at what they cannot do at once.
ALTER TABLE connection DROP CONSTRAINT known_kind, ADD CONSTRAINT known_kind
    CHECK (kind IN ('http', 'ssh', 'dns', 'chat', 'hypervisor'));

CREATE TABLE turn (
    key TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until TIMESTAMPTZ NOT NULL
);
