"""Fill gap after gap as tightly as machines allow: what first fit leaves, a search may fill.

Source: Gupta and Ho, A new heuristic algorithm for the one-dimensional bin-packing problem,
1999 (minimum bin slack, the tallest machine left fixed), with the other limits of a rack.
"""

import random
from collections.abc import Sequence
from uuid import UUID

from app.solver.placing import Gap, Machine, RackSpace, Shelf

ROUNDS = 100
WORK = 500_000
"""Rounds are fewer the more machines and racks there are: this many pairs of them."""
NOISE = 0.05
STEPS = 12
"""By how much heights are changed: `NOISE` in the second round, up to `STEPS` times that."""
MOST_LOOKS = 1_000
"""Machines tried for one gap; the best filling so far stands."""


def fullest(
    racks: Sequence[RackSpace], machines: Sequence[Machine], *, seed: int
) -> dict[UUID, Gap]:
    """Return a gap for each machine that finds one: the best of some rounds.

    The first round takes machines by height, each later one by heights that chance
    changed, by `seed`. At most `MOST_LOOKS` tries a gap and a round.
    """
    rng = random.Random(seed)  # noqa: S311 - varies the order of a search, guards nothing
    order = sorted(machines, key=lambda one: (-one.u_height, -one.watts, one.id))
    best: dict[UUID, Gap] = {}
    for number in range(min(ROUNDS, 1 + WORK // (1 + len(machines) * len(racks)))):
        chosen = _filled(racks, order)
        best = max(best, chosen, key=len)
        if len(best) == len(machines):
            break
        noise = NOISE * (1 + number % STEPS)
        order.sort(key=lambda one: -one.u_height * (1 + noise * rng.random()))
    return best


def _filled(racks: Sequence[RackSpace], order: Sequence[Machine]) -> dict[UUID, Gap]:
    rest = order
    chosen: dict[UUID, Gap] = {}
    for place, rack in enumerate(racks):
        shelf = Shelf(rack)
        for start, units in sorted(shelf.gaps.items()):
            at = start
            for machine in _filling(shelf, rest, units):
                shelf.put(machine, at)
                at += machine.u_height
                chosen[machine.id] = (place, start)
            rest = [machine for machine in rest if machine.id not in chosen]
    return chosen


def _filling(shelf: Shelf, rest: Sequence[Machine], units: int) -> list[Machine]:
    """Return the machines that leave the fewest units free, the tallest that fits among them."""
    best: list[Machine] = []
    left, looks = units, MOST_LOOKS

    def search(chosen: list[Machine], start: int, room: int) -> None:
        nonlocal best, left, looks
        if room < left:
            best, left = chosen, room
        tried = set()
        for place in range(start, len(rest)):
            machine = rest[place]
            alike = (machine.u_height, machine.watts, machine.feeds, machine.client)
            if not left or looks <= 0 or (place > start and not chosen and best):
                return
            if machine.u_height > room or alike in tried:
                continue
            tried.add(alike)
            looks -= 1
            if shelf.admits(machine, *chosen):
                search([*chosen, machine], place + 1, room - machine.u_height)

    search([], 0, units)
    return best
