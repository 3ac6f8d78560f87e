"""Assign servers to many waiting orders at once: as many orders as can be, then the best fit.

Servers that are alike for every order of the batch form one *pool*, and orders with
the same want and priority one *group*, so the problem is how many of a pool go to a
group: a transportation problem of a few thousand numbers instead of millions of
pairs. A greedy plan comes first; where it can be bettered, CP-SAT goes on from it,
tier by tier. Determinism: one search worker, a fixed seed, and a limit in units of
work instead of seconds.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from app.solver.assign import Assigned, assign
from app.solver.inventory import Inventory
from app.solver.pools import COSTS, Problem, problem_of
from app.solver.room import RackRoom, room_of
from app.solver.sides import fit
from app.solver.want import ServerWant


class WaitingOrder(NamedTuple):
    """One order of a batch; a plain tuple of the three does as well."""

    order_id: UUID
    want: ServerWant
    priority: int = 0
    """Higher goes first: no lower one is served at the cost of a higher one."""
    client: str = ""
    """Whose machines `most_in_rack` and `spread_racks` count in a rack; nobody's when empty."""
    vlans: int = 0
    """VLANs that it takes in its rack."""


class TierResult(msgspec.Struct, frozen=True, kw_only=True):
    """How far one tier of the objective was driven."""

    tier: str
    """`placed`, then `datacentre`, `equivalence`, `waste`, `rack`; with racks `spread`."""
    value: int
    bound: int
    """No plan that is as good in the tiers before can better this value."""


class BatchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets what."""

    assignments: dict[UUID, UUID]
    """Server by order."""
    unplaced: tuple[UUID, ...]
    """Orders left without, as they were given."""
    bound: int
    """No plan places more orders than this."""
    gap: float
    """(bound - placed) / bound; 0.0 when there was nothing to place."""
    proven: bool
    """Whether every tier, fit as well as number, is proven to be the best possible."""
    tiers: tuple[TierResult, ...]


def solve(
    inventory: Inventory,
    orders: Sequence[WaitingOrder | tuple[UUID, ServerWant, int]],
    *,
    seed: int,
    deterministic_limit: float,
    racks: Sequence[RackRoom] = (),
) -> BatchPlan:
    """Return a server for as many orders as possible, at the least cost of preference.

    `orders` are (id, want, priority), the oldest first; within one want and priority
    the oldest are served. First all that can be placed are, the higher priorities
    before the lower ones; then the sums over the placed orders of datacentre
    preference, equivalence cost, machine size and rack preference are minimised, one
    after the other. `deterministic_limit` is CP-SAT's deterministic time for the whole
    batch, about a second of one core each; when it ends the best plan so far is
    returned, with its bound and `proven` false. Equal input gives an equal plan.
    `racks` brings in the side rules (power on both feeds, cooling, switch ports, VLANs, how
    many machines of a client): then `spread` is a last tier, the machines that share a rack
    with another of their client though their want asks to spread them. Where racks are short
    `ration` comes before the search, beside the limit. A limit of 0 leaves the greedy plan.
    Runs for seconds on large batches: call it in a worker process.
    """
    waiting = [WaitingOrder(*order) for order in orders]
    triples = [(order.order_id, order.want, order.priority) for order in waiting]
    problem = problem_of(inventory, triples, seed=seed, keep_all=bool(racks))
    result = assign(problem, seed=seed, deterministic_limit=deterministic_limit)
    if not racks:
        return _plan(inventory, waiting, _taken(problem, result, seed), result)
    askers = [(order.client, order.vlans) for order in waiting]
    room = room_of(inventory, racks)
    fitted = fit(inventory, problem, result, askers, room, seed=seed, limit=deterministic_limit)
    return _plan(inventory, waiting, fitted.taken, fitted.result)


def _taken(problem: Problem, result: Assigned, seed: int) -> dict[int, int]:
    """Return the row of the inventory by place of the order."""
    rng = random.Random(seed)  # noqa: S311 - chooses among equal machines, guards nothing
    pools = [rng.sample(pool, len(pool)) for pool in problem.pools]
    waiting = [list(reversed(group.orders)) for group in problem.groups]
    taken: dict[int, int] = {}
    for arc, number in zip(problem.arcs, result.flow, strict=True):
        for _ in range(number):
            taken[waiting[arc.group].pop()] = pools[arc.pool].pop()
    return taken


def _plan(
    inventory: Inventory, orders: Sequence[WaitingOrder], taken: dict[int, int], result: Assigned
) -> BatchPlan:
    names = ("placed", *COSTS, "spread")[: len(result.values)]
    tiers = tuple(
        TierResult(tier=tier, value=value, bound=bound)
        for tier, value, bound in zip(names, result.values, result.bounds, strict=True)
    )
    placed, bound = tiers[0].value, tiers[0].bound
    return BatchPlan(
        assignments={
            orders[place].order_id: inventory.ids[taken[place]] for place in sorted(taken)
        },
        unplaced=tuple(order.order_id for place, order in enumerate(orders) if place not in taken),
        bound=bound,
        gap=(bound - placed) / bound if bound else 0.0,
        proven=result.proven,
        tiers=tiers,
    )
