"""What differs between two versions of a flow, for people who read it before they trust it."""

from collections.abc import Sequence
from typing import Any

import htpy as h
from msgspec import UNSET

from app.components.admin.flow_bits import FLOWS
from app.components.badge import badge
from app.components.button import submit_button
from app.components.card import card
from app.components.choice import Option, select_field
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.tone import Tone
from app.flows.diff import Diff, FieldChange, NodeEntry, shown
from app.flows.flow_views import VersionRow

BEFORE, AFTER = "before", "after"
CHANGES = "changes"


def changes_page(
    flow: str, before: int, after: int, changes: Diff, *, frame: PageFrame
) -> h.Element:
    title = f"From version {before} to {after}"
    return admin_page(
        title,
        page_head(title, eyebrow=h.a(href=f"{FLOWS}/{flow}")[flow]),
        changes_card(before, after, changes),
        frame=frame,
        active="flows",
    )


def compare_form(slug: str, versions: Sequence[VersionRow]) -> h.Element:
    """Return the choice of two versions; the answer comes below it."""
    options = [Option(value=str(one.number), label=f"Version {one.number}") for one in versions]
    form = Form(prefix="compare-")
    where = f"{FLOWS}/{slug}/changes"
    return h.form(
        {"hx-get": where, "hx-target": f"#{CHANGES}", "hx-swap": "outerHTML"},
        class_="sw-compare",
        method="get",
        action=where,
        aria_label="Compare two versions",
    )[
        select_field(form, BEFORE, "From", options, value=options[1].value),
        select_field(form, AFTER, "To", options, value=options[0].value),
        submit_button("Compare", busy="Comparing…", weight="plain", symbol="git-compare"),
    ]


def no_changes_yet() -> h.Element:
    """Return the place where a comparison appears."""
    return h.div(id=CHANGES)


def changes_card(before: int, after: int, changes: Diff) -> h.Element:
    return h.div(id=CHANGES, tabindex="-1")[
        card(
            changes_list(changes),
            title=f"From version {before} to {after}",
            symbol="git-compare",
        )
    ]


def changes_list(changes: Diff) -> h.Element:
    """Return every change by node: what is new, gone, and each field before and after."""
    if changes.is_empty:
        return h.p["They run the same."]
    return h.ul(".sw-diff")[
        [_item("The flow", "", "Changed", "info", _fields(changes.flow))] if changes.flow else None,
        [_entry(one, "New", "success") for one in changes.added],
        [_entry(one, "Gone", "danger") for one in changes.removed],
        [
            _item(one.title, one.node, "Changed", "info", _fields(one.fields))
            for one in changes.changed
        ],
        [_edge(edge, "New", "success") for edge in changes.edges_added],
        [_edge(edge, "Gone", "danger") for edge in changes.edges_removed],
    ]


def _entry(entry: NodeEntry, word: str, tone: Tone) -> h.Element:
    return _item(entry.title, f"{entry.node}, {entry.spec.type} v{entry.spec.v}", word, tone)


def _edge(edge: tuple[str, str], word: str, tone: Tone) -> h.Element:
    return _item(f"{edge[0]} → {edge[1]}", "connection", word, tone)


def _item(title: str, under: str, word: str, tone: Tone, more: h.Node = None) -> h.Element:
    return h.li[
        h.div(".sw-diff-head")[
            badge(word, tone, dot=False),
            h.span(".sw-strong")[title],
            h.span(".sw-quiet")[under] if under and under != title else None,
        ],
        more,
    ]


def _fields(fields: Sequence[FieldChange]) -> h.Element:
    return h.dl(".sw-diff-fields")[
        [
            h.div[
                h.dt[one.field.removeprefix("with.")],
                h.dd[h.del_[_value(one.before)], h.ins[_value(one.after)]],
            ]
            for one in fields
        ]
    ]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else "nothing" if value is UNSET else shown(value)
