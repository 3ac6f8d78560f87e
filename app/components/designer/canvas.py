"""What stands on the canvas: nodes, edges and notes, each an element that a patch can replace.

Places are data: the policy forbids `style` in markup, so our js moves the elements there and
draws the edges (`static/js/designer/draw.js`).
"""

from collections.abc import Collection
from typing import Any

import htpy as h

from app.components.designer.names import edge_id, frame_id, node_id, note_id
from app.components.designer.slot import saved_by
from app.components.icon import IconName, icon
from app.flows.drafts.frames import FRAME_HEAD, Frame, frames_of
from app.flows.drafts.place import height_of
from app.flows.drafts.ports import lost_ports, ports_of, title, type_of
from app.flows.drafts.sheet import Edge, Sheet, port_of, source_of, target_of
from app.flows.node import NodeType

_SYMBOLS: dict[str, IconName] = {
    "trigger": "zap", "logic": "workflow", "wait": "hourglass", "data": "sliders-horizontal",
    "http": "globe", "dns": "network", "server": "server", "action": "play",
}  # fmt: skip


def symbol_of(type_: str) -> IconName:
    return _SYMBOLS.get(type_.partition(".")[0], "box")


def tone_of(type_: str) -> str:
    """Return the colour of a node's kind: what starts a flow, what steers it, what does things."""
    family = type_.partition(".")[0]
    return {"trigger": "tone-success", "logic": "tone-info", "data": "tone-warning"}.get(
        family, "tone-accent"
    )


def node_card(
    sheet: Sheet, node: str, *, is_ghost: bool = False, is_fixed: bool = False
) -> h.Element:
    """Return a node; a ghost shows one that is gone, and cannot be touched. About 0.1 ms.

    One that is fixed can be looked at and selected, and nothing else.
    """
    spec, kind = sheet.nodes[node], type_of(sheet, node)
    name, ports, lost = title(sheet, node), ports_of(sheet, node), lost_ports(sheet, node)
    x, y = sheet.position(node) or (0, 0)
    is_start = kind is not None and kind.trigger is not None
    return h.div(
        id=None if is_ghost else node_id(node),
        class_=f"fl-node {tone_of(spec.type)}",
        inert=is_ghost,
        role="group",
        tabindex="-1",
        aria_roledescription="node",
        aria_label=f"{name}: {kind.title if kind else spec.type}",
        data_node=None if is_ghost else node,
        data_x=x,
        data_y=y,
        data_h=height_of(len(ports) + len(lost)),
        data_ports="\n".join((*ports, *lost)),
        data_within=spec.within,
        data_start=is_start,
    )[
        h.div(".fl-head")[
            h.span(".fl-symbol")[icon(symbol_of(spec.type))],
            h.span(".fl-name")[
                h.span(".fl-title")[name], h.span(".fl-type")[_kind_words(kind, spec.type)]
            ],
            h.span(".fl-marks")[_marks(sheet, node)],
        ],
        None if is_start else h.span(".fl-in", data_in=True),
        [_fixed_port(port) if is_fixed else _port(port, name) for port in ports],
        [_lost_port(port) for port in lost],
    ]


def _kind_words(kind: NodeType | None, type_: str) -> str:
    return kind.title if kind else f"{type_} is not installed"


def _marks(sheet: Sheet, node: str) -> h.Node:
    comments = len(sheet.comments(node))
    return [
        h.span(".fl-mark", title="Sample data is pinned")[icon("map-pin", label="Pinned")]
        if node in sheet.pins
        else None,
        h.span(".fl-mark", title=f"{comments} comments")[
            icon("message-square", label=f"{comments} comments")
        ]
        if comments
        else None,
    ]


def _port(port: str, name: str) -> h.Element:
    words = port.removeprefix("case:")
    return h.button(
        {"data-port": port, "aria-label": f"Connect {name}, port {words}"},
        type="button",
        tabindex="-1",
        class_="fl-port is-error" if port == "error" else "fl-port",
    )[words]


