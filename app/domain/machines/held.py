"""SQL over what services have at providers: virtual machines and game servers alike."""

HELD = """(
SELECT service, connection, node, number, made_at, removed_at, drift, drift_since FROM machine
UNION ALL
SELECT service, connection, node, number, made_at, removed_at, drift, drift_since FROM game_server
)"""
