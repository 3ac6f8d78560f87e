"""A run over its drawing: the page, and the region that follows the run."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import htpy as h

from app.components.admin.run_bits import RUNS, length_ms
from app.components.assets import asset_url
from app.components.badge import state_badge
from app.components.button import icon_button
from app.components.designer.canvas import canvas
from app.components.designer.names import edge_id, overlay_url
from app.components.designer.node_state import NodeState, Tone, node_state
from app.components.designer.outline import outline
from app.components.form import csrf_field
from app.components.frame import PageFrame
from app.components.icon import IconName, icon
from app.components.page import workbench_page
from app.components.time import duration_text, elapsed, moment
from app.flows.drafts.debug import Debugged
from app.flows.drafts.ports import title
from app.flows.drafts.sheet import Sheet
from app.flows.overlay import NodeStand, Overlay, Stand, ways
from app.flows.overlay import elapsed as length_of
from app.flows.views import RunStatus

PACE_MS = 250
"""How often at most a run is looked at while it goes on; the issue's limit is 200 ms."""
LABEL = (
    "Run over its flow. Arrow keys go along edges, Enter shows a node, comma and full stop step "
    "through the run."
)
_STANDS: dict[Stand, tuple[str, Tone]] = {
    Stand.halted: ("Halted", "danger"),
    Stand.in_doubt: ("In doubt", "danger"),
    Stand.retrying: ("Tried again", "warning"),
    Stand.running: ("Running", "info"),
    Stand.waiting: ("Waiting", "info"),
    Stand.failed: ("Failed", "danger"),
    Stand.compensated: ("Undone", "warning"),
    Stand.done: ("Done", "success"),
    Stand.cancelled: ("Cancelled", "neutral"),
    Stand.skipped: ("Not come to", "neutral"),
}
_OPEN = (Stand.running, Stand.waiting, Stand.retrying)
_STUCK = (Stand.halted, Stand.in_doubt)
_LOOKED_AT = (*_STUCK, Stand.running, Stand.retrying, Stand.waiting)
"""What is shown first while a run is followed."""
_CUT = (Stand.cancelled, Stand.skipped)
"""What nodes become by the run's end, without an event of their own."""
_WORDS = {
    "queued": "queued",
    "started": "begun",
    "finished": "finished",
    "failed": "failed",
    "waiting": "waits",
    "iteration": "another round",
    "compensated": "undone",
}


def overlay_page(found: Overlay, sheet: Sheet, now: datetime, *, frame: PageFrame) -> h.Element:
    return workbench_page(
        f"Run of {found.name}",
        h.h1(".visually-hidden")[f"Run of {found.name}"],
        h.div("#editor.fl-editor.is-run", data_url=overlay_url(found.run), data_csrf=frame.csrf)[
            h.aside("#drawer.fl-drawer", aria_label="Nodes")[
                h.nav("#outline.fl-outline", aria_label="Nodes")[outline(sheet)]
            ],
            h.div(".fl-stage")[
                canvas(sheet, label=LABEL, is_fixed=True), _story(found), run_now(found, now)
            ],
            h.div("#panel-place.fl-panel-place")[nothing_chosen()],
        ],
        h.p("#voice.visually-hidden", role="status", aria_live="polite"),
        h.div("#said.fl-said", role="alert"),
        frame=frame,
        bar=_bar(found, frame),
        head=h.script(type="module", src=asset_url("overlay.js")),
    )


def _bar(found: Overlay, frame: PageFrame) -> h.Node:
    return [
        h.a(
            ".btn.btn-quiet.btn-square",
            href=f"{RUNS}/{found.run}",
            title="The run's page",
            aria_label="The run's page",
        )[icon("arrow-left")],
        h.div(".fl-title-block")[
            h.span("#flow-name.fl-flow-name")[found.name],
            h.span(".fl-version")[f"run of version {found.version}"],
        ],
        h.div(".fl-bar-end")[
            h.a(class_="btn btn-sm btn-outline", href=f"{RUNS}/{found.run}")[
                icon("scroll-text"), h.span["Step by step"]
            ],
            h.form(method="post", action=overlay_url(found.run, "/debug"))[
                csrf_field(frame.csrf),
                h.button(
                    type="submit",
                    class_="btn btn-sm btn-primary",
                    title="Open the flow's draft with what each node gave pinned as sample data",
                )[icon("pencil"), h.span["Debug in the editor"]],
            ],
        ],
    ]


def debugged_words(done: Debugged) -> str:
    """Return what the editor says when a run was taken into it."""
    count = len(done.pinned)
    words = [
        f"The run’s output of {count} {'node' if count == 1 else 'nodes'} is pinned as sample data."
        if count
        else "The run has no output that could be pinned."
    ]
    if done.too_large:
        words.append(f"Too large to pin: {', '.join(done.too_large)}.")
    if done.gone:
        words.append(f"No longer in the draft: {', '.join(done.gone)}.")
    return " ".join(words)


def _story(found: Overlay) -> h.Element:
    """Return the bar that steps through the run; the region below tells it how long the run is."""
    count = found.moment.count if found.moment else 0

    def tool(do: str, symbol: IconName, label: str) -> h.Element:
        return icon_button(symbol, label, attrs={"data-do": do})

    return h.div(".fl-tools.fl-story", role="toolbar", aria_label="Run")[
        tool("back", "chevron-left", "One event back (,)"),
        h.label(".fl-story-range")[
            h.span(".visually-hidden")["Event of the run"],
            h.input("#story", type="range", min="1", max=max(count, 1), value=max(count, 1)),
        ],
        tool("forth", "chevron-right", "One event on (.)"),
        h.button("#follow.btn.btn-quiet", type="button", data_do="follow", aria_pressed="true")[
            icon("activity"), h.span["Follow"]
        ],
        h.span(".fl-gap"),
        tool("zoom-out", "minus", "Zoom out (-)"),
        h.button("#zoom.btn.btn-quiet.fl-zoom", type="button", data_do="zoom-full",
                 title="Full size (0)")["100 %"],
        tool("zoom-in", "zoom-in", "Zoom in (+)"),
        tool("fit", "maximize", "Show the whole flow (1)"),
    ]  # fmt: skip


