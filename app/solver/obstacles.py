"""Why a machine cannot stand at one given place: every rule of racking that refuses it."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from app.solver.placing import Machine, RackSpace, clients_of, left, needs

Refuses: TypeAlias = Literal[
    "height", "units", "feed_a", "feed_b", "weight", "cooling", "ports", "client"
]
_RESOURCES: tuple[tuple[Refuses, str, str], ...] = (
    ("feed_a", "Feed A", " W"),
    ("feed_b", "Feed B", " W"),
    ("weight", "Weight", " kg"),
    ("cooling", "Power and cooling of the whole rack", " W"),
    ("ports", "Switch ports", ""),
)
"""In the order of `needs`."""


class Obstacle(msgspec.Struct, frozen=True):
    """A rule that refuses the place, and what is missing in words."""

    rule: Refuses
    text: str


def obstacles(
    rack: RackSpace, machine: Machine, u_position: int, *, taken: Mapping[int, str]
) -> tuple[Obstacle, ...]:
    """Return all that keeps the machine from standing at `u_position`, its lowest unit.

    `rack` is as it is without the machine; `taken` says who stands in which unit on the sides
    that it would fill. Empty exactly when the units are free and `Shelf.admits` says so.
    """
    found = []
    top = u_position + machine.u_height - 1
    if u_position < 1 or top > rack.u_height:
        words = f"Units {u_position} to {top} are not all in a rack of {rack.u_height}."
        found.append(Obstacle("height", words))
    standing = dict.fromkeys(taken[unit] for unit in range(u_position, top + 1) if unit in taken)
    found += [Obstacle("units", f"{name} stands there.") for name in standing]
    for (rule, name, unit), needed, has in zip(_RESOURCES, needs(machine), left(rack), strict=True):
        if has is not None and needed > 0 and needed > has:
            words = f"{name}: {max(has, 0):,}{unit} left, the machine needs {needed:,}."
            found.append(Obstacle(rule, words))
    most, there = rack.most_of_client, clients_of(rack)[machine.client]
    if machine.client and most is not None and there >= most:
        words = f"Machines of its client: {there} there already, at most {most} may be."
        found.append(Obstacle("client", words))
    return tuple(found)
