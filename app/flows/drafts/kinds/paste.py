"""Paste nodes and notes from JSON: a selection that was copied, here or in another window."""

import re
from typing import Any

import msgspec

from app.flows.document import NodeSpec
from app.flows.drafts.errors import BadGesture
from app.flows.drafts.place import GRID, new_id, snapped
from app.flows.drafts.sheet import (
    Cells,
    Edge,
    Sheet,
    edge_cell,
    plain,
    port_of,
    source_of,
    target_of,
)

TITLE = "Paste"
MOST = 1_000
_REFERENCE = re.compile(r"\bsteps\.([A-Za-z_][A-Za-z0-9_]*)")


class Scrap(msgspec.Struct, frozen=True):
    """A part of a document, or a whole one: fields that a scrap has no use for are passed over."""

    nodes: dict[str, NodeSpec]
    edges: tuple[Edge, ...] = ()
    ui: dict[str, Any] = {}


class Payload(msgspec.Struct, frozen=True):
    text: str
    x: float | None = None
    y: float | None = None


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:
    try:
        scrap = msgspec.json.decode(payload.text, type=Scrap)
    except msgspec.DecodeError as error:
        raise BadGesture(f"What was pasted is no part of a flow: {error}") from error
    notes = [note for note in scrap.ui.get("notes", ()) if isinstance(note, dict)]
    if not scrap.nodes and not notes:
        raise BadGesture("There is nothing in what was pasted.")
    if len(scrap.nodes) + len(notes) > MOST:
        raise BadGesture(f"That is more than {MOST} nodes; import it as a flow instead.")
    return put(sheet, scrap, notes, stamp, at=(payload.x, payload.y))


def put(
    sheet: Sheet,
    scrap: Scrap,
    notes: list[dict[str, Any]],
    stamp: Any,
    *,
    at: tuple[float | None, float | None] = (None, None),
) -> Cells:
    """Return the cells of a scrap's nodes under ids that are free, at `at` or a little aside."""
    names: dict[str, str] = {}
    for node in scrap.nodes:
        names[node] = new_id(node, {*sheet.nodes, *names.values()})
    places = {node: _place(scrap.ui.get(node)) for node in scrap.nodes}
    tops = [*places.values(), *(_place(note) for note in notes)]
    left, top = min(x for x, _ in tops), min(y for _, y in tops)
    shift_x = 2 * GRID if at[0] is None else snapped(at[0]) - left
    shift_y = 2 * GRID if at[1] is None else snapped(at[1]) - top
    cells: dict[tuple[str, str], Any] = {}
    for node, spec in scrap.nodes.items():
        x, y = places[node]
        cells[names[node], ""] = {
            "spec": plain(_renamed(sheet, spec, names)),
            "ui": {"x": x + shift_x, "y": y + shift_y},
        }
    for edge in scrap.edges:
        source, target = names.get(source_of(edge)), names.get(target_of(edge))
        if source is not None and target is not None:
            cells[edge_cell((f"{source}.{port_of(edge)}", f"{target}.in"))] = True
    for number, note in enumerate(notes):
        x, y = _place(note)
        kept = {key: note[key] for key in ("text", "w", "h", "tone") if key in note}
        cells["", f"note:{stamp.seed}{number}"] = kept | {"x": x + shift_x, "y": y + shift_y}
    return cells


def _renamed(sheet: Sheet, spec: NodeSpec, names: dict[str, str]) -> NodeSpec:
    """Return the node as it stands among its pasted companions."""
    within = names.get(spec.within or "", spec.within)
    if within not in (*names.values(), *sheet.nodes):
        within = None
    compensate = names.get(spec.compensate or "", spec.compensate)
    return msgspec.structs.replace(
        spec, within=within, compensate=compensate, params=_pointed(spec.params, names)
    )


def _pointed(value: Any, names: dict[str, str]) -> Any:
    """Return parameters whose references follow the nodes that were pasted with them."""
    if isinstance(value, dict):
        return {key: _pointed(part, names) for key, part in value.items()}
    if isinstance(value, list):
        return [_pointed(part, names) for part in value]
    if not isinstance(value, str) or "steps." not in value:
        return value
    return _REFERENCE.sub(lambda found: f"steps.{names.get(found[1], found[1])}", value)


def _place(ui: Any) -> tuple[int, int]:
    if not isinstance(ui, dict):
        return 0, 0
    x, y = ui.get("x", 0), ui.get("y", 0)
    fits = isinstance(x, int | float) and isinstance(y, int | float)
    return (round(x), round(y)) if fits else (0, 0)
