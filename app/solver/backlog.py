"""All waiting orders together, so that no order waits for ever while others are served.

The rule: an order that was passed over `PATIENCE` times (others of its priority or a lower
one were served and it was not) goes before all of its priority that were passed over less
often; and again after each further `PATIENCE` times. Whoever is passed on and on so comes to
stand alone at the head of its priority, and gets a machine as soon as one serves it and its
rack admits it. Higher priorities always go first: that is what they are for.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.solver.batch import BatchPlan, WaitingOrder, solve
from app.solver.inventory import Inventory
from app.solver.room import RackRoom
from app.solver.want import ServerWant

PATIENCE = 3


class Backlogged(msgspec.Struct, frozen=True, kw_only=True):
    """One order of the backlog."""

    order_id: UUID
    want: ServerWant
    priority: int = 0
    passed: int = 0
    """How often it was passed over: what the plan before this one said."""
    client: str = ""
    vlans: int = 0


class BacklogPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets what now, and what to remember of the others."""

    plan: BatchPlan
    passed: dict[UUID, int]
    """For each order left without, its `passed` for the next time."""


def solve_backlog(
    inventory: Inventory,
    backlog: Sequence[Backlogged],
    *,
    seed: int,
    deterministic_limit: float,
    racks: Sequence[RackRoom] = (),
) -> BacklogPlan:
    """Return a plan for the whole backlog, given the oldest first; see `batch.solve`.

    To sell to somebody new while orders wait, match on `inventory.without` what this
    plan assigned.
    """
    standing = [(order.priority, order.passed // PATIENCE) for order in backlog]
    rank = {place: number for number, place in enumerate(sorted(set(standing)))}
    plan = solve(
        inventory,
        [
            WaitingOrder(order.order_id, order.want, rank[place], order.client, order.vlans)
            for order, place in zip(backlog, standing, strict=True)
        ],
        seed=seed,
        deterministic_limit=deterministic_limit,
        racks=racks,
    )
    lowest = min(
        (order.priority for order in backlog if order.order_id in plan.assignments), default=None
    )
    return BacklogPlan(
        plan=plan,
        passed={
            order.order_id: order.passed + int(lowest is not None and lowest <= order.priority)
            for order in backlog
            if order.order_id not in plan.assignments
        },
    )
