"""What a gesture changed, as partials: their size follows the gesture, never the flow."""

import json
from collections.abc import Collection, Iterable
from uuid import UUID

import htpy as h

from app.components.designer.canvas import edge_path, frames, node_card, note_card
from app.components.designer.guide import guide
from app.components.designer.names import (
    draft_topic,
    draft_url,
    edge_id,
    frame_id,
    node_id,
    note_id,
    outline_id,
)
from app.components.designer.outline import outline_item
from app.flows.drafts.command import Change
from app.flows.drafts.frames import reframed
from app.flows.drafts.ports import lost_ports, type_of
from app.flows.drafts.sheet import Cell, Edge, Sheet, edge_of, port_of, source_of

OLDER = "The draft was changed since: this is of the older revision."
"""What a trial says then; put beside it wherever it is open."""
PACE_MS = 200
"""How often at most others' gestures are fetched: five times a second."""
_UNSEEN = frozenset({"position"})
_HARMLESS = ("position", "comment:", "note:")
"""What changes nothing of how a draft runs."""


def partial(target: str, content: h.Node = None, *, swap: str = "outerHTML") -> h.Element:
    """Return `<hx-partial>`: what htmx puts at `target`, wherever the request came from."""
    return h.hx_partial({"hx-target": target, "hx-swap": swap})[content]


def patch(
    draft: UUID,
    rev: int,
    sheet: Sheet,
    changes: Iterable[Change],
    *,
    select: str = "",
    others: bool = True,
) -> h.Fragment:
    """Return the partials that bring a canvas up to `rev`; applying them twice does no harm.

    What is new is taken away first, where it is there, and then added. `select` names nodes
    or notes to select then, with spaces between; `others` says that the form that is open may show
    something else now.
    """
    cells = {change.cell: change for change in changes}
    moved = _moved(sheet, cells.values())
    parts = [partial("#draft-live", live(draft, rev, moved=moved, select=select, others=others))]
    for node in dict.fromkeys(node for node, field in cells if node and _is_drawn(field)):
        parts += _node(sheet, node, is_new=(node, "") in cells)
    for edge in _edges(sheet, cells):
        parts += _edge(sheet, edge)
    parts += _frames(sheet, cells.values())
    for cell in cells:
        if cell[0] == "" and cell[1].startswith("note:"):
            parts += _note(sheet, cell[1].removeprefix("note:"))
    if ("", "name") in cells:
        parts.append(partial("#flow-name", sheet.document.name, swap="textContent"))
    parts.append(partial("#guide", guide(sheet)))
    if any(not field.startswith(_HARMLESS) for _, field in cells):
        parts.append(partial("#trial-age", OLDER, swap="textContent"))
    return h.fragment[parts]


def live(
    draft: UUID, rev: int, *, moved: str = "", select: str = "", others: bool = False
) -> h.Element:
    """Return the element that fetches others' gestures; it carries the revision that is shown."""
    return h.div(
        "#draft-live.sw-live-region",
        hidden=True,
        data_live=draft_topic(draft),
        data_live_url=draft_url(draft, f"/changes?since={rev}"),
        data_live_every_ms=PACE_MS,
        data_rev=rev,
        data_moved=moved or None,
        data_select=select or None,
        data_others=others,
    )


def _is_drawn(field: str) -> bool:
    return field not in _UNSEEN and not field.startswith("edge:")


def _moved(sheet: Sheet, changes: Iterable[Change]) -> str:
    """Return the places that changed, as JSON: nodes that only moved are not drawn anew."""
    moved = {
        change.cell[0]: change.after
        for change in changes
        if change.cell[1] == "position" and change.after and change.cell[0] in sheet.nodes
    }
    return json.dumps(moved, separators=(",", ":")) if moved else ""


def _node(sheet: Sheet, node: str, *, is_new: bool) -> list[h.Element]:
    card, item = f"#{node_id(node)}", f"#{outline_id(node)}"
    if node in sheet.nodes and not is_new:
        return [partial(card, node_card(sheet, node)), partial(item, outline_item(sheet, node))]
    parts = [partial(card, swap="delete"), partial(item, swap="delete")]
    if node in sheet.nodes:
        parts.append(partial("#nodes", node_card(sheet, node), swap="beforeend"))
        parts.append(partial("#outline-list", outline_item(sheet, node), swap="beforeend"))
    return parts


def _edges(sheet: Sheet, cells: Collection[Cell]) -> list[Edge]:
    """Return the edges that changed, and those whose port may have come or gone."""
    found = [edge_of(cell) for cell in cells if cell[1].startswith("edge:")]
    for node in dict.fromkeys(node for node, field in cells if field.startswith("with.")):
        kind = type_of(sheet, node) if node in sheet.nodes else None
        if kind is not None and kind.ports_of is not None:
            found += [edge for edge in sheet.document.edges if source_of(edge) == node]
    return list(dict.fromkeys(found))


def _edge(sheet: Sheet, edge: Edge) -> list[h.Element]:
    parts = [partial(f"#{edge_id(edge)}", swap="delete")]
    if edge in sheet.document.edges:
        is_broken = port_of(edge) in lost_ports(sheet, source_of(edge))
        # Within <svg>, so that the parser makes an SVG element of it; `strip` unwraps it.
        parts.append(
            partial(
                "#edges", h.svg[edge_path(edge, is_broken=is_broken)], swap="beforeend strip:true"
            )
        )
    return parts


def _frames(sheet: Sheet, changes: Iterable[Change]) -> list[h.Element]:
    moved = reframed(sheet, changes)
    parts = [partial(f"#{frame_id(container)}", swap="delete") for container in sorted(moved)]
    if drawn := frames(sheet, moved):
        parts.append(partial("#frames", h.svg[drawn], swap="beforeend strip:true"))
    return parts


def _note(sheet: Sheet, note: str) -> list[h.Element]:
    parts = [partial(f"#{note_id(note)}", swap="delete")]
    if note in (notes := sheet.notes()):
        parts.append(partial("#notes", note_card(notes[note]), swap="beforeend"))
    return parts