def _fixed_port(port: str) -> h.Element:
    return h.span(class_=["fl-port", {"is-error": port == "error"}])[port.removeprefix("case:")]


def _lost_port(port: str) -> h.Element:
    words = port.removeprefix("case:")
    return h.span(".fl-port.is-lost", title=f"There is no port {words} any more")[
        h.span(".visually-hidden")["No port any more: "], words
    ]


def edge_path(edge: Edge, *, is_broken: bool = False) -> h.Element:
    """Return an edge; our js gives it its course. A broken one leaves by no port any more."""
    port = port_of(edge)
    return h.path(
        {"data-from": source_of(edge), "data-port": port, "data-to": target_of(edge)},
        id=edge_id(edge),
        class_=["fl-edge", {"is-error": port == "error", "is-broken": is_broken}],
    )


def _edges(sheet: Sheet) -> list[h.Element]:
    lost = {node: lost_ports(sheet, node) for node in sheet.nodes}
    return [
        edge_path(edge, is_broken=port_of(edge) in lost.get(source_of(edge), ()))
        for edge in sheet.document.edges
    ]


def frames(sheet: Sheet, among: Collection[str] | None = None) -> list[h.Element]:
    """Return the frames around what stands in containers: in all of them, or in those `among`."""
    return [_frame(sheet, frame) for frame in frames_of(sheet, among)]


def _frame(sheet: Sheet, frame: Frame) -> h.Element:
    return h.g(".fl-frame", id=frame_id(frame.container))[
        h.rect(x=frame.x, y=frame.y, width=frame.width, height=frame.height, rx=14),
        h.text(x=frame.x + 14, y=frame.y + FRAME_HEAD)[title(sheet, frame.container)],
    ]


def note_card(note: dict[str, Any], *, is_fixed: bool = False) -> h.Element:
    """Return a sticky note; its words are edited in place, unless it is fixed."""
    tone = note.get("tone", "warning")
    return h.div(
        id=note_id(note["id"]),
        class_=f"fl-note tone-{tone}",
        role="group",
        tabindex="-1",
        aria_roledescription="sticky note",
        aria_label=f"Note: {note.get('text', '')[:60] or 'empty'}",
        data_note=note["id"],
        data_x=note.get("x", 0),
        data_y=note.get("y", 0),
    )[
        h.div(".fl-note-text")[note.get("text", "")]
        if is_fixed
        else h.textarea(
            ".fl-note-text",
            saved_by("edit_note", "text", note=note["id"]),
            aria_label="Note",
            rows=3,
            placeholder="Write a note…",
            tabindex="-1",
        )[note.get("text", "")]
    ]


DRAWING = (
    "Flow. Arrow keys go along edges, slash adds a node, C connects, question mark lists all keys."
)


def canvas(sheet: Sheet, *, label: str = DRAWING, is_fixed: bool = False) -> h.Element:
    """Return the whole drawing, in one element that takes the focus."""
    return h.div(
        "#canvas.fl-canvas",
        tabindex="0",
        role="application",
        aria_roledescription="flow canvas",
        aria_label=label,
    )[
        h.div("#world.fl-world")[
            h.div("#paper.fl-paper")[
                h.svg(".fl-edges", aria_hidden="true")[
                    h.g("#frames")[frames(sheet)],
                    h.g("#edges")[_edges(sheet)],
                    h.path("#wish.fl-wish"),
                    h.path("#band.fl-band"),
                ],
                h.div("#notes")[
                    [note_card(note, is_fixed=is_fixed) for note in sheet.notes().values()]
                ],
                h.div("#ghosts"),
                h.div("#nodes")[
                    [node_card(sheet, node, is_fixed=is_fixed) for node in sheet.nodes]
                ],
            ]
        ],
        h.svg("#minimap.fl-minimap", aria_hidden="true")[
            h.path("#minimap-nodes"), h.path("#minimap-view")
        ],
    ]
