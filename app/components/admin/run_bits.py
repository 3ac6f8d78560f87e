"""What lists and the dashboard show of a run: its badge, where it stands, why it does not move."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

import htpy as h

from app.components.badge import badge, state_badge
from app.components.button import Size, submit_button
from app.components.form import csrf_field
from app.components.notice import notice
from app.components.time import duration_text, elapsed, moment
from app.components.tone import Tone
from app.flows.views import NEEDS_A_PERSON, RunRow, Trouble

RUNS = "/admin/runs"

TROUBLE: dict[Trouble, tuple[str, Tone]] = {
    Trouble.halted: ("Halted", "danger"),
    Trouble.in_doubt: ("In doubt", "danger"),
    Trouble.undo_fails: ("Undo fails", "danger"),
    Trouble.waits_for_stock: ("Waits for stock", "warning"),
    Trouble.waits_for_approval: ("Waits for approval", "warning"),
    Trouble.retrying: ("Retrying", "warning"),
}


def place_address(path: str, scope: str, node: str) -> str:
    """Return the address of what is done about one step of a run."""
    return f"{path}?{urlencode({'scope': scope, 'node': node})}"


def length_ms(length: timedelta) -> int:
    return max(int(length.total_seconds() * 1000), 0)


def run_badge(run: RunRow) -> h.Element:
    """Return the trouble's badge where there is one, else the status's."""
    if run.trouble in TROUBLE:
        words, tone = TROUBLE[run.trouble]
        return badge(words, tone)
    if run.cancel_requested and run.is_live:
        return badge("Stopping", "warning", moving=True)
    return state_badge(run.status)


def trouble_notice(run: RunRow, now: datetime, *, mend: str | None = None) -> h.Element | None:
    """Say at the top of a page why the run does not move; None when it does.

    `mend` is the address of the product whose script is to be mended, where that is why.
    """
    if run.trouble is Trouble.none:
        return None
    title = {
        Trouble.halted: f"Halted at “{run.step}”",
        Trouble.in_doubt: f"Nobody knows what became of “{run.step}”",
        Trouble.undo_fails: "Undoing it fails",
        Trouble.waits_for_stock: "Waits for a server",
        Trouble.waits_for_approval: f"“{run.step}” waits for a decision",
        Trouble.retrying: f"“{run.step}” is tried again",
    }[run.trouble]
    tone: Tone = "danger" if run.trouble in NEEDS_A_PERSON else "warning"
    way = h.a(href=mend)["The product and its script"] if mend else None
    return notice(tone, title, why_words(run, now), way)


def subject_words(run: RunRow) -> str:
    """Say what the run is for: `#1042 web-1.example.org`, else its flow."""
    if run.order_number is None:
        return run.flow_name
    return f"#{run.order_number} {run.hostname or ''}".rstrip()


def subject_cell(run: RunRow) -> h.Element:
    """Return the host name above the order's number, for the first cell of a row."""
    if run.order_number is None:
        return h.div[h.span(".sw-strong")[run.flow_name]]
    return h.div[
        h.span(".sw-strong")[run.hostname or f"#{run.order_number}"],
        h.span(".sw-under")[f"order #{run.order_number}"],
    ]


def step_words(run: RunRow) -> h.Node:
    """Say where the run stands, with the attempt when it is not the first."""
    if not run.step:
        return "–" if not run.is_live else "About to begin"
    return [run.step, f" (attempt {run.attempt})" if run.attempt > 1 else None]


def why_words(run: RunRow, now: datetime) -> h.Node:
    """Say why the run does not move and since when."""
    text = run.says or run.error
    if run.trouble is Trouble.undo_fails:
        text = run.error
    parts: list[h.Node] = [h.span(".sw-why")[text] if text else None]
    if run.next_try_at is not None:
        left = run.next_try_at - now
        due = f"next try in {duration_text(length_ms(left))}" if left > timedelta() else "due now"
        parts.append(h.span(".sw-quiet")[due])
    return h.div(".sw-whys")[parts]


def since(run: RunRow) -> h.Node:
    return moment(run.step_since or run.created_at)


def run_clock(run: RunRow, now: datetime) -> h.Node:
    """Return a counter from the payment, or from the run's beginning."""
    return elapsed(length_ms(now - (run.paid_at or run.created_at)))


def retry_form(
    run: RunRow, csrf: str, *, back: str, label: str = "Retry", size: Size = "regular"
) -> h.Element:
    """Return the one-click retry of a halted run; `back` is where to go on to."""
    return h.form(".sw-inline-form", method="post", action=f"{RUNS}/{run.id}/retry")[
        csrf_field(csrf),
        h.input(type="hidden", name="back", value=back),
        submit_button(label, busy="Retrying…", size=size, symbol="rotate-ccw"),
    ]
