"""The palette: every node type, found by typing; and the two drawers at the left."""

from collections.abc import Iterable

import htpy as h

from app.components.designer.canvas import symbol_of, tone_of
from app.components.designer.markdown import inline
from app.components.icon import icon
from app.flows.node import NodeType

_GROUPS = {"trigger": "Triggers", "action": "Actions", "logic": "Logic", "data": "Data"}


def palette(types: Iterable[NodeType]) -> h.Element:
    """Return the list of node types; each can be clicked, dragged to the canvas, or entered."""
    latest: dict[str, NodeType] = {}
    for kind in types:
        if kind.name not in latest or latest[kind.name].version < kind.version:
            latest[kind.name] = kind
    groups: dict[str, list[NodeType]] = {}
    for kind in sorted(latest.values(), key=lambda each: each.title):
        groups.setdefault(kind.name.partition(".")[0], []).append(kind)
    order = [*_GROUPS, *sorted(groups.keys() - _GROUPS.keys())]
    return h.div("#palette.fl-palette")[
        h.div(".fl-search")[
            icon("search"),
            h.input(
                "#palette-search",
                type="search",
                placeholder="Add a node…",
                aria_label="Search node types",
                aria_controls="palette-list",
                autocomplete="off",
                spellcheck="false",
            ),
            h.kbd(aria_hidden="true")["/"],
        ],
        h.div("#palette-list.fl-types", role="group", aria_label="Node types")[
            [
                h.div(".fl-type-group")[
                    h.h2[_GROUPS.get(family, family.capitalize())],
                    [_entry(kind) for kind in groups[family]],
                ]
                for family in order
                if family in groups
            ],
            h.p(".fl-types-none.sw-quiet")["No node type fits."],
        ],
    ]


def _entry(kind: NodeType) -> h.Element:
    # No <button>: Firefox does not let one be dragged.
    return h.div(
        role="button",
        tabindex="0",
        draggable="true",
        class_=f"fl-type-entry {tone_of(kind.name)}",
        data_type=kind.name,
        data_words=f"{kind.title} {kind.name} {kind.summary}".lower(),
        title=kind.summary.replace("`", ""),
    )[
        h.span(".fl-symbol")[icon(symbol_of(kind.name))],
        h.span[
            h.span(".fl-type-title")[kind.title], h.span(".fl-type-summary")[inline(kind.summary)]
        ],
    ]
