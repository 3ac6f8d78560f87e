"""Which rack takes which machines of a contended delivery: racks first, gaps and units later."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

from app.solver.placing import Machine, RackSpace, clients_of, gaps, left, needs
from app.solver.programme import MOST_NUMBERS, Programme

Kind: TypeAlias = tuple[int, tuple[int, ...]]
"""Units, and what it takes of a rack: machines of a kind are alike but for their clients."""


class Quotas(NamedTuple):
    """What racks take together. The gaps of a rack are not told apart: some may not fit."""

    rack: dict[UUID, int]
    """The place of its rack, by machine; those left out are not in it."""
    most: int
    """No plan racks more machines than this, even if clients had no limits."""


def quotas(racks: Sequence[RackSpace], machines: Sequence[Machine]) -> Quotas | None:
    """Return racks for as many of the machines as possible; None for too large a delivery.

    How many of a kind go where is a programme without clients; then machines are dealt out as
    their clients' limits allow. Time: about 1 s for 150 machines and 50 racks that are all short.
    """
    kinds: defaultdict[Kind, list[Machine]] = defaultdict(list)
    for machine in machines:
        kinds[machine.u_height, needs(machine)].append(machine)
    programme, number = Programme(), dict[tuple[Kind, int], int]()
    for place, rack in enumerate(racks):
        for kind, alike in kinds.items():
            if most := min(len(alike), _most(rack, kind)):
                number[kind, place] = programme.number(most)
    if len(number) > MOST_NUMBERS:
        return None
    for kind, alike in kinds.items():
        places = [at for (one, _), at in number.items() if one == kind]
        programme.at_most(places, [1] * len(places), len(alike))
    for place, rack in enumerate(racks):
        _bound_rack(programme, rack, {k: at for (k, one), at in number.items() if one == place})
    _, least = programme.minimise(dict.fromkeys(number.values(), -1))
    taken = {key: programme.values[at] for key, at in number.items()}
    return Quotas(_dealt(racks, kinds, taken), -least)


def _most(rack: RackSpace, kind: Kind) -> int:
    """Return how many of a kind a rack takes that gets no others."""
    height, needed = kind
    most = sum(units // height for units in gaps(rack).values())
    for one, has in zip(needed, left(rack), strict=True):
        if one and has is not None:
            most = min(most, has // one)
    return max(0, most)


def _bound_rack(programme: Programme, rack: RackSpace, number: Mapping[Kind, int]) -> None:
    places = [*number.values()]
    programme.at_most(places, [height for height, _ in number], *gaps(rack).values())
    programme.at_most_of_each(
        places,
        (
            ([needed[resource] for _, needed in number], has)
            for resource, has in enumerate(left(rack))
            if has is not None
        ),
    )


def _dealt(
    racks: Sequence[RackSpace],
    kinds: Mapping[Kind, Sequence[Machine]],
    taken: Mapping[tuple[Kind, int], int],
) -> dict[UUID, int]:
    """Return the place of its rack by machine, those first whose client has most left to place."""
    rest = {kind: [*alike] for kind, alike in kinds.items()}
    waiting = Counter(machine.client for alike in kinds.values() for machine in alike)
    there = [clients_of(rack) for rack in racks]
    dealt: dict[UUID, int] = {}
    for (kind, place), number in taken.items():
        most = racks[place].most_of_client
        for _ in range(number):
            admitted = [
                one
                for one in rest[kind]
                if most is None or not one.client or there[place][one.client] < most
            ]
            if admitted:
                machine = max(admitted, key=lambda one: waiting[one.client])
                rest[kind].remove(machine)
                waiting[machine.client] -= 1
                there[place][machine.client] += 1
                dealt[machine.id] = place
    return dealt
