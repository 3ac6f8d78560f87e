"""How many orders the racks could admit at most: a maximum flow through pools and racks."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ortools.graph.python import max_flow

from app.solver.inventory import Inventory
from app.solver.ledger import Asker
from app.solver.pools import Problem
from app.solver.room import Room, admitted, takes


class Capacities(NamedTuple):
    """What the racks could take of a problem's pools."""

    members: Counter[tuple[int, int]]
    """Machines of a pool in a rack, by (pool, rack)."""
    of_rack: dict[int, int]
    """Machines that a rack admits at most, whichever they are."""


def capacities(
    inventory: Inventory, room: Room, problem: Problem, askers: Sequence[Asker]
) -> Capacities:
    """Return how many machines each rack admits if the most modest ones are chosen there.

    Each resource is looked at alone. `problem` must hold every server that some order may get.
    """
    modest = min(askers, key=lambda asker: asker[1], default=("", 0))
    members = Counter(
        (number, int(rack))
        for number, pool in enumerate(problem.pools)
        for rack in room.rack[list(pool)]
    )
    rows = [row for pool in problem.pools for row in pool]
    most = admitted(room, room.rack[rows], takes(inventory, modest[1])[rows])
    return Capacities(members, {rack: int(most[rack]) for _, rack in members})


def most_in_racks(problem: Problem, level: int, room: Capacities) -> int:
    """Return a number of orders of at least this priority that no plan can exceed."""
    groups, pools = len(problem.groups), len(problem.pools)
    racks = {rack: groups + pools + place for place, rack in enumerate(room.of_rack)}
    source, sink = groups + pools + len(racks), groups + pools + len(racks) + 1
    asked = [len(group.orders) for group in problem.groups]
    arcs = [
        (arc.group, groups + arc.pool, asked[arc.group])
        for arc in problem.arcs
        if problem.groups[arc.group].priority >= level
    ]
    arcs += [(source, group, number) for group, number in enumerate(asked)]
    arcs += [(groups + pool, racks[rack], number) for (pool, rack), number in room.members.items()]
    arcs += [(racks[rack], sink, number) for rack, number in room.of_rack.items()]
    network = max_flow.SimpleMaxFlow()
    table = np.array(arcs, dtype=np.int64).reshape(-1, 3)
    network.add_arcs_with_capacity(*table.T)
    network.solve(source, sink)
    return int(network.optimal_flow())
