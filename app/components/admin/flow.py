"""One flow: how it runs, which categories it serves, its versions, and what can be done to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import htpy as h

from app.components.admin.flow_bits import (
    FLOWS,
    failure_link,
    flow_badges,
    rate_words,
    score_badge,
    score_tone,
    served_words,
    trigger_words,
)
from app.components.admin.flow_changes import compare_form, no_changes_yet
from app.components.admin.run_bits import RUNS, length_ms
from app.components.admin.trail import trail_card
from app.components.badge import badge
from app.components.button import link_button, submit_button
from app.components.card import card, card_grid, stack
from app.components.confirm import confirm_button
from app.components.empty import empty
from app.components.form import csrf_field, hidden_field
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.stat import stat
from app.components.table import Column, Row, table
from app.components.time import duration_text, moment
from app.domain.audit.views import AuditLine
from app.flows.flow_views import BindingRow, FlowRow, FlowView, VersionRow

MOST_VERSIONS = 50
CATEGORY, INSTEAD_OF, LATEST = "category", "instead_of", "latest"

_HISTORY = (
    Column("Version"),
    Column("Published", narrow=True),
    Column("Runs", figures=True),
    Column("Rehearsal", figures=True, narrow=True),
    Column("What can be done", narrow=True, hidden_label=True),
)
_CATEGORIES = (
    Column("Category"),
    Column("Served by"),
    Column("What can be done", narrow=True, hidden_label=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFile:
    """A flow with all that its page shows; `trail` is None for who may not read it."""

    flow: FlowView
    served: Sequence[BindingRow] | None
    """Every category with what serves it on the flow's event; None: such runs have no category."""
    trail: Sequence[AuditLine] | None
    may_change: bool
    may_run: bool

    @property
    def address(self) -> str:
        return f"{FLOWS}/{self.flow.row.slug}"


def flow_page(file: FlowFile, *, frame: PageFrame) -> h.Element:
    row, versions = file.flow.row, file.flow.versions
    return admin_page(
        row.name,
        page_head(
            row.name,
            eyebrow=h.a(href=FLOWS)["Flows"],
            lede=row.description or f"Starts on {trigger_words(row.trigger)}.",
            actions=_actions(file, frame.csrf),
        ),
        stack(
            flow_facts(file, csrf=frame.csrf),
            card(compare_form(row.slug, versions), title="Compare versions", symbol="git-compare")
            if len(versions) > 1
            else None,
            no_changes_yet(),
            trail_card(file.trail) if file.trail is not None else None,
        ),
        frame=frame,
        active="flows",
    )


def _actions(file: FlowFile, csrf: str) -> list[h.Node]:
    slug = file.flow.row.slug
    return [
        link_button("Run now", f"{file.address}/start", symbol="play", weight="primary")
        if file.may_run and file.flow.row.is_enabled
        else None,
        h.form(".sw-inline-form", method="post", action=f"/designer/flows/{slug}/open")[
            csrf_field(csrf), submit_button("Edit", weight="plain", symbol="pencil")
        ]
        if file.may_change
        else None,
        link_button("Runs", f"{RUNS}?flow={slug}", symbol="list", weight="quiet"),
        link_button("Export", f"{file.address}/file", symbol="download", weight="quiet"),
    ]


def flow_facts(file: FlowFile, *, csrf: str) -> h.Element:
    """Return all of the page that changes by itself."""
    return live_region(
        "flows dashboard", f"{file.address}?part=facts", id_="flow", at_most_every_ms=2_000
    )[
        stack(
            _switched(file),
            _newer_draft(file.flow.row) if file.flow.row.is_draft_newer else None,
            _figures(file.flow.row),
            _categories(file, csrf) if file.served is not None else None,
            _versions(file),
        )
    ]


def _switched(file: FlowFile) -> h.Node:
    """Say whether the flow starts runs, and lead to where that is changed."""
    row, where = file.flow.row, file.address
    if row.is_enabled:
        if not file.may_change:
            return None
        return h.div(".sw-onoff")[
            badge("Enabled", "success"),
            *flow_badges(row),
            link_button(
                "Disable in an emergency…", f"{where}/disable", size="small", symbol="power"
            ),
        ]
    off = row.disabled
    return notice(
        "danger",
        "Disabled: no run of it starts",
        h.p[off.by, ", ", moment(off.at), ": “", off.reason, "”"] if off else None,
        h.p[f"{row.live:,} of its runs are still under way."] if row.live else None,
        link_button("Enable…", f"{where}/enable", size="small", symbol="power")
        if file.may_change
        else None,
    )


def _newer_draft(row: FlowRow) -> h.Element:
    return notice(
        "info",
        "Its draft was changed after this version was published",
        h.a(href=f"/designer/drafts/{row.draft}")["Look at the draft"],
    )


