-- What a person has done about a server at a cloud of bare metal, and how far that is.
CREATE TABLE metal_errand (
    id UUID PRIMARY KEY,
    server UUID NOT NULL REFERENCES server (id) ON DELETE RESTRICT,
    connection TEXT NOT NULL,
    wanted JSONB NOT NULL,
    state TEXT NOT NULL,
    done JSONB NOT NULL DEFAULT '[]',
    says TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    memo JSONB NOT NULL DEFAULT '{}',
    turn INTEGER NOT NULL DEFAULT 0,
    asked_by UUID,
    asked_as TEXT NOT NULL,
    asked_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    CONSTRAINT known_errand CHECK (state IN ('working', 'done', 'failed', 'stopped')),
    CONSTRAINT only_ended_is_finished CHECK ((state = 'working') = (finished_at IS NULL))
);
CREATE INDEX metal_errand_server ON metal_errand (server);
CREATE UNIQUE INDEX ix_metal_errand_one ON metal_errand (server) WHERE state = 'working';

-- Who told a server's hardware: its BMC ('') or a cloud, by its name.
ALTER TABLE hardware_report ADD COLUMN told_by TEXT NOT NULL DEFAULT '';
