"""The same flow as a list: for the keyboard, and for those who hear the page."""

import htpy as h

from app.components.designer.names import outline_id
from app.flows.drafts.ports import title, type_of
from app.flows.drafts.sheet import Sheet, source_of, target_of
from app.flows.order import in_order


def outline(sheet: Sheet) -> h.Element:
    """Return every node in the order of the flow, each a button that selects it."""
    order = in_order(sheet.document)
    return h.ol("#outline-list.fl-outline-list", aria_label="Nodes in order")[
        [outline_item(sheet, node) for node in order]
    ]


def outline_item(sheet: Sheet, node: str) -> h.Element:
    kind, spec = type_of(sheet, node), sheet.nodes[node]
    leads = [
        f"{edge[0].partition('.')[2]} to {title(sheet, target_of(edge))}"
        for edge in sheet.document.edges
        if source_of(edge) == node
    ]
    return h.li(id=outline_id(node), class_=["fl-outline-item", {"is-inner": bool(spec.within)}])[
        h.button(type="button", data_pick=node)[
            h.span(".fl-outline-name")[title(sheet, node)],
            h.span(".fl-outline-kind")[kind.title if kind else spec.type],
            h.span(".visually-hidden")[f"leads {', '.join(leads)}" if leads else "leads nowhere"],
        ]
    ]
