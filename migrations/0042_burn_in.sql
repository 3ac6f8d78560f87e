-- Servers that nobody has are burned in: put under load for a time, and what came of it is kept.
CREATE TABLE burn_in (
    id UUID PRIMARY KEY,
    server UUID NOT NULL REFERENCES server (id) ON DELETE RESTRICT,
    minutes INTEGER NOT NULL,
    came_from TEXT NOT NULL,
    came_for TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_by UUID,
    asked_as TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_at TIMESTAMPTZ NOT NULL,
    loaded_at TIMESTAMPTZ,
    celsius SMALLINT,
    hottest_celsius SMALLINT,
    parts JSONB NOT NULL DEFAULT '[]',
    verdict TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    ended_at TIMESTAMPTZ,
    CONSTRAINT known_burn_in CHECK (
        state IN ('under_way', 'stopping', 'passed', 'failed', 'stopped')
    ),
    CONSTRAINT known_verdict CHECK (verdict IN ('', 'passed', 'failed', 'undone')),
    CONSTRAINT takes_minutes CHECK (minutes >= 1),
    CONSTRAINT only_ended_has_an_end CHECK (
        (state IN ('under_way', 'stopping')) = (ended_at IS NULL)
    )
);
CREATE INDEX burn_in_server ON burn_in (server);
CREATE UNIQUE INDEX ix_burn_in_one ON burn_in (server) WHERE state IN ('under_way', 'stopping');

ALTER TABLE installation
    ADD COLUMN burn_in UUID REFERENCES burn_in (id) ON DELETE RESTRICT,
    DROP CONSTRAINT known_purpose,
    DROP CONSTRAINT erasure_is_nobodys,
    ADD CONSTRAINT known_purpose CHECK (purpose IN ('install', 'rescue', 'erase', 'burn-in')),
    ADD CONSTRAINT some_are_nobodys CHECK ((service IS NULL) = (purpose IN ('erase', 'burn-in'))),
    ADD CONSTRAINT boots_for_burn_in CHECK ((burn_in IS NULL) = (purpose <> 'burn-in'));
CREATE INDEX installation_burn_in ON installation (burn_in);
