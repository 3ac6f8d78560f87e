-- Machines are booted over the network to be rescued and to be erased, too; what was erased is kept.
ALTER TABLE installation ALTER COLUMN service DROP NOT NULL;
ALTER TABLE installation ADD COLUMN purpose TEXT NOT NULL DEFAULT 'install';
ALTER TABLE installation ADD CONSTRAINT known_purpose
    CHECK (purpose IN ('install', 'rescue', 'erase'));
ALTER TABLE installation ADD CONSTRAINT erasure_is_nobodys
    CHECK ((service IS NULL) = (purpose = 'erase'));

CREATE TABLE disk_erasure (
    id UUID PRIMARY KEY,
    installation UUID NOT NULL REFERENCES installation ON DELETE RESTRICT,
    server UUID NOT NULL REFERENCES server ON DELETE RESTRICT,
    disk TEXT NOT NULL,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    serial TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    method TEXT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    ended_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT disk_erasure_once UNIQUE (installation, disk),
    CONSTRAINT known_kind CHECK (kind IN ('nvme', 'ssd', 'hdd'))
);
CREATE INDEX disk_erasure_server ON disk_erasure (server);

ALTER TABLE service ADD COLUMN rescue_since TIMESTAMPTZ;

ALTER TABLE server ADD COLUMN recheck_at TIMESTAMPTZ;
ALTER TABLE server ADD COLUMN rechecks SMALLINT NOT NULL DEFAULT 0;
CREATE INDEX server_recheck_at ON server (recheck_at);
