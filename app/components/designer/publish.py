"""What a draft changes, and the form that publishes it."""

from collections.abc import Sequence
from typing import Any

import htpy as h
from msgspec import UNSET

from app.components.button import submit_button
from app.components.designer.canvas import node_card
from app.components.designer.names import draft_url, edge_id
from app.components.designer.patch import partial
from app.components.designer.problems import words
from app.components.form import Form, form_element, textarea_field
from app.components.icon import IconName, icon
from app.flows.diff import Diff, FieldChange
from app.flows.document import Document
from app.flows.drafts.form import written
from app.flows.drafts.ports import title
from app.flows.drafts.sheet import Edge, Sheet
from app.flows.drafts.views import DraftView
from app.flows.validate import Problem

_FATES: dict[str, tuple[IconName, str]] = {
    "added": ("plus", "New"),
    "removed": ("minus", "Gone"),
    "changed": ("pencil", "Changed"),
}
MOST_PROBLEMS = 5


def changes_panel(
    sheet: Sheet, published: tuple[int, Document] | None, found: Diff | None
) -> h.Fragment:
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
        _list(found, sheet, Sheet(published[1])) if published and found else None,
    ]
    ghosts = _ghosts(published[1], found) if published and found else None
    return h.fragment[panel, partial("#ghosts", ghosts, swap="innerHTML")]


def _list(found: Diff, sheet: Sheet, published: Sheet) -> h.Node:
    return [
        h.ul(".fl-diff")[
            [_node(entry.node, title(sheet, entry.node), "added") for entry in found.added],
            [_node(entry.node, title(published, entry.node), "removed") for entry in found.removed],
            [
                _node(change.node, title(sheet, change.node), "changed", change.fields)
                for change in found.changed
            ],
            [_edge(edge, "added") for edge in found.edges_added],
            [_edge(edge, "removed") for edge in found.edges_removed],
        ],
        h.section(".fl-diff-flow")[h.h3["The flow"], _fields(found.flow)] if found.flow else None,
    ]


def _node(node: str, name: str, fate: str, fields: tuple[FieldChange, ...] = ()) -> h.Element:
    symbol, word = _FATES[fate]
    return h.li(class_=f"fl-diff-item is-{fate}", data_diff_node=node, data_fate=fate)[
        h.button(type="button", data_pick=node, disabled=fate == "removed")[
            icon(symbol, label=word), h.strong[name]
        ],
        _fields(fields),
    ]


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
    return "nothing" if value in (None, UNSET, "", {}) else written(value)


def _ghosts(published: Document, found: Diff) -> h.Node:
    sheet = Sheet(published)
    return [node_card(sheet, entry.node, is_ghost=True) for entry in found.removed]


def publish_sheet(
    view: DraftView,
    form: Form,
    *,
    published: int | None,
    found: Sequence[Problem],
    changes: Diff | None,
) -> h.Element:
    """Return the dialog's content: the note, or what must be mended first."""
    number = (published or 0) + 1
    wrong = [problem for problem in found if problem.is_error]
    return h.div(".fl-publish")[
        h.h2("#sheet-title.sw-dialog-title")[f"Publish version {number}"],
        _must_be_mended(view.sheet, wrong) if wrong else _note(view, form, changes, found),
    ]


def _must_be_mended(sheet: Sheet, found: Sequence[Problem]) -> h.Node:
    return [
        h.p(".sw-dialog-text")["The flow cannot run yet:"],
        _problems(sheet, found),
        h.div(".sw-actions.is-end")[
            h.button(type="button", class_="btn btn-primary", data_dialog_close=True)["Mend it"]
        ],
    ]


def _problems(sheet: Sheet, found: Sequence[Problem]) -> h.Node:
    return [
        h.ul[
            [
                h.li[
                    h.strong[title(sheet, problem.node) if problem.node else "The flow"],
                    f": {words(problem)}",
                ]
                for problem in found[:MOST_PROBLEMS]
            ]
        ],
        h.p(".sw-quiet")[f"and {len(found) - MOST_PROBLEMS} more"]
        if len(found) > MOST_PROBLEMS
        else None,
    ]


def _note(view: DraftView, form: Form, changes: Diff | None, warnings: Sequence[Problem]) -> h.Node:
    url = draft_url(view.id, "/publish")
    return [
        h.p(".sw-dialog-text")[_summary(changes)],
        [h.p["To be thought over:"], _problems(view.sheet, warnings)] if warnings else None,
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


def _summary(changes: Diff | None) -> str:
    if changes is None:
        return "It is the flow’s first version."
    if changes.is_empty:
        return "Nothing that runs differs from the version that is published."
    nodes = (len(changes.added), len(changes.changed), len(changes.removed))
    edges = (len(changes.edges_added), 0, len(changes.edges_removed))
    parts = (_counted("Nodes", nodes), _counted("Edges", edges))
    return " ".join(part for part in parts if part) or "What is said about the flow changed."


def _counted(what: str, counts: tuple[int, int, int]) -> str:
    """Return how many are new, changed and gone; nothing where there are none."""
    words = zip(counts, ("new", "changed", "gone"), strict=True)
    said = ", ".join(f"{count} {word}" for count, word in words if count)
    return f"{what}: {said}." if said else ""
