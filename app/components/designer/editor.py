"""The editor's page: palette and outline at the left, the canvas, the form at the right."""

import secrets
from collections.abc import Iterable, Sequence

import htpy as h

from app.components.assets import asset_url
from app.components.button import icon_button
from app.components.confirm import confirm_button
from app.components.designer.canvas import canvas
from app.components.designer.guide import guide
from app.components.designer.keys import cheat_sheet
from app.components.designer.names import DESIGNER, draft_url
from app.components.designer.outline import outline
from app.components.designer.palette import palette
from app.components.designer.panel import flow_panel
from app.components.designer.patch import live
from app.components.designer.people import Present, people
from app.components.designer.problems import problems
from app.components.form import csrf_field, hidden_field
from app.components.frame import PageFrame
from app.components.icon import IconName, icon
from app.components.page import SIGN_IN, workbench_page
from app.flows.drafts.views import DraftView
from app.flows.node import NodeType
from app.flows.validate import Problem


def editor_page(
    view: DraftView,
    *,
    types: Iterable[NodeType],
    found: Sequence[Problem],
    present: Sequence[Present] | None,
    trial: h.Element,
    frame: PageFrame,
) -> h.Element:
    tab = secrets.token_hex(8)
    return workbench_page(
        view.row.name,
        h.h1(".visually-hidden")[f"Flow {view.row.name}"],
        live(view.id, view.rev),
        h.div("#editor.fl-editor", data_url=draft_url(view.id), data_csrf=frame.csrf)[
            h.aside("#drawer.fl-drawer", aria_label="Nodes and outline")[
                h.div(".fl-drawer-tabs", role="group", aria_label="Drawer")[
                    h.button(type="button", data_drawer="palette", aria_pressed="true")["Nodes"],
                    h.button(type="button", data_drawer="outline", aria_pressed="false")["Outline"],
                ],
                palette(types),
                h.nav("#outline.fl-outline", aria_label="Outline", hidden=True)[
                    outline(view.sheet) if len(view.sheet.nodes) <= FEW else _outline_later(view)
                ],
            ],
            h.div(".fl-stage")[canvas(view.sheet), _tools(), guide(view.sheet), trial],
            h.div("#panel-place.fl-panel-place")[flow_panel(view)],
        ],
        h.div("#gesture", hidden=True),
        _here(view, tab, frame),
        h.p("#voice.visually-hidden", role="status", aria_live="polite"),
        h.div("#said.fl-said", role="alert"),
        cheat_sheet(),
        h.dialog("#conflict.sw-dialog", aria_labelledby="conflict-title")[
            h.div("#conflict-words")[h.h2("#conflict-title")["Conflict"]]
        ],
        h.dialog("#sheet.sw-dialog.fl-sheet", aria_labelledby="sheet-title")[
            h.div("#sheet-words")[h.h2("#sheet-title")["Publish"]]
        ],
        frame=frame,
        bar=_bar(view, found, present, tab, frame),
        head=h.script(type="module", src=asset_url("designer.js")),
    )


def _here(view: DraftView, tab: str, frame: PageFrame) -> h.Element:
    """Return what tells the others that this window is open; our js adds what is selected."""
    url = draft_url(view.id, "/here")
    return h.form(
        {"hx-post": url, "hx-trigger": "rest delay:250ms, pageshow from:window", "hx-swap": "none"},
        id="here",
        action=url,
        hidden=True,
    )[csrf_field(frame.csrf), hidden_field("tab", tab)]


FEW = 150
"""So many nodes are listed with the page; the outline of a larger flow comes when it is opened."""


def _outline_later(view: DraftView) -> h.Element:
    return h.div(
        {"hx-get": draft_url(view.id, "/outline"), "hx-trigger": "open", "hx-swap": "outerHTML"},
        id="outline-list",
    )[h.p(".sw-quiet")["One moment…"]]


def _bar(
    view: DraftView,
    found: Sequence[Problem],
    present: Sequence[Present] | None,
    tab: str,
    frame: PageFrame,
) -> h.Node:
    row = view.row
    return [
        h.a(".btn.btn-quiet.btn-square", href=DESIGNER, title="All flows", aria_label="All flows")[
            icon("arrow-left")
        ],
        h.div(".fl-title-block")[
            h.button(
                "#flow-name.fl-flow-name",
                type="button",
                title="What is said about the flow",
                data_do="flow",
            )[row.name],
            h.span(".fl-version")[
                f"draft of version {row.based_on}" if row.based_on else "not published yet"
            ],
        ],
        h.span("#saved.fl-saved", data_state="saved")["Saved"],
        h.a("#sign-in.fl-sign-in", href=SIGN_IN, target="_blank")["Sign in"],
        h.div(".fl-bar-end")[
            people(view.id, present, tab),
            problems(view.id, view.sheet, found),
            h.button(
                {"hx-get": draft_url(view.id, "/trial/ask"), "hx-target": "#sheet-words"},
                id="try",
                type="button",
                class_="btn btn-sm btn-outline",
                title="Dry run (T)",
                data_dialog_open="sheet",
            )[icon("play"), h.span["Try"]],
            h.button(type="button", class_="btn btn-sm btn-outline", data_do="changes")[
                icon("git-compare"), h.span["Changes"]
            ],
            h.button(
                {"hx-get": draft_url(view.id, "/publish"), "hx-target": "#sheet-words"},
                type="button",
                class_="btn btn-sm btn-primary",
                data_dialog_open="sheet",
            )[icon("check"), h.span["Publish…"]],
            _more(view, frame),
        ],
    ]


def _more(view: DraftView, frame: PageFrame) -> h.Element:
    return h.details(".sw-menu.fl-more")[
        h.summary(aria_label="More", class_="btn btn-sm btn-quiet")[icon("ellipsis")],
        h.div(".sw-menu-panel")[
            confirm_button(
                "Throw the draft away",
                id_="discard",
                title="Throw this draft away?",
                text="What is published stays. What was drawn since cannot be brought back.",
                action=draft_url(view.id, "/discard"),
                csrf=frame.csrf,
                confirm="Throw it away",
            )
        ],
    ]


def _tools() -> h.Element:
    def tool(do: str, symbol: IconName, label: str) -> h.Element:
        return icon_button(symbol, label, attrs={"data-do": do})

    return h.div(".fl-tools", role="toolbar", aria_label="Canvas")[
        tool("drawer", "plus", "Add a node (/)"),
        tool("undo", "undo-2", "Undo (Ctrl Z)"),
        tool("redo", "redo-2", "Redo (Ctrl Shift Z)"),
        tool("paste", "clipboard-paste", "Paste (Ctrl V)"),
        icon_button(
            "box-select",
            "Select several (Shift)",
            attrs={"id": "several", "data-do": "several", "aria-pressed": "false"},
        ),
        tool("delete", "trash-2", "Delete what is selected (Delete)"),
        h.span(".fl-gap"),
        tool("note", "sticky-note", "Add a note (N)"),
        tool("arrange", "workflow", "Arrange (L)"),
        h.span(".fl-gap"),
        tool("zoom-out", "minus", "Zoom out (-)"),
        h.button(
            "#zoom.btn.btn-quiet.fl-zoom",
            type="button",
            data_do="zoom-full",
            title="Full size (0)",
        )["100 %"],
        tool("zoom-in", "zoom-in", "Zoom in (+)"),
        tool("fit", "maximize", "Show the whole flow (1)"),
        h.span(".fl-gap"),
        tool("keys", "circle-help", "Keys (?)"),
    ]
