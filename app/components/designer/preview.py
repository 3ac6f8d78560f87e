"""A flow as a small picture: for the gallery, where nothing is edited."""

import htpy as h

from app.components.designer.canvas import tone_of
from app.flows.document import Document
from app.flows.drafts.arrange import placed
from app.flows.drafts.place import NODE_WIDTH
from app.flows.drafts.sheet import Sheet, port_of, source_of, target_of

MARGIN = 30
HEIGHT = 64
LONGEST_NAME = 16


def preview(document: Document) -> h.Element:
    """Return an SVG of the nodes and edges where `ui` has them, or else arranged."""
    sheet = Sheet(placed(document))
    places = {node: sheet.position(node) or (0, 0) for node in sheet.nodes}
    if not places:
        return h.svg(".fl-preview", viewBox="0 0 320 140", aria_hidden="true")[
            h.rect(".fl-preview-blank", x=60, y=38, width=200, height=64, rx=10)
        ]
    left, top = min(x for x, _ in places.values()), min(y for _, y in places.values())
    right = max(x for x, _ in places.values()) + NODE_WIDTH
    bottom = max(y for _, y in places.values()) + HEIGHT
    box = f"{left - MARGIN} {top - MARGIN} {right - left + 2 * MARGIN} {bottom - top + 2 * MARGIN}"
    return h.svg(".fl-preview", viewBox=box, aria_hidden="true")[
        [
            _edge(places[source_of(edge)], places[target_of(edge)], wrong=port_of(edge) == "error")
            for edge in document.edges
            if source_of(edge) in places and target_of(edge) in places
        ],
        [_node(places[node], spec.name or node, spec.type) for node, spec in sheet.nodes.items()],
    ]


def _edge(start: tuple[int, int], end: tuple[int, int], *, wrong: bool) -> h.Element:
    x1, y1, x2, y2 = start[0] + NODE_WIDTH, start[1] + HEIGHT / 2, end[0], end[1] + HEIGHT / 2
    bend = max(40, abs(x2 - x1) / 2)
    course = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    return h.path(class_=["fl-preview-edge", {"is-error": wrong}], d=course)


def _node(place: tuple[int, int], name: str, type_: str) -> h.Element:
    x, y = place
    return h.g(class_=tone_of(type_))[
        h.rect(".fl-preview-node", x=x, y=y, width=NODE_WIDTH, height=HEIGHT, rx=10),
        h.rect(".fl-preview-mark", x=x + 12, y=y + 18, width=28, height=28, rx=7),
        h.text(".fl-preview-name", x=x + 50, y=y + 38)[
            name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
        ],
    ]
