"""Which rack takes which machines of a contended delivery: racks first, gaps and units later."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

from app.solver.placing import Machine, RackSpace, clients_of, gaps, left, needs
from app.solver.programme import MOST_NUMBERS, Programme

Kind: TypeAlias = tuple[int, tuple[int, ...], str]
"""Units, what it takes of a rack, and its client: machines of a kind are alike."""


class Quotas(NamedTuple):
    """What racks take together. The gaps of a rack are not told apart: some may not fit."""

    rack: dict[UUID, int]
    """The place of its rack, by machine; those left out are not in it."""
    most: int
    """No plan racks more machines than this."""


def quotas(racks: Sequence[RackSpace], machines: Sequence[Machine]) -> Quotas | None:
    """Return racks for as many of the machines as possible; None for too large a delivery.

    Time: about 1 s for 60 machines and 20 racks that are all short of something, 10 s for 150
    and 50.
    """
    kinds: defaultdict[Kind, list[Machine]] = defaultdict(list)
    for machine in machines:
        kinds[machine.u_height, needs(machine), machine.client].append(machine)
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
    rest = {kind: iter(alike) for kind, alike in kinds.items()}
    return Quotas(
        {
            next(rest[kind]).id: place
            for (kind, place), at in number.items()
            for _ in range(programme.values[at])
        },
        -least,
    )


def _most(rack: RackSpace, kind: Kind) -> int:
    """Return how many of a kind a rack takes that gets no others."""
    height, needed, client = kind
    most = sum(units // height for units in gaps(rack).values())
    if client and rack.most_of_client is not None:
        most = min(most, rack.most_of_client - clients_of(rack)[client])
    for one, has in zip(needed, left(rack), strict=True):
        if one and has is not None:
            most = min(most, has // one)
    return max(0, most)


def _bound_rack(programme: Programme, rack: RackSpace, number: Mapping[Kind, int]) -> None:
    places = [*number.values()]
    programme.at_most(places, [height for height, _, _ in number], *gaps(rack).values())
    programme.at_most_of_each(
        places,
        (
            ([needed[resource] for _, needed, _ in number], has)
            for resource, has in enumerate(left(rack))
            if has is not None
        ),
    )
    there = clients_of(rack)
    for client in sorted({client for _, _, client in number} - {""}):
        theirs = [at for (_, _, whose), at in number.items() if whose == client]
        if rack.most_of_client is not None:
            programme.at_most(theirs, [1] * len(theirs), rack.most_of_client - there[client])
