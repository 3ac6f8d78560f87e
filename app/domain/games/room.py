"""What panels have left, as they last said, and what is promised of it already."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.games.choose import fits
from app.domain.games.rules import GameRules
from app.drivers.game.contract import GameRoom

_PROMISED = """
SELECT count(*) FROM client_order o JOIN product p ON p.id = o.product
LEFT JOIN service s ON s."order" = o.id LEFT JOIN game_server g ON g.service = s.id
WHERE p.game_rules IS NOT NULL AND o.id IS DISTINCT FROM $2
AND (o.state IN ('paid', 'provisioning', 'delivered') OR (o.state IN ('held', 'awaiting_payment')
     AND o.hold_expires_at > $3))
AND ((g.made_at IS NULL AND o.state <> 'delivered')
     OR g.made_at > (SELECT min(r.seen_at) FROM game_room r WHERE r.connection = g.connection))
AND EXISTS (SELECT FROM jsonb_array_elements(p.game_rules->'places') place
            WHERE place->>'connection' = ANY($1))
"""


async def note_rooms(tx: Tx, connection: str, rooms: Sequence[GameRoom]) -> None:
    """Write down what a panel has left now; nodes that it has no more are forgotten.

    Pages that show stock are told; orders that wait look by themselves every five minutes.
    """
    await tx.execute(
        "DELETE FROM game_room WHERE connection = $1 AND NOT node = ANY($2)",
        connection,
        [room.node for room in rooms],
    )
    await tx.executemany(
        "INSERT INTO game_room (id, connection, node, location, is_open, free_memory_mb, "
        "free_disk_mb, free_ports, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "ON CONFLICT (connection, node) DO UPDATE SET location = excluded.location, "
        "is_open = excluded.is_open, free_memory_mb = excluded.free_memory_mb, "
        "free_disk_mb = excluded.free_disk_mb, free_ports = excluded.free_ports, "
        "seen_at = excluded.seen_at",
        [
            (
                new_id(),
                connection,
                room.node,
                room.location,
                room.is_open,
                room.free_memory_mb,
                room.free_disk_mb,
                room.free_ports,
                tx.now(),
            )
            for room in rooms
        ],
    )
    tx.publish("stock")


async def game_stock(tx: Tx, rules: GameRules, *, but: UUID | None = None) -> int:
    """Return how many such servers could be sold now: what fits, less what is promised.

    Promised is what was ordered and is not made, or was made since its panel was asked.

    `but` is an order that is not counted. A panel that was never asked has no room. Two
    statements.
    """
    connections = [place.connection for place in rules.places]
    rows = await tx.fetch(
        "SELECT connection, node, location, is_open, free_memory_mb, free_disk_mb, free_ports "
        "FROM game_room WHERE connection = ANY($1)",
        connections,
    )
    rooms: dict[str, list[GameRoom]] = {}
    for row in rows:
        found = dict(row)
        name = found.pop("connection")
        rooms.setdefault(name, []).append(msgspec.convert(found, GameRoom))
    room = sum(fits(place, rooms.get(place.connection, ()), rules.limits) for place in rules.places)
    promised: int = await tx.fetchval(_PROMISED, connections, but, tx.now())
    return max(room - promised, 0)


async def lock_stock(tx: Tx) -> None:
    """Let one order at a time take of it; others wait until this transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('games', 0))")
