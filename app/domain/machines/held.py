"""SQL over what services have at providers: virtual machines and game servers alike."""

from collections.abc import Mapping

from app.domain.connections.kinds import Kind

_COLUMNS = """
id, service, connection, number, node, power, drift, drift_since, made_at, removed_at
"""
HELD = f"""(
SELECT {_COLUMNS} FROM machine
UNION ALL
SELECT {_COLUMNS} FROM game_server
)"""
TABLES: Mapping[str, str] = {Kind.HYPERVISOR: "machine", Kind.GAME: "game_server"}
"""By kind of connection, where what services have there is kept."""
NOUNS: Mapping[str, str] = {Kind.HYPERVISOR: "machine", Kind.GAME: "server"}
