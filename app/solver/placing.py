"""Where to rack new machines: in which rack, at which unit, one or a whole delivery.

Machines can be stacked in a free gap without holes, so a gap of n units takes any machines
of n units together: units are one more resource of a rack, gap by gap.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

Feeds: TypeAlias = Literal["A", "B", "AB"]
Gap: TypeAlias = tuple[int, int]
"""The place of a rack, and the lowest unit of a gap in it."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine to be racked, or racked already."""

    id: UUID
    u_height: int = 1
    watts: int = 0
    feeds: Feeds = "AB"
    """With both, either feed must carry its whole draw alone."""
    weight_kg: int = 0
    ports: int = 1
    client: str = ""
    """Whose it is; nobody's, and counted by no limit, when empty."""
    can_move: bool = True


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that stands in a rack, from its lowest unit upwards."""

    machine: Machine
    u_position: int


class RackSpace(msgspec.Struct, frozen=True, kw_only=True):
    """A rack with all that it may hold and all that stands there; None is no limit."""

    name: str
    u_height: int = 42
    """Units are numbered from 1, at the bottom."""
    feed_a_watts: int | None = None
    feed_b_watts: int | None = None
    weight_kg: int | None = None
    cooling_watts: int | None = None
    ports: int | None = None
    most_of_client: int | None = None
    """How many machines of one client may stand there."""
    standing: tuple[Standing, ...] = ()
    blocked: tuple[int, ...] = ()
    """Units that hold something else, such as a switch or a blanking panel."""


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """One machine's place."""

    machine: UUID
    rack: str
    u_position: int


def gaps(rack: RackSpace) -> dict[int, int]:
    """Return the free gaps of a rack: how many units, by their lowest unit."""
    taken = set(rack.blocked)
    for one in rack.standing:
        taken.update(range(one.u_position, one.u_position + one.machine.u_height))
    found: dict[int, int] = {}
    start = None
    for unit in range(1, rack.u_height + 1):
        if unit in taken:
            start = None
            continue
        start = unit if start is None else start
        found[start] = found.get(start, 0) + 1
    return found


def needs(machine: Machine) -> tuple[int, ...]:
    """Return what a machine takes of a rack, in the order of `left`."""
    return (
        machine.watts if "A" in machine.feeds else 0,
        machine.watts if "B" in machine.feeds else 0,
        machine.weight_kg,
        machine.watts,
        machine.ports,
    )


def left(rack: RackSpace) -> tuple[int | None, ...]:
    """Return what a rack has left: feed A, feed B, weight, cooling, ports; None is no limit."""
    limits = (
        rack.feed_a_watts,
        rack.feed_b_watts,
        rack.weight_kg,
        rack.cooling_watts,
        rack.ports,
    )
    used = [needs(one.machine) for one in rack.standing]
    return tuple(
        None if limit is None else limit - sum(need[place] for need in used)
        for place, limit in enumerate(limits)
    )


def clients_of(rack: RackSpace) -> Counter[str]:
    """Return how many machines each client has in a rack."""
    return Counter(one.machine.client for one in rack.standing if one.machine.client)


class Shelf:
    """One rack while machines are put into it."""

    def __init__(self, rack: RackSpace) -> None:
        self.rack = rack
        self.gaps = gaps(rack)
        self._left = list(left(rack))
        self._clients = clients_of(rack)

    def admits(self, machine: Machine, *others: Machine) -> bool:
        """Return whether everything but the units is there, for all of the machines at once.

        `others` must be admitted together already.
        """
        most = self.rack.most_of_client
        theirs = sum(one.client == machine.client for one in others)
        is_one_too_many = (
            bool(machine.client)
            and most is not None
            and self._clients[machine.client] + theirs >= most
        )
        taken = [needs(one) for one in others]
        return not is_one_too_many and all(
            has is None or not needed or needed + sum(one[place] for one in taken) <= has
            for place, (needed, has) in enumerate(zip(needs(machine), self._left, strict=True))
        )

    def gap_for(self, machine: Machine) -> int | None:
        """Return the tightest gap that takes the machine, the lowest of equal ones."""
        fitting = [gap for gap, units in self.gaps.items() if units >= machine.u_height]
        return min(fitting, key=lambda gap: (self.gaps[gap], gap), default=None)

    def put(self, machine: Machine, gap: int) -> Placement:
        """Put a machine at the bottom of a gap that takes it."""
        units = self.gaps.pop(gap)
        if units > machine.u_height:
            self.gaps[gap + machine.u_height] = units - machine.u_height
        for place, needed in enumerate(needs(machine)):
            has = self._left[place]
            self._left[place] = None if has is None else has - needed
        self._clients[machine.client] += 1
        return Placement(machine=machine.id, rack=self.rack.name, u_position=gap)


def first_fit(
    racks: Sequence[RackSpace],
    machines: Sequence[Machine],
    within: Mapping[UUID, int] = MappingProxyType({}),
) -> dict[UUID, tuple[Gap, Placement]]:
    """Return places by first fit, the tallest and then the hungriest first.

    `within` names racks by their place for machines that are put there before all others, if they
    fit. Beside each place the gap of the racks as they were given. O(machines × racks × gaps).
    """
    shelves = [Shelf(rack) for rack in racks]
    found: dict[UUID, tuple[Gap, Placement]] = {}
    order = sorted(machines, key=lambda one: (-one.u_height, -one.watts, one.id))
    tries = [(one, [within[one.id]]) for one in order if one.id in within]
    for machine, places in [*tries, *((one, range(len(racks))) for one in order)]:
        gap = None if machine.id in found else next(_fitting(shelves, machine, places), None)
        if gap is not None:
            rack, at = gap
            placement = shelves[rack].put(machine, at)
            start = max(one for one in gaps(racks[rack]) if one <= at)
            found[machine.id] = ((rack, start), placement)
    return found


def _fitting(shelves: Sequence[Shelf], machine: Machine, places: Iterable[int]) -> Iterator[Gap]:
    for place in places:
        shelf = shelves[place]
        gap = shelf.gap_for(machine) if shelf.admits(machine) else None
        if gap is not None:
            yield place, gap


def stacked(
    racks: Sequence[RackSpace], machines: Sequence[Machine], chosen: Mapping[UUID, Gap]
) -> tuple[Placement, ...]:
    """Return units for machines whose gaps are chosen: from the bottom, the tallest first."""
    free: dict[Gap, int] = {}
    placed = []
    for machine in sorted(machines, key=lambda one: (-one.u_height, one.id)):
        if machine.id in chosen:
            rack, start = chosen[machine.id]
            unit = free.get((rack, start), start)
            free[rack, start] = unit + machine.u_height
            placed.append(Placement(machine=machine.id, rack=racks[rack].name, u_position=unit))
    return tuple(placed)
