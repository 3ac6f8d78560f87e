"""What a draft changes, and the form that publishes it."""

from collections.abc import Sequence
from typing import Any

import htpy as h

from app.components.button import submit_button
from app.components.designer.canvas import node_card
from app.components.designer.names import draft_url, edge_id
from app.components.designer.patch import partial
from app.components.form import Form, form_element, textarea_field
from app.components.icon import IconName, icon
from app.flows.document import Document
from app.flows.drafts.compare import Comparison, FieldChange, NodeChange
from app.flows.drafts.form import written
from app.flows.drafts.sheet import Edge, Sheet
from app.flows.drafts.views import DraftView
from app.flows.validate import Problem

_FATES: dict[str, tuple[IconName, str]] = {
    "added": ("plus", "New"),
    "removed": ("minus", "Gone"),
    "changed": ("pencil", "Changed"),
}
MOST_PROBLEMS = 5


def changes_panel(published: tuple[int, Document] | None, found: Comparison | None) -> h.Fragment:
    """Return the list of changes for the panel's place, and what is gone for the canvas."""
    words = (
        "It has never been published: everything is new."
        if found is None
        else "Nothing that runs differs."
        if found.is_empty
        else "Colours on the canvas: new, changed, gone."
    )
    number = published[0] if published else None
    panel = h.section("#panel.fl-panel", data_panel="", data_diff="", aria_label="Changes")[
        h.header(".fl-panel-head")[
            h.h2[f"Changes since version {number}" if number else "Changes"],
            h.p(".sw-quiet")[words],
            h.div(".fl-panel-actions")[
                h.button(type="button", class_="btn btn-outline btn-sm", data_do="close-diff")[
                    icon("x"), "Close"
                ]
            ],
        ],
        _list(found) if found else None,
    ]
    ghosts = _ghosts(published[1], found) if published and found else None
    return h.fragment[panel, partial("#ghosts", ghosts, swap="innerHTML")]


def _list(found: Comparison) -> h.Node:
    return [
        h.ul(".fl-diff")[
            [_node(change) for change in found.nodes],
            [_edge(edge, "added") for edge in found.added],
            [_edge(edge, "removed") for edge in found.removed],
        ],
        h.section(".fl-diff-flow")[h.h3["The flow"], _fields(found.flow)] if found.flow else None,
    ]


def _node(change: NodeChange) -> h.Element:
    symbol, word = _FATES[change.fate]
    return h.li(
        class_=f"fl-diff-item is-{change.fate}",
        data_diff_node=change.node,
        data_fate=change.fate,
    )[
        h.button(type="button", data_pick=change.node, disabled=change.fate == "removed")[
            icon(symbol, label=word), h.strong[change.name]
        ],
        _fields(change.fields),
    ]  # fmt: skip


def _edge(edge: Edge, fate: str) -> h.Element:
    symbol, word = _FATES[fate]
    return h.li(class_=f"fl-diff-item is-{fate}", data_diff_edge=edge_id(edge), data_fate=fate)[
        h.span[icon(symbol, label=word), f"{edge[0]} → {edge[1].partition('.')[0]}"]
    ]


def _fields(changes: tuple[FieldChange, ...]) -> h.Node:
    if not changes:
        return None
    return h.dl(".fl-diff-fields")[
        [
            h.div[
                h.dt[change.field.removeprefix("with.")],
                h.dd[h.del_[_shown(change.before)], h.ins[_shown(change.after)]],
            ]
            for change in changes
        ]
    ]


def _shown(value: Any) -> str:
    return "nothing" if value in (None, "", {}) else written(value)


def _ghosts(published: Document, found: Comparison) -> h.Node:
    sheet = Sheet(published)
    gone = [change.node for change in found.nodes if change.fate == "removed"]
    return [node_card(sheet, node, is_ghost=True) for node in gone]


def publish_sheet(
    view: DraftView,
    form: Form,
    *,
    published: int | None,
    found: Sequence[Problem],
    comparison: Comparison | None,
) -> h.Element:
    """Return the dialog's content: the note, or what must be mended first."""
    number = (published or 0) + 1
    return h.div(".fl-publish")[
        h.h2("#sheet-title.sw-dialog-title")[f"Publish version {number}"],
        _must_be_mended(found) if found else _note(view, form, comparison),
    ]


def _must_be_mended(found: Sequence[Problem]) -> h.Node:
    return [
        h.p(".sw-dialog-text")["The flow cannot run yet:"],
        h.ul[
            [
                h.li[h.strong[problem.node or "flow"], f": {problem.message}"]
                for problem in found[:MOST_PROBLEMS]
            ]
        ],
        h.p(".sw-quiet")[f"and {len(found) - MOST_PROBLEMS} more"]
        if len(found) > MOST_PROBLEMS
        else None,
        h.div(".sw-actions.is-end")[
            h.button(type="button", class_="btn btn-primary", data_dialog_close=True)["Mend it"]
        ],
    ]


def _note(view: DraftView, form: Form, comparison: Comparison | None) -> h.Node:
    url = draft_url(view.id, "/publish")
    return [
        h.p(".sw-dialog-text")[_summary(comparison)],
        h.p(".sw-quiet")["Runs that are under way stay on their version; new ones take this one."],
        form_element(
            form,
            url,
            h.input(type="hidden", name="rev", value=str(view.rev)),
            textarea_field(form, "note", "What changed, and why", rows=3),
            h.div(".sw-actions.is-end")[
                h.button(type="button", class_="btn btn-outline", data_dialog_close=True)[
                    "Not yet"
                ],
                submit_button("Publish", busy="Publishing…"),
            ],
            labels={"note": "Note"},
            attrs={"hx-post": url, "hx-target": "#sheet-words", "hx-swap": "innerHTML"},
        ),
    ]


def _summary(comparison: Comparison | None) -> str:
    if comparison is None:
        return "It is the flow’s first version."
    if comparison.is_empty:
        return "Nothing that runs differs from the version that is published."
    counts = [
        f"{count} {word}"
        for word, count in (
            ("new", _count(comparison, "added")),
            ("changed", _count(comparison, "changed")),
            ("gone", _count(comparison, "removed")),
        )
        if count
    ]
    edges = len(comparison.added) + len(comparison.removed)
    parts = [f"Nodes: {', '.join(counts)}." if counts else ""]
    parts.append(f"Edges: {edges} changed." if edges else "")
    return " ".join(part for part in parts if part) or "What is said about the flow changed."


def _count(comparison: Comparison, fate: str) -> int:
    return sum(change.fate == fate for change in comparison.nodes)