def run_now(found: Overlay, now: datetime, *, since: int | None = None) -> h.Element:
    """Return how the run stands, with the signs of its nodes for our js to hand out.

    It follows the run unless it shows a moment of the past. With `since`, only the signs of nodes
    that are open or cut off, or that something happened to after that event, are in it.
    """
    at = found.moment
    seq = at.seq if at else 0
    signs = [
        state
        for stand in found.stands.values()
        if (since is None or stand.seq > since or stand.stand in (*_OPEN, *_CUT))
        and (state := sign_of(found, stand, now)) is not None
    ]
    is_live = not found.is_past and found.finished_at is None
    return h.section(
        "#run-now",
        class_=["fl-run-now", {"sw-live-region": is_live}],
        aria_label="How the run stands",
        data_live=f"run:{found.run}" if is_live else None,
        data_live_url=overlay_url(found.run, f"/now?since={seq}") if is_live else None,
        data_live_every_ms=PACE_MS if is_live else None,
        data_whole=since is None,
        data_position=at.position if at else 0,
        data_count=at.count if at else 0,
        data_active=_active(found),
        data_ways=" ".join(edge_id(edge) for edge in ways(found)),
        data_says=_says(found),
    )[
        h.div(".fl-run-head")[
            h.span(".fl-run-past")[icon("history"), "In the past"]
            if found.is_past
            else state_badge(found.status),
            _length(found, now),
        ],
        h.p(".fl-run-event")[
            f"Event {at.position:,} of {at.count:,}: ", _event(found), " ", moment(at.at)
        ]
        if at
        else h.p(".fl-run-event")["Nothing has happened yet."],
        h.p(".fl-run-error")[found.error] if found.error and not found.is_past else None,
        h.div(hidden=True)[[node_state(state) for state in signs]],
    ]


def _length(found: Overlay, now: datetime) -> h.Element:
    if found.is_past and found.moment:
        return h.span(".sw-duration")[duration_text(length_ms(found.moment.at - found.created_at))]
    if found.finished_at is None:
        return elapsed(length_ms(now - found.created_at))
    return h.span(".sw-duration")[duration_text(length_ms(found.finished_at - found.created_at))]


def _event(found: Overlay) -> str:
    at = found.moment
    if at is None:
        return ""
    words = _WORDS.get(at.kind, at.kind)
    return f"{name_of(found, at.node)} {words}." if at.node else f"{words.capitalize()}."


def _says(found: Overlay) -> str:
    """Return what a screen reader hears when it changes."""
    if found.moment is None or not found.moment.node:
        return _event(found)
    return f"{found.status.value}. {_event(found)}"


def _active(found: Overlay) -> str | None:
    """Return the node to look at: one that is open, else the last that something happened to.

    Of a container and what is open in its body it is the latter.
    """
    around = {spec.within for spec in found.document.nodes.values()}
    wanted = [stand for stand in found.stands.values() if stand.stand in _LOOKED_AT]
    if wanted:
        return min(
            wanted,
            key=lambda one: (
                one.stand not in _STUCK,
                one.node in around,
                _LOOKED_AT.index(one.stand),
            ),
        ).node
    return found.moment.node or None if found.moment else None


def sign_of(found: Overlay, stand: NodeStand, now: datetime) -> NodeState | None:
    """Return the sign of a node; None for one that may still come."""
    if stand.stand is Stand.not_reached:
        return None
    words, tone = _STANDS[stand.stand]
    at = found.moment.at if found.is_past and found.moment else now
    length = length_of(stand, at)
    is_open = stand.stand in _OPEN and not found.is_past
    notes = []
    if length is not None and not is_open and stand.stand is not Stand.skipped:
        notes.append(duration_text(length_ms(length)))
    if stand.rounds > 1:
        notes.append(f"{stand.done:,} of {stand.rounds:,}")
        if stand.failed:
            notes.append(f"{stand.failed:,} failed")
    elif stand.tries > 1:
        notes.append(f"{stand.tries:,} tries")
    name = name_of(found, stand.node)
    return NodeState(
        node=stand.node,
        tone=tone,
        words=words,
        title=f"{name}: {words.lower()}. {stand.says}".strip(),
        note=", ".join(notes),
        so_far_ms=length_ms(length) if is_open and length is not None else None,
    )


def name_of(found: Overlay, node: str) -> str:
    return title(Sheet(found.document), node) if node in found.document.nodes else node


def nothing_chosen() -> h.Element:
    return h.div("#panel.fl-panel", tabindex="-1")[
        h.p(".sw-quiet")["Select a node to see what it was given and what it gave, try by try."]
    ]


def run_dots(runs: Sequence[tuple[UUID, RunStatus]]) -> h.Element | None:
    """Return the last runs of a flow, each a badge that leads to its overlay."""
    if not runs:
        return None
    return h.span(".fl-runs")[
        [
            h.a(href=overlay_url(run), title="Show this run over its flow")[state_badge(status)]
            for run, status in runs
        ]
    ]
