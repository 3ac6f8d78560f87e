"""Commands: one gesture of one designer, made into the cells that it changes."""

from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

import msgspec

from app.flows.document import NodeSpec
from app.flows.drafts.errors import BadGesture, Dangling
from app.flows.drafts.kinds import (
    add_node,
    add_note,
    comment,
    connect,
    delete,
    disconnect,
    duplicate,
    edit_note,
    fill_call,
    layout,
    move,
    paste,
    reconnect,
    rename,
    set_flow,
    set_param,
    set_pin,
    set_policy,
    set_within,
    shape_param,
    uncomment,
)
from app.flows.drafts.sheet import Cell, Cells, Sheet, plain, read, source_of, target_of, write


class Command(msgspec.Struct, frozen=True):
    """What a browser sends. `id` makes sending it twice the same as once."""

    id: UUID
    kind: str
    payload: dict[str, Any] = {}
    base_rev: int = 0


class Stamp(msgspec.Struct, frozen=True):
    """Who gives a command, when (ISO 8601) and the seed of ids that it makes."""

    by: str
    at: str
    seed: str


class Change(msgspec.Struct, frozen=True, array_like=True):
    """One cell, before and after."""

    cell: Cell
    before: Any
    after: Any


class Kind(Protocol):
    """A module of `kinds/`: what a gesture is called, what it carries, and what it changes."""

    TITLE: str
    Payload: type[Any]
    plan: Callable[[Sheet, Any, Any], Cells]


_MODULES: tuple[Any, ...] = (
    add_node, add_note, comment, connect, delete, disconnect, duplicate, edit_note, fill_call,
    layout, move, paste, reconnect, rename, set_flow, set_param, set_pin, set_policy, set_within,
    shape_param, uncomment,
)  # fmt: skip
KINDS: dict[str, Kind] = {module.__name__.rpartition(".")[2]: module for module in _MODULES}
TITLES = {name: kind.TITLE for name, kind in KINDS.items()}


def plan(sheet: Sheet, command: Command, stamp: Stamp) -> tuple[Change, ...]:
    """Return what `command` changes on `sheet`; cells that stay as they are are left out.

    Raises a `Refusal` when it cannot be done as things stand. Pure. O(nodes + edges) at most.
    """
    kind = KINDS.get(command.kind)
    if kind is None:
        raise BadGesture(f"There is no gesture {command.kind}; reload the page.")
    try:
        payload = msgspec.convert(command.payload, kind.Payload)
    except msgspec.ValidationError as error:
        raise BadGesture(f"The gesture {command.kind} is incomplete: {error}") from error
    return changes_of(sheet, kind.plan(sheet, payload, stamp))


def changes_of(sheet: Sheet, cells: Cells) -> tuple[Change, ...]:
    """Return the cells whose value differs from what `sheet` holds."""
    found = (
        Change(cell, read(sheet, cell), _settled(cell, value)) for cell, value in cells.items()
    )
    return tuple(change for change in found if change.before != change.after)


def _settled(cell: Cell, value: Any) -> Any:
    """Return a whole node as it will be read back, without its defaults."""
    if cell[1] != "" or value is None:
        return value
    return value | {"spec": plain(msgspec.convert(value["spec"], NodeSpec))}


def apply(sheet: Sheet, changes: tuple[Change, ...]) -> Sheet:
    """Return the sheet after `changes`; nothing may be left hanging (`Dangling`)."""
    after = write(sheet, {change.cell: change.after for change in changes})
    require_whole(after)
    return after


def inverse(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return the changes that take `changes` back."""
    return tuple(Change(change.cell, change.after, change.before) for change in changes)


def overlaps(one: Cell, other: Cell) -> bool:
    """Say whether two cells hold something in common: a whole node holds all of its fields."""
    return one == other or (one[0] == other[0] != "" and "" in (one[1], other[1]))


def require_whole(sheet: Sheet) -> None:
    """Raise `Dangling` for an edge or a place in a container whose node is not there."""
    nodes = sheet.nodes
    for edge in sheet.document.edges:
        for end in (source_of(edge), target_of(edge)):
            if end not in nodes:
                raise Dangling(end, f"The edge {edge[0]} → {edge[1]}")
    for name, spec in nodes.items():
        if spec.within is not None and spec.within not in nodes:
            raise Dangling(spec.within, f"{spec.name or name}, which stands in it,")
