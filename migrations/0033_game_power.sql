-- Whether a game server runs, as its panel last said.
ALTER TABLE game_server
    ADD COLUMN power TEXT NOT NULL DEFAULT 'unknown',
    ADD COLUMN power_seen_at TIMESTAMPTZ,
    ADD CONSTRAINT known_power CHECK (power IN ('on', 'off', 'unknown'));
