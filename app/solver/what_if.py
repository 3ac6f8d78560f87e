"""What if: can so many more be sold and what stops it; how long will the stock last."""

from collections.abc import Sequence
from statistics import median, quantiles
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from app.solver.batch import WaitingOrder, solve
from app.solver.inventory import Inventory
from app.solver.match import match
from app.solver.relax import Relaxation
from app.solver.room import RackRoom, Side
from app.solver.rules import RuleName
from app.solver.want import ServerWant

Binding: TypeAlias = Literal["stock", "racks", "waiting"]

WEEK = 7
LEAST_WEEKS = 2
"""Of sales; with fewer a forecast would be a guess."""


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """Whether more can be sold, and what binds."""

    asked: int
    possible: int
    """Of those asked for, how many could be delivered beside all that wait."""
    most: int
    """No plan can deliver more than this; above `possible` when the search was stopped."""
    binds: tuple[Binding, ...]
    """What would have to give: the waiting orders that go first, what the racks have left
    (power, cooling, ports, VLANs, machines of one client), or the stock of such servers."""
    short: tuple[RuleName, ...]
    """The rules that alone keep servers out, the one that keeps most first."""
    relaxations: tuple[Relaxation, ...]
    """What would admit more servers, as for an order."""


class Runway(msgspec.Struct, frozen=True, kw_only=True):
    """How long stock lasts, in days from the end of the series; None is for ever."""

    per_day: float
    """Sold in an ordinary week, a day."""
    days: float | None
    """At the ordinary rate."""
    earliest_days: float | None
    """At the rate of a good week: three weeks in four sell no more."""
    latest_days: float | None
    """At the rate of a poor week: three weeks in four sell no less."""


def sell_more(
    inventory: Inventory,
    want: ServerWant,
    number: int,
    *,
    waiting: Sequence[WaitingOrder] = (),
    client: str = "",
    vlans: int = 0,
    racks: Sequence[RackRoom] = (),
    seed: int,
    deterministic_limit: float,
) -> WhatIf:
    """Return whether `number` more orders of a want can be delivered, and what binds.

    Orders that wait already keep their priority and go before the new ones. Cost: that of
    `batch.solve`, up to three times when not all can be delivered.
    """

    def possible(ahead: Sequence[WaitingOrder], room: Sequence[RackRoom]) -> tuple[int, int]:
        lowest = min((order.priority for order in ahead), default=0)
        new = [
            WaitingOrder(UUID(int=place), want, lowest - 1, client, vlans)
            for place in range(number)
        ]
        given = [order._replace(order_id=UUID(int=number + n)) for n, order in enumerate(ahead)]
        plan = solve(
            inventory,
            [*given, *new],
            seed=seed,
            deterministic_limit=deterministic_limit,
            racks=room,
        )
        served = sum(order.order_id in plan.assignments for order in new)
        return served, min(number, served + plan.bound - len(plan.assignments))

    served, most = possible(waiting, racks)
    binds: list[Binding] = []
    if served < number:
        alone = possible((), racks)[0] if waiting else served
        unracked = possible((), ())[0] if racks else alone
        if alone > served:
            binds.append("waiting")
        if unracked > alone:
            binds.append("racks")
        if unracked < number:
            binds.append("stock")
    side = Side(racks=tuple(racks), client=client, vlans=vlans)
    told = match(inventory, want, seed=seed, side=side).explanation
    short = sorted(told.rules, key=lambda rule: -rule.eliminated_alone)
    return WhatIf(
        asked=number,
        possible=served,
        most=most,
        binds=tuple(binds),
        short=tuple(rule.rule for rule in short if rule.eliminated_alone),
        relaxations=told.relaxations,
    )


def runway(stock: int, sold: Sequence[int]) -> Runway | None:
    """Return how long the stock lasts; `sold` is net sales of each day, the latest last.

    Whole weeks are added up, so that weekends do no harm, and the median week is the
    ordinary one: a single large order, or a week without any, changes nothing. No trend
    and no season: it says what happens if things stay as they are. None with less than
    two weeks of sales. Source of the rule: the quartiles of statistics.quantiles,
    method "inclusive".
    """
    weeks = [sum(sold[end - WEEK : end]) for end in range(len(sold), WEEK - 1, -WEEK)]
    if len(weeks) < LEAST_WEEKS:
        return None
    poor, _, good = quantiles(weeks, n=4, method="inclusive")
    ordinary = median(weeks)
    return Runway(
        per_day=ordinary / WEEK,
        days=_lasts(stock, ordinary),
        earliest_days=_lasts(stock, good),
        latest_days=_lasts(stock, poor),
    )


def _lasts(stock: int, a_week: float) -> float | None:
    return stock * WEEK / a_week if a_week > 0 else None
