"""The orders that are paid and wait for a server, in the order in which they are to be served."""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.catalog.kind import KIND_OF_P
from app.domain.catalog.selection import Selection
from app.domain.catalog.wants import want_of
from app.domain.inventory.available import read_available
from app.domain.inventory.rooms import read_rooms
from app.domain.orders.states import IN_FLIGHT
from app.domain.orders.wait_for_stock import WAITING
from app.drivers.deploy.layout import DiskLayout
from app.solver.backlog import PATIENCE, Backlogged, solve_backlog
from app.solver.inventory import Inventory
from app.solver.rules import eligible_rows, rules_of
from app.solver.want import ServerWant

SEED = 1
"""Of all backlogs: the same orders and stock, the same plan."""

_WAITING = f"""
SELECT o.id, o.account, o.priority, o.passed, o.selection, p.server_rules, p.disk_layouts,
    coalesce((p.address_rules->>'vlan')::boolean, true) AS takes_vlan
FROM client_order o JOIN product p ON p.id = o.product
WHERE o.state = ANY($1) AND (o.state_reason = $2 OR o.id = $3)
AND {KIND_OF_P} = 'server' AND NOT EXISTS (SELECT FROM server s WHERE s.holder = o.id)
ORDER BY o.paid_at, o.number
"""


async def waiting_orders(tx: Tx, also: UUID | None = None) -> tuple[Backlogged, ...]:
    """Return the orders that are paid and wait for a server, those paid first first.

    `also` is an order that waits if it is paid and has no server, whether it says so or not.
    One statement.
    """
    rows = await tx.fetch(_WAITING, list(IN_FLIGHT), WAITING, also)
    return tuple(
        Backlogged(
            order_id=row["id"],
            want=want_of(
                msgspec.json.decode(row["server_rules"], type=ServerWant),
                msgspec.json.decode(row["disk_layouts"], type=tuple[DiskLayout, ...]),
                msgspec.json.decode(row["selection"], type=Selection),
            ),
            priority=row["priority"],
            passed=row["passed"],
            client=str(row["account"]),
            vlans=int(row["takes_vlan"]),
        )
        for row in rows
    )


def served_first(waiting: Sequence[Backlogged]) -> list[Backlogged]:
    """Return the orders, given the oldest first, as `solve_backlog` would serve them."""
    return sorted(waiting, key=lambda order: (-order.priority, -(order.passed // PATIENCE)))


async def kept_for_waiting(tx: Tx, order: UUID) -> set[UUID]:
    """Return free servers that are not for this order, since others wait for them already.

    Those before whom it would be served itself are not looked at; one that does not wait comes
    after all. Usually nobody waits for what is free, which is one statement, or two and the
    rules of those who wait.
    """
    ahead = served_first(await waiting_orders(tx, also=order))
    place = next((n for n, one in enumerate(ahead) if one.order_id == order), len(ahead))
    ahead = ahead[:place]
    if not ahead:
        return set()
    inventory = (await read_available(tx)).inventory
    some = [one for one in ahead if served_by(inventory, one.want)]
    if not some:
        return set()
    rooms = await read_rooms(tx, {UUID(one.client) for one in some})
    greedy = partial(solve_backlog, seed=SEED, deterministic_limit=0.0, racks=rooms)
    told = await asyncio.to_thread(greedy, inventory, some)
    return set(told.plan.assignments.values())


def served_by(inventory: Inventory, want: ServerWant) -> bool:
    """Return whether any server of the inventory serves the want."""
    return bool(len(eligible_rows(inventory, rules_of(inventory, want))))
