"""Edges that leave by a port which their node has no more, each with a way to mend it."""

import htpy as h

from app.components.designer.slot import as_json
from app.components.icon import icon
from app.flows.drafts.ports import lost_ports, ports_of, title
from app.flows.drafts.sheet import Edge, Sheet, port_of, source_of, target_of


def broken_edges(sheet: Sheet, node: str) -> h.Node:
    """Return the edges whose port is gone, each with a port to lead it from instead."""
    lost = lost_ports(sheet, node)
    if not lost:
        return None
    broken = [edge for edge in sheet.document.edges if source_of(edge) == node]
    broken = [edge for edge in broken if port_of(edge) in lost]
    return h.section(".fl-broken", aria_label="Edges without a port")[
        h.h3[icon("triangle-alert"), "Edges without a port"],
        [_mend(sheet, node, edge, number) for number, edge in enumerate(broken)],
    ]


def _mend(sheet: Sheet, node: str, edge: Edge, number: int) -> h.Element:
    target, key = target_of(edge), f"mend-{number}"
    whither = {"edge": edge, "node": node, "to": target}
    return h.div(".fl-field")[
        h.label(".sw-label", for_=key)[f"{port_of(edge)} → {title(sheet, target)}"],
        h.div(".fl-row-line")[
            h.select(
                id=key, class_="form-select", data_set="reconnect", data_key="port",
                data_with=as_json(whither),
            )[
                h.option(value="")["Lead from…"],
                [h.option(value=port)[port] for port in ports_of(sheet, node)],
            ],
            h.button(
                type="button", class_="btn btn-outline btn-sm", data_give="disconnect",
                data_with=as_json({"edges": [edge]}),
            )["Delete"],
        ],
    ]  # fmt: skip
