"""What lists and pages show of a flow: how long it takes, its last failure, its score."""

import htpy as h

from app.components.admin.run_bits import RUNS, length_ms
from app.components.badge import badge
from app.components.time import duration_text, moment
from app.components.tone import Tone
from app.flows.flow_views import BindingRow, Failure, FlowRow

FLOWS = "/admin/flows"
IMPORT = "/admin/flow-import"
ORDER_PAID = "order.paid"
TRUSTED, DOUBTED = 90, 60
"""Scores from which a rehearsal is good, and below which it is bad, in percent."""


def trigger_words(trigger: str) -> str:
    """Turn `order.paid` into "order paid"."""
    return trigger.replace(".", " ").replace("_", " ")


def flow_badges(flow: FlowRow) -> list[h.Node]:
    return [
        None if flow.is_enabled else badge("Disabled", "danger", dot=False),
        badge("Draft is newer", "info", dot=False) if flow.is_draft_newer else None,
    ]


def rate_words(flow: FlowRow) -> str:
    rate = flow.success_rate
    return "–" if rate is None else f"{rate:.1%}"


def takes(flow: FlowRow) -> h.Node:
    if flow.p50 is None or flow.p99 is None:
        return "–"
    return h.div[
        duration_text(length_ms(flow.p50)),
        h.span(".sw-under")[f"p99 {duration_text(length_ms(flow.p99))}"],
    ]


def failure_link(failure: Failure | None) -> h.Node:
    """Return when a run went wrong last, as the way to it, and its error."""
    if failure is None:
        return "–"
    return h.div[
        h.a(href=f"{RUNS}/{failure.run}")[moment(failure.at)],
        h.span(".sw-under.sw-clip")[failure.error or failure.status],
    ]


def score_tone(score: int) -> Tone:
    return "success" if score >= TRUSTED else "warning" if score >= DOUBTED else "danger"


def score_badge(score: int | None) -> h.Node:
    """Return what a rehearsal found, in percent of the faults; a dash when there was none."""
    if score is None:
        return h.span(".sw-quiet")["–"]
    return badge(f"{score} %", score_tone(score), dot=False)


def served_words(binding: BindingRow) -> str:
    """Name the flow that serves a category: `Dedicated server, version 3`."""
    return f"{binding.flow_name}, version {binding.version}"
