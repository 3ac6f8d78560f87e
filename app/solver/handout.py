"""Servers handed out order by order, as long as racks have room: where the search begins."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.solver.inventory import Inventory
from app.solver.ledger import Asker, Ledger
from app.solver.pools import COSTS, Group, Rows
from app.solver.room import Room
from app.solver.want import ServerWant


@dataclass(frozen=True, slots=True)
class Batch:
    """What stays the same while a plan is made."""

    inventory: Inventory
    groups: Sequence[Group]
    """One for each order."""
    askers: Sequence[Asker]
    room: Room
    caps: Mapping[str, int]
    rows: Mapping[ServerWant, Rows]
    """The eligible rows of each want, the best first."""
    pool: Sequence[int]
    """For each row its pool; -1 for one that serves nobody."""
    costs: Mapping[ServerWant, Mapping[int, tuple[int, ...]]]
    """What a server of each pool costs that serves the want."""

    def ledger(self) -> Ledger:
        return Ledger(self.inventory, self.room, self.askers, self.caps)

    def worth(self, taken: Mapping[int, int]) -> tuple[int, ...]:
        """Return how good a plan is, less is better: orders placed by priority, then costs."""
        groups = [self.groups[place] for place in taken]
        levels = sorted({group.priority for group in self.groups}, reverse=True)
        costs = [
            self.costs[self.groups[place].want][self.pool[row]] for place, row in taken.items()
        ]
        return (
            *(-sum(group.priority >= level for group in groups) for level in levels),
            *(sum(cost[tier] for cost in costs) for tier in range(len(COSTS))),
        )

    def shared(self, taken: Mapping[int, int]) -> int:
        """Return how many machines share a rack with another of their client, and should not."""
        racks = Counter(
            (int(self.room.rack[row]), self.askers[place][0])
            for place, row in taken.items()
            if self.is_spread(place) and self.room.rack[row] >= 0
        )
        return sum(
            number - (not self.room.racks[rack].clients.get(client, 0))
            for (rack, client), number in racks.items()
        )

    def is_spread(self, place: int) -> bool:
        """Return whether an order asks to share no rack with others of its client."""
        return self.groups[place].want.spread_racks and bool(self.askers[place][0])


def hand_out(batch: Batch, pools: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Give each order a server of its pool, then the others the best that is left and fits.

    Both by priority and then by age. An order that asks to be spread gets, of the servers
    that would do, one in a rack where its client has the fewest. Returns rows by order.
    """
    handout = _Handout(batch)
    turn = sorted(range(len(batch.groups)), key=lambda place: -batch.groups[place].priority)
    for place in turn:
        handout.serve(place, pools.get(place, ()))
    handout.exchange(pools)
    offered: dict[tuple[ServerWant, int], list[int]] = {}
    for place in turn:
        if place not in handout.taken:
            want, asker = batch.groups[place].want, batch.askers[place]
            rows = offered.get((want, asker[1]), batch.rows[want].tolist())
            offered[want, asker[1]] = [row for row in rows if not handout.is_gone(row, asker)]
            handout.serve(place, offered[want, asker[1]])
    return handout.taken


class _Handout:
    def __init__(self, batch: Batch) -> None:
        self.taken: dict[int, int] = {}
        self._batch = batch
        self._ledger = batch.ledger()
        self._used: set[int] = set()
        self._full: set[tuple[int, tuple[int, ...]]] = set()

    def is_gone(self, row: int, asker: Asker) -> bool:
        """Return whether a server is sold or known not to fit; what racks have left only falls."""
        return row in self._used or (self._ledger.rack[row], self._ledger.takes(row, asker)) in (
            self._full
        )

    def serve(self, place: int, rows: Sequence[int]) -> None:
        """Give an order the first of these that fits, or where its client has the fewest."""
        ledger, asker = self._ledger, self._batch.askers[place]
        is_spread = self._batch.is_spread(place)
        chosen, fewest = -1, len(self._batch.inventory.ids) + 1
        for row in rows:
            if self.is_gone(row, asker):
                continue
            rack = ledger.rack[row]
            there = ledger.there[rack][asker[0]] if is_spread and rack >= 0 else 0
            if there >= fewest or not ledger.welcomes(rack, asker[0]):
                continue
            if not ledger.has_room(row, asker):
                self._full.add((rack, ledger.takes(row, asker)))
                continue
            chosen, fewest = row, there
            if not there:
                break
        if chosen >= 0:
            ledger.take(chosen, asker)
            self.taken[place] = chosen
            self._used.add(chosen)

    def exchange(self, pools: Mapping[int, Sequence[int]]) -> None:
        """Have orders that share a rack, and need not, change servers with others.

        With those of their pool, whose servers are worth the same to all of its orders, and with
        those that want the same: nothing is lost, and what racks have left stays as it is.
        """
        for kind_of in (
            lambda place: id(pools[place]),
            lambda place: self._batch.groups[place][:2],
        ):
            others: defaultdict[tuple[object, int], list[int]] = defaultdict(list)
            for place in self.taken:
                others[kind_of(place), self._batch.askers[place][1]].append(place)
            for alike in others.values():
                for place in alike:
                    if self._batch.is_spread(place) and self._company(place, self.taken[place]):
                        self._exchange(place, alike)

    def _exchange(self, place: int, others: Sequence[int]) -> None:
        for other in others:
            if self._is_better(place, other):
                self._swap(place, other)
                return

    def _is_better(self, place: int, other: int) -> bool:
        """Return whether each of two orders is alone in the other's rack."""
        return not self._company(place, self.taken[other]) and not self._company(
            other, self.taken[place]
        )

    def _company(self, place: int, row: int) -> int:
        """Return how many other machines of its client an order has in a server's rack."""
        rack, client = self._ledger.rack[row], self._batch.askers[place][0]
        if rack < 0 or not client:
            return 0
        return self._ledger.there[rack][client] - (self._ledger.rack[self.taken[place]] == rack)

    def _swap(self, place: int, other: int) -> None:
        mine, theirs = self.taken[place], self.taken[other]
        for order, leaves, goes in ((place, mine, theirs), (other, theirs, mine)):
            client = self._batch.askers[order][0]
            self._ledger.there[self._ledger.rack[leaves]][client] -= 1
            self._ledger.there[self._ledger.rack[goes]][client] += 1
            self.taken[order] = goes
