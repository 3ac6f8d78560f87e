"""Take a flow in from a file: choose it, see what it would do, and publish it."""

from collections.abc import Iterable

import htpy as h

from app.components.admin.flow_bits import FLOWS, IMPORT
from app.components.admin.flow_changes import changes_list
from app.components.badge import badge
from app.components.button import link_button, submit_button
from app.components.card import card, stack
from app.components.form import (
    Form,
    field_frame,
    form_element,
    hidden_field,
    text_field,
    textarea_field,
)
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.flows.arrival import Preview
from app.flows.transfer import Missing, export
from app.flows.validate import Problem

FILE, DOCUMENT, SLUG, NOTE, LATEST = "file", "document", "slug", "note", "latest"
_LABELS = {FILE: "File", DOCUMENT: "JSON", SLUG: "Short name"}


def import_page(form: Form, *, frame: PageFrame) -> h.Element:
    return _page(
        "Import a flow",
        "A file that another Slipway exported. It names its connections and holds no secrets.",
        card(_choose(form)),
        frame=frame,
    )


def _choose(form: Form) -> h.Element:
    file = h.input(
        form.wiring(FILE, help_=True),
        type="file",
        accept=".json,application/json",
        class_="form-control",
    )
    return form_element(
        form,
        IMPORT,
        field_frame(form, FILE, "File", file, help_="As exported, of 2 MB at most.", optional=True),
        textarea_field(
            form, DOCUMENT, "Or its JSON", rows=10, mono=True, optional=True,
            placeholder='{"schema": 1, "flow": …}',
        ),
        text_field(
            form, SLUG, "Short name", optional=True, mono=True, autocomplete="off",
            help_="To take it in beside the flow that has its own; left empty, its own.",
        ),
        h.div(".sw-actions")[
            submit_button("Look at it", busy="Reading…", symbol="search"),
            link_button("Leave it", FLOWS, weight="quiet"),
        ],
        labels=_LABELS,
        attrs={"enctype": "multipart/form-data"},
    )  # fmt: skip


def preview_page(preview: Preview, form: Form, *, frame: PageFrame) -> h.Element:
    """Return what the file would do; with the way to publish it, or to mend it."""
    arrival, latest = preview.arrival, preview.latest
    document = arrival.document
    name = document.name or document.flow
    title = f"Import {name}"
    what = (
        f"A flow that is new here: {document.flow}."
        if latest is None
        else f"It says what version {latest.row.number} of {document.flow} says."
        if preview.is_same
        else f"It becomes version {latest.row.number + 1} of {document.flow}."
    )
    return _page(
        title,
        what,
        stack(
            _obstacles(preview),
            _confirm(preview, form)
            if arrival.is_welcome and not preview.is_same
            else h.div(".sw-actions")[link_button("Choose another file", IMPORT)],
            card(
                changes_list(preview.changes),
                title=f"What changes from version {latest.row.number}",
                symbol="git-compare",
            )
            if latest is not None and preview.changes is not None and not preview.is_same
            else None,
        ),
        frame=frame,
    )


def _confirm(preview: Preview, form: Form) -> h.Element:
    latest = preview.latest
    return card(
        form_element(
            form,
            f"{IMPORT}/confirm",
            hidden_field(DOCUMENT, export(preview.arrival.document)),
            hidden_field(LATEST, str(latest.row.number) if latest else ""),
            textarea_field(
                form, NOTE, "What it is, and why", rows=3, help_="Kept as the version's note."
            ),
            h.p(".sw-quiet")["Runs that are under way stay on their version."] if latest else None,
            h.div(".sw-actions")[
                submit_button("Publish it", busy="Publishing…"),
                link_button("Choose another file", IMPORT, weight="quiet"),
            ],
            labels={NOTE: "Note"},
        )
    )


def _obstacles(preview: Preview) -> h.Node:
    """Return what stands in the way, each thing with its nodes, and what should be looked at."""
    arrival = preview.arrival
    if not (arrival.missing_connections or arrival.unknown_types or arrival.problems):
        return notice("success", "Everything that it needs is here")
    is_barred = not arrival.is_welcome
    unknown = {node for one in arrival.unknown_types for node in one.nodes}
    return card(
        h.ul(".sw-diff")[
            [
                _missing(one, "Connection", h.a(href="/admin/connections/new")["Make it"])
                for one in arrival.missing_connections
            ],
            [_missing(one, "Node type", "is not installed") for one in arrival.unknown_types],
            _problems(
                one
                for one in arrival.problems
                if not (one.node in unknown and one.field in ("type", "v"))
            ),
        ],
        title="It cannot be taken in yet" if is_barred else "To be thought over",
        symbol="triangle-alert",
    )


def _missing(one: Missing, kind: str, what: h.Node) -> h.Element:
    return h.li[
        h.div(".sw-diff-head")[
            badge("Missing", "danger", dot=False), kind, h.span(".sw-strong")[one.name], what
        ],
        h.p(".sw-under")[f"Named by {', '.join(one.nodes)}."],
    ]


def _problems(problems: Iterable[Problem]) -> list[h.Element]:
    return [
        h.li[
            h.div(".sw-diff-head")[
                badge("Wrong", "danger", dot=False)
                if one.is_error
                else badge("Look", "warning", dot=False),
                h.span(".sw-strong")[one.node or "The flow"],
                h.span(".sw-quiet")[one.field] if one.field else None,
            ],
            h.p[one.message],
        ]
        for one in problems
    ]


def _page(title: str, lede: str, body: h.Node, *, frame: PageFrame) -> h.Element:
    return admin_page(
        title,
        page_head(title, eyebrow=h.a(href=FLOWS)["Flows"], lede=lede),
        h.div(".sw-decide.sw-decide-wide")[body],
        frame=frame,
        active="flows",
    )
