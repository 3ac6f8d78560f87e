-- How a game server differs from what its service says, and how its panel's client API names it.
ALTER TABLE game_server
    ADD COLUMN short TEXT NOT NULL DEFAULT '',
    ADD COLUMN drift TEXT NOT NULL DEFAULT '',
    ADD COLUMN drift_since TIMESTAMPTZ,
    ADD CONSTRAINT known_drift CHECK (
        drift IN ('', 'gone', 'left_over', 'not_suspended', 'suspended')
    ),
    ADD CONSTRAINT drift_with_time CHECK ((drift = '') = (drift_since IS NULL));
UPDATE game_server SET short = coalesce(substring(panel_url FROM '/server/([0-9a-f]{8})$'), '');

-- Counters of a game server as they were last read: what flowed is what they rose by.
ALTER TABLE usage_watch
    ADD COLUMN counted_at TIMESTAMPTZ,
    ADD COLUMN counted_in_bytes BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN counted_out_bytes BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN counted_up_s DOUBLE PRECISION NOT NULL DEFAULT 0;

-- How much of a disk is used: of a game server it is this that is told, not what is read and written.
ALTER TABLE usage_hour ADD COLUMN disk_used_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_day ADD COLUMN disk_used_bytes BIGINT NOT NULL DEFAULT 0;
