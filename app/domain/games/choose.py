"""Choose the panel of a new game server by what its nodes have left. Pure."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from app.domain.games.rules import GameLimits, GamePlace
from app.drivers.game.contract import GameRoom


class Seen(msgspec.Struct, frozen=True):
    """A place, and what its panel has left."""

    place: GamePlace
    rooms: tuple[GameRoom, ...]


def fits(place: GamePlace, rooms: Iterable[GameRoom], limits: GameLimits) -> int:
    """Return how many such servers the nodes of a place could take."""
    return sum(
        min(_times(room.free_memory_mb, limits.memory_mb, room.free_ports),
            _times(room.free_disk_mb, limits.disk_mb, room.free_ports))
        for room in rooms
        if room.is_open and (not place.locations or room.location in place.locations)
    )  # fmt: skip


def _times(free: int | None, size: int, ports: int) -> int:
    return ports if free is None else min(free // size, ports)


def choose_panel(
    seen: Sequence[Seen], limits: GameLimits, *, promised: Mapping[str, int]
) -> GamePlace | None:
    """Return the place with room for the most such servers; the earlier one among equals.

    `promised` counts, by connection, what is planned and not made. None when it fits nowhere.
    """
    left = [
        (-(fits(one.place, one.rooms, limits) - promised.get(one.place.connection, 0)), number)
        for number, one in enumerate(seen)
    ]
    if not left or min(left)[0] >= 0:
        return None
    return seen[min(left)[1]].place


def why_nowhere(seen: Iterable[Seen], silent: Mapping[str, str], limits: GameLimits) -> str:
    """Say for staff why no panel will do, a line each; `silent` are errors by connection."""
    lines = []
    for one in seen:
        rooms = [
            room
            for room in one.rooms
            if not one.place.locations or room.location in one.place.locations
        ]
        where = ", ".join(f"{room.node} ({room.free_ports} ports)" for room in rooms)
        lines.append(
            f"{one.place.connection}: no room for {limits.words} on {where}."
            if rooms
            else f"{one.place.connection}: it has no node in {', '.join(one.place.locations)}."
        )
    lines += [f"{name} does not answer: {why}" for name, why in silent.items()]
    return "\n".join(lines)
