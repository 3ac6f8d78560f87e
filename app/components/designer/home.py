"""Where designers begin: drafts that are open, flows that are published, and the gallery."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import htpy as h

from app.components.badge import badge
from app.components.button import submit_button
from app.components.designer.names import DESIGNER, draft_url
from app.components.designer.overlay import run_dots
from app.components.designer.preview import preview
from app.components.empty import empty
from app.components.form import Form, csrf_field, form_element, text_field
from app.components.frame import PageFrame
from app.components.icon import icon
from app.components.page import admin_page, page_head
from app.components.time import moment
from app.flows.document import Document
from app.flows.drafts.views import DraftRow, FlowRow
from app.flows.gallery import TemplateRow, find_template
from app.flows.views import RunStatus

LastRuns = Mapping[str, Sequence[tuple[UUID, RunStatus]]]
"""By the flow's slug, the latest first."""


def home_page(
    drafts: Sequence[DraftRow],
    flows: Sequence[FlowRow],
    gallery: Sequence[TemplateRow],
    runs: LastRuns,
    *,
    frame: PageFrame,
) -> h.Element:
    return admin_page(
        "Flow editor",
        page_head(
            "Flow editor",
            lede="Draw what happens between a paid order and a delivered service.",
        ),
        h.div(".sw-stack")[
            _drafts(drafts, runs),
            _flows(flows, runs, frame),
            h.section(aria_labelledby="gallery-title")[
                h.h2("#gallery-title")["Begin a new flow"],
                h.ul(".fl-gallery")[
                    _card(
                        "",
                        "Empty flow",
                        "Begin with a blank canvas; a guide leads through the first steps.",
                        Document(flow="", nodes={}, edges=()),
                    ),
                    [
                        _card(
                            row.slug,
                            row.name,
                            row.description,
                            find_template(row.slug),
                            package=row.package,
                        )
                        for row in gallery
                    ],
                ],
            ],
        ],
        frame=frame,
        active="designer",
    )  # fmt: skip


def _drafts(drafts: Sequence[DraftRow], runs: LastRuns) -> h.Element:
    return h.section(aria_labelledby="drafts-title")[
        h.h2("#drafts-title")["Drafts"],
        h.ul(".fl-drafts")[
            [
                h.li(".card.fl-draft")[
                    h.a(".sw-row-link", href=draft_url(row.id))[row.name],
                    h.span(".sw-quiet")[
                        f"draft of version {row.based_on}" if row.based_on else "never published",
                        " · ",
                        row.updated_by or "someone",
                        " ",
                        moment(row.updated_at),
                    ],
                    run_dots(runs.get(row.slug, ())),
                    badge("a newer version is published", "warning")
                    if row.based_on and row.latest and row.based_on < row.latest
                    else None,
                ]
                for row in drafts
            ]
        ]
        if drafts
        else empty("workflow", "No drafts", "Open a flow or begin a new one below."),
    ]


def _flows(flows: Sequence[FlowRow], runs: LastRuns, frame: PageFrame) -> h.Node:
    closed = [row for row in flows if not row.has_draft]
    if not closed:
        return None
    return h.section(aria_labelledby="flows-title")[
        h.h2("#flows-title")["Published flows"],
        h.ul(".fl-drafts")[
            [
                h.li(".card.fl-draft")[
                    h.strong[row.name],
                    h.span(".sw-quiet")[f"version {row.version}"],
                    run_dots(runs.get(row.slug, ())),
                    h.form(method="post", action=f"{DESIGNER}/flows/{row.slug}/open")[
                        csrf_field(frame.csrf),
                        submit_button("Edit", busy="Opening…", weight="plain", size="small"),
                    ],
                ]
                for row in closed
            ]
        ],
    ]


def _card(
    template: str, name: str, words: str, document: Document, *, package: str = ""
) -> h.Element:
    href = f"{DESIGNER}/new?template={template}" if template else f"{DESIGNER}/new"
    return h.li(".card.fl-template")[
        preview(document),
        h.div(".fl-template-words")[
            h.h3[h.a(".sw-row-link", href=href)[name]],
            h.p(".sw-quiet")[words],
            h.p(".sw-quiet")[
                icon("workflow"),
                f" {len(document.nodes)} nodes",
                f" · from {package}" if package else None,
            ]
            if document.nodes
            else None,
        ],
    ]


def new_flow_page(
    form: Form, template: str, document: Document | None, *, frame: PageFrame
) -> h.Element:
    """Return the form that names a new flow, with the template that it begins as."""
    action = f"{DESIGNER}/new?template={template}" if template else f"{DESIGNER}/new"
    title = f"New flow from “{document.name or template}”" if document else "New flow"
    return admin_page(
        title,
        page_head(title, eyebrow=h.a(href=DESIGNER)["Flow editor"]),
        h.div(".sw-split")[
            h.div(".card")[
                h.div(".card-body")[
                    form_element(
                        form,
                        action,
                        text_field(form, "name", "Name", help_="What people call it."),
                        text_field(
                            form,
                            "slug",
                            "Short name",
                            optional=True,
                            help_="What bindings call it; made from the name when left out.",
                            mono=True,
                        ),
                        submit_button("Create the draft", busy="Creating…"),
                        labels={"name": "Name", "slug": "Short name"},
                    )
                ]
            ],
            h.div(".card.fl-template")[preview(document)] if document else None,
        ],
        frame=frame,
        active="designer",
    )
