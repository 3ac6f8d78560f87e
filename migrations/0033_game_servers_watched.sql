-- What is known of a game server just now: whether it runs, how it differs from its service, what
-- of its disk it uses, and what its panel had counted when it was last read.
ALTER TABLE game_server
    ADD COLUMN power TEXT NOT NULL DEFAULT 'unknown',
    ADD COLUMN power_seen_at TIMESTAMPTZ,
    ADD COLUMN drift TEXT NOT NULL DEFAULT '',
    ADD COLUMN drift_since TIMESTAMPTZ,
    ADD COLUMN disk_bytes BIGINT,
    ADD COLUMN counted_at TIMESTAMPTZ,
    ADD COLUMN net_in_bytes BIGINT,
    ADD COLUMN net_out_bytes BIGINT,
    ADD CONSTRAINT known_power CHECK (power IN ('on', 'off', 'unknown')),
    ADD CONSTRAINT known_drift CHECK (
        drift IN ('', 'gone', 'left_over', 'not_suspended', 'suspended', 'off')
    ),
    ADD CONSTRAINT drift_with_time CHECK ((drift = '') = (drift_since IS NULL));
