"""SQL over what services have at providers: virtual machines and game servers alike."""

HELD = """(
SELECT service, connection, made_at, removed_at FROM machine
UNION ALL
SELECT service, connection, made_at, removed_at FROM game_server
)"""
