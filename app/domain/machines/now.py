"""What is known of a machine just now: SQL over a machine `m` and its provider's watch `w`.

While its provider is silent nobody knows whether it runs; each reading that shows it is a sight of
it, whether or not anything changed.
"""

WATCHED = "LEFT JOIN provider_watch w ON w.connection = m.connection"
POWER = """
CASE WHEN w.silent_since IS NULL OR m.removed_at IS NOT NULL THEN m.power ELSE 'unknown' END
"""
SEEN_AT = """
CASE WHEN m.drift = 'gone' OR m.removed_at IS NOT NULL OR m.power_seen_at IS NULL
     THEN m.power_seen_at ELSE greatest(m.power_seen_at, w.heard_at) END
"""
GAME_POWER = """
CASE WHEN w.silent_since IS NULL OR y.removed_at IS NOT NULL THEN y.power ELSE 'unknown' END
"""
"""Of a game server `y`; it is read on its own, and not with the list of its panel."""
GAME_SEEN_AT = """
CASE WHEN y.drift = 'gone' OR y.removed_at IS NOT NULL OR y.seen_at IS NULL
     THEN y.seen_at ELSE greatest(y.seen_at, w.heard_at) END
"""
