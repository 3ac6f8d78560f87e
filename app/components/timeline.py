"""The timeline: the steps of a delivery, one below the other, with their times."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import htpy as h

from app.components.icon import IconName, icon
from app.components.time import about_text, duration_text, elapsed


class StepState(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    """Not begun."""
    RUNNING = "running"
    """Begun; its counter runs."""
    DONE = "done"
    """Finished well."""
    FAILED = "failed"
    """Given up; its `note` tells why."""
    SKIPPED = "skipped"
    """Not needed for this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineStep:
    """One step as it is shown; lengths are in milliseconds, None where unknown."""

    label: str
    state: StepState
    elapsed_ms: int | None = None
    expected_ms: int | None = None
    note: h.Node = None


_SYMBOLS: dict[StepState, IconName] = {
    StepState.PENDING: "circle-dashed",
    StepState.RUNNING: "loader-circle",
    StepState.DONE: "check",
    StepState.FAILED: "x",
    StepState.SKIPPED: "minus",
}
_WORDS: dict[StepState, str] = {
    StepState.PENDING: "to do",
    StepState.RUNNING: "in progress",
    StepState.DONE: "done",
    StepState.FAILED: "failed",
    StepState.SKIPPED: "not needed",
}


def timeline(steps: Sequence[TimelineStep], *, label: str = "Progress") -> h.Element:
    """Return the steps as an ordered list; inside a live region it follows the delivery."""
    return h.ol(".sw-timeline", aria_label=label)[[_step(step) for step in steps]]


def tries_words(tries: int, whole_ms: int) -> str:
    """Say how often a step was tried, and how long that took together."""
    return f"{tries} tries, {duration_text(whole_ms)} in all"


def _step(step: TimelineStep) -> h.Element:
    current = "step" if step.state is StepState.RUNNING else None
    return h.li(class_=["sw-step", f"is-{step.state}"], aria_current=current)[
        h.span(".sw-step-symbol")[icon(_SYMBOLS[step.state])],
        h.div(".sw-step-body")[
            h.div(".sw-step-head")[
                h.span(".sw-step-label")[step.label],
                h.span(".visually-hidden")[f" ({_WORDS[step.state]})"],
                _times(step),
            ],
            _bar(step),
            h.div(".sw-step-note")[step.note] if step.note is not None else None,
        ],
    ]


def _times(step: TimelineStep) -> h.Element | None:
    """Show the time taken, and what was expected as long as that matters."""
    waiting = step.state in {StepState.PENDING, StepState.RUNNING}
    usual = (
        h.span(".sw-step-expected")[f"usually {about_text(step.expected_ms)}"]
        if step.expected_ms is not None and waiting
        else None
    )
    if step.elapsed_ms is None:
        return h.span(".sw-step-times")[usual] if usual else None
    running = step.state is StepState.RUNNING
    taken = (
        elapsed(step.elapsed_ms)
        if running
        else h.span(".sw-duration")[duration_text(step.elapsed_ms)]
    )
    return h.span(".sw-step-times")[usual, taken]


def _bar(step: TimelineStep) -> h.VoidElement | h.Element | None:
    if step.state is not StepState.RUNNING or not step.expected_ms:
        return None
    so_far = step.elapsed_ms or 0
    return h.progress(
        ".sw-step-bar",
        value=min(so_far, step.expected_ms),
        max=step.expected_ms,
        data_progress_ms=so_far,
        aria_label=f"{step.label}: time taken of the time expected",
    )
