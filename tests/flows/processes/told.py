"""What there is of a run of a shipped flow: the same of two runs that did the same."""

from collections import Counter
from typing import Any
from uuid import UUID

from app.core.database import Tx
from app.core.ids import new_id
from tests.flows.processes.bought import at_the_provider
from tests.flows.processes.shipped import Begun
from tests.flows.processes.ways import AT_LEAST_ONCE
from tests.flows.processes.world import World

_SERVER = """
SELECT s.state, s.may_hold_data, (SELECT array_agg((b.state, b.error, b.parts)::text)::text
FROM burn_in b WHERE b.server = s.id) FROM server s WHERE s.id = $1
"""


async def told(tx: Tx, world: World, begun: Begun) -> dict[str, Any]:
    """Return all that there is of a run: the same of two runs that did the same."""
    held = begun.held
    servers = await tx.fetch(
        "SELECT s.id, s.mac::text, b.url FROM server s JOIN bmc b ON b.server = s.id "
        "WHERE s.id = $2 OR s.id::text IN "
        "(SELECT reference FROM run_resource WHERE run = $1 AND kind = 'server')",
        begun.run,
        None if held is None else held.server,
    )
    changes = world.of(*begun.marks, *(row[part] for row in servers for part in ("url", "mac")))
    bought = await tx.fetchrow(
        'SELECT id, account FROM service WHERE "order" = $1', begun.order or new_id()
    )
    return {
        "bought": at_the_provider(world.panel, world.store, *(bought or (None, None))),
        "run": (await tx.fetchval("SELECT status FROM run WHERE id = $1", begun.run)),
        "story": await _counted(
            tx, "SELECT kind, scope, node FROM run_event WHERE run = $1 AND kind <> 'waiting'", begun.run
        ),
        "attempts": await _counted(
            tx, "SELECT scope, node, attempt, status, port FROM step_attempt WHERE run = $1", begun.run
        ),
        "ledger": await _counted(
            tx, "SELECT kind, state FROM run_resource WHERE run = $1", begun.run
        ),
        "order": await _counted(
            tx,
            'SELECT o.state, s.state, m.state, (SELECT count(*) FROM mail WHERE "order" = o.id), '
            "(SELECT count(*) FROM address_claim WHERE holder = o.id), "
            "(SELECT m.power || (m.removed_at IS NOT NULL) FROM machine m WHERE m.service = s.id), "
            "(SELECT count(*) FROM audit_entry WHERE subject = o.id AND action = 'order.noted'), "
            "s.os_code, s.rescue_since IS NOT NULL "
            'FROM client_order o LEFT JOIN service s ON s."order" = o.id '
            "LEFT JOIN server m ON m.holder = o.id WHERE o.id = $1",
            begun.order or new_id(),
        ),
        "servers": Counter([await _server(tx, world, row) for row in servers]),
        "boots": await _counted(
            tx,
            "SELECT i.purpose, i.state, (SELECT count(*) FROM disk_erasure "
            "WHERE installation = i.id AND error = '') FROM installation i "
            "WHERE split_part(i.step_key, ':', 1) = $1::uuid::text",
            begun.run,
        ),
        "world": set(changes) if begun.way.flow in AT_LEAST_ONCE else changes,
    }  # fmt: skip


async def _counted(tx: Tx, sql: str, about: UUID) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row) for row in await tx.fetch(sql, about))


async def _server(tx: Tx, world: World, row: Any) -> tuple[Any, ...]:
    """Return how a server is in the inventory, at its BMC and at its cloud."""
    known: Any = await tx.fetchrow(_SERVER, row["id"])
    return (*known, world.power.get(row["url"]), world.cloud.words_of(row["mac"]))