def _figures(row: FlowRow) -> h.Element:
    took = "–" if row.p50 is None else duration_text(length_ms(row.p50))
    # The dashboard tells more: from the payment on, and of all flows together.
    slow = (
        "from its start"
        if row.p99 is None
        else (f"from its start, in 30 days; p99 {duration_text(length_ms(row.p99))}")
    )
    return card_grid(
        stat(
            "Runs in 30 days",
            f"{row.begun:,}",
            detail=f"{row.begun_today:,} in 24 h, {row.live:,} under way",
            href=f"{RUNS}?flow={row.slug}",
        ),
        stat("Success", rate_words(row), detail="of those that ended by themselves"),
        stat("A run takes, p50", took, detail=slow),
        stat(
            "Rehearsal",
            "–" if row.score is None else f"{row.score} %",
            detail="Not rehearsed yet" if row.score is None else "of faults survived or undone",
            tone="neutral" if row.score is None else score_tone(row.score),
            href=f"{FLOWS}/{row.slug}/rehearsal/{row.version}",
        ),
        h.div(".sw-stat.tone-neutral")[
            h.span(".sw-stat-label")["Last failure"],
            h.span(".sw-stat-detail")[failure_link(row.last_failure)],
        ],
        least_width="small",
    )


def _categories(file: FlowFile, csrf: str) -> h.Element:
    return card(
        table(
            _CATEGORIES,
            [_category(file, binding, csrf) for binding in file.served or ()],
            caption="Categories",
            empty=empty("boxes", "No categories yet", "The catalogue has none."),
        ),
        title=f"Serves, on {trigger_words(file.flow.row.trigger)}",
        symbol="boxes",
        flush=True,
    )


def _category(file: FlowFile, binding: BindingRow, csrf: str) -> Row:
    is_own = binding.flow == file.flow.row.slug
    served: h.Node = (
        badge("This flow", "success")
        if is_own
        else h.a(href=f"{FLOWS}/{binding.flow}")[served_words(binding)]
        if binding.flow
        else badge("No flow", "danger")
    )
    deed: h.Node = None
    if file.may_change:
        deed = _unbind(file, binding, csrf) if is_own else _bind(file, binding, csrf)
    return Row(
        cells=(h.span(".sw-strong")[binding.category_name], served, deed),
        id_=f"category-{binding.category}",
    )


def _bind(file: FlowFile, binding: BindingRow, csrf: str) -> h.Element:
    """Return the one click that binds; its words say what is replaced."""
    words = f"Bind in place of {binding.flow_name}" if binding.flow else "Bind"
    return h.form(".sw-inline-form", method="post", action=f"{file.address}/bind")[
        csrf_field(csrf),
        hidden_field(CATEGORY, binding.category_slug),
        hidden_field(INSTEAD_OF, binding.flow or ""),
        submit_button(words, busy="Binding…", weight="plain", size="small"),
    ]


def _unbind(file: FlowFile, binding: BindingRow, csrf: str) -> h.Fragment:
    return confirm_button(
        "Unbind…",
        id_=f"unbind-{binding.category_slug}",
        title=f"Let no flow serve {binding.category_name}?",
        text="What happens then waits for a person. To put another flow in its place, bind that.",
        action=f"{file.address}/unbind/{binding.category_slug}",
        csrf=csrf,
        confirm="Unbind",
        small=True,
    )


def _versions(file: FlowFile) -> h.Element:
    return card(
        table(
            _HISTORY,
            [_version(file, one) for one in file.flow.versions[:MOST_VERSIONS]],
            caption="Versions",
        ),
        title="Versions",
        symbol="list",
        flush=True,
    )


def _version(file: FlowFile, version: VersionRow) -> Row:
    number, where = version.number, file.address
    is_latest = number == file.flow.row.version
    return Row(
        cells=(
            h.div[
                h.span(".sw-strong")[f"Version {number}"],
                h.span(".sw-badges")[badge("Runs now", "success", dot=False)]
                if is_latest
                else None,
                h.span(".sw-under.sw-clip")[version.note] if version.note else None,
            ],
            h.div[
                moment(version.published_at),
                h.span(".sw-under")[version.published_by or "the system"],
            ],
            h.div[
                f"{version.runs:,}",
                h.span(".sw-under")[f"{version.live:,} under way"] if version.live else None,
            ],
            h.a(href=f"{where}/rehearsal/{number}")[
                "Rehearse" if version.score is None else score_badge(version.score),
                h.span(".visually-hidden")[f" version {number}"],
            ],
            h.div(".sw-actions.sw-row-actions.is-end")[
                link_button(
                    "What changed",
                    f"{where}/changes/{number - 1}/{number}",
                    size="small",
                    weight="quiet",
                )
                if number > 1
                else None,
                link_button("Dry run", f"{where}/dry-run/{number}", size="small", weight="quiet"),
                link_button("Roll back…", f"{where}/roll-back/{number}", size="small")
                if file.may_change and not is_latest
                else None,
            ],
        ),
        id_=f"version-{number}",
    )
