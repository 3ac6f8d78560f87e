"""Serve all orders that wait for a server together, when stock has appeared."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.core.apart import off_loop
from app.core.database import Tx
from app.core.ids import new_id
from app.domain.inventory.available import Available, read_available
from app.domain.inventory.reserve import Ask, take_first
from app.domain.inventory.rooms import lock_turn, read_rooms
from app.domain.orders.states import IN_FLIGHT
from app.domain.orders.wait_for_stock import WAITING
from app.domain.orders.waiting import SEED, served_by, served_first, waiting_orders
from app.solver.backlog import Backlogged, solve_backlog

LIMIT = 3.0
"""CP-SAT's deterministic time, about seconds of one core."""
KEPT_FOR = timedelta(hours=1)
"""How long a server is held for a run that was told to go on and does not."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it, once."""

    at: datetime
    waiting: int
    placed: int
    bound: int
    """No plan could have placed more."""
    is_proven: bool
    """Whether the choice of servers is proven to be the best too."""
    took_ms: int

    @property
    def gap(self) -> float:
        """Return the share of the bound that was not reached."""
        return (self.bound - self.placed) / self.bound if self.bound else 0.0


async def serve_backlog(tx: Tx) -> Served | None:
    """Hold a server for as many of the waiting orders as can be served; None where none can.

    Each order's run finds its server held when it is woken. Orders that were passed over are
    counted, see `solver.backlog`. One caller at a time: the others wait. Every waiting order
    is locked meanwhile, the servers only at the end. Cost: that of `read_available`, and of
    `solve_backlog`, which runs off the event loop.
    """
    await lock_turn(tx)
    await tx.execute(
        "SELECT id FROM client_order WHERE state = ANY($1) AND state_reason = $2 "
        "ORDER BY id FOR NO KEY UPDATE",
        list(IN_FLIGHT),
        WAITING,
    )
    # Read again: an order whose run was at work until now may have its server.
    waiting = await waiting_orders(tx)
    if not waiting:
        return None
    available = await read_available(tx)
    inventory = available.inventory
    if not any(served_by(inventory, want) for want in {order.want for order in waiting}):
        return None
    rooms = await read_rooms(tx, {UUID(order.client) for order in waiting})
    began = time.monotonic()
    found = await off_loop(
        len(waiting) * len(inventory),
        solve_backlog,
        inventory,
        waiting,
        seed=SEED,
        deterministic_limit=LIMIT,
        racks=rooms,
    )
    took_ms = round((time.monotonic() - began) * 1000)
    served = Served(
        at=tx.now(),
        waiting=len(waiting),
        placed=await _hold(tx, available, served_first(waiting), found.plan.assignments),
        bound=found.plan.bound,
        is_proven=found.plan.proven,
        took_ms=took_ms,
    )
    await tx.executemany(
        "UPDATE client_order SET passed = $2 WHERE id = $1", list(found.passed.items())
    )
    await _keep(tx, served)
    return served


async def _hold(
    tx: Tx, available: Available, orders: Sequence[Backlogged], assigned: dict[UUID, UUID]
) -> int:
    """Hold what was assigned, as far as nobody else was faster; return how many are held.

    Servers that others have locked are passed over: whoever waits holds none of theirs.
    """
    held = 0
    for order in orders:
        server = assigned.get(order.order_id)
        if server is not None:
            ask = Ask(available.inventory, order.want, order.order_id, tx.now() + KEPT_FOR)
            candidate = (server, available.seqs[server])
            held += await take_first(tx, [candidate], ask, patient=False) is not None
    return held


async def _keep(tx: Tx, served: Served) -> None:
    await tx.execute(
        "INSERT INTO backlog_plan (id, at, waiting, placed, bound, is_proven, took_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new_id(),
        served.at,
        served.waiting,
        served.placed,
        served.bound,
        served.is_proven,
        served.took_ms,
    )
    tx.publish("backlog")
