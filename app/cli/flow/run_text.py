"""One run as lines of text: the steps in time's order, rounds of loops set in, errors below."""

import textwrap
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from app.components.time import duration_text
from app.flows.standing import Standing
from app.flows.views import AttemptView, RunRow, RunView, Trouble

WIDTH = 100
_TIME, _TOOK, _STATUS = 8, 12, 11
_LONGEST_VALUE = 400


def run_lines(run: RunView, standing: Standing, now: datetime) -> list[str]:
    """Return the run's story, no line longer than `WIDTH`."""
    return [
        *_head(run.row, now),
        *_asked(standing),
        "",
        *_steps(run, now),
        *_block("Still to come", (", ".join(run.pending),) if run.pending else ()),
        *_block("Input", (_json(run.input),) if run.input else ()),
        *_block("Variables", (_json(standing.variables),) if standing.variables else ()),
        *_ledger(standing),
        *_block("", ("There are more attempts or events than are shown.",) if run.more else ()),
    ]


def _head(row: RunRow, now: datetime) -> Iterator[str]:
    yield f"Run {row.id}"
    took = _length((row.finished_at or now) - row.created_at)
    facts = {
        "Flow": f"{row.flow_name}, version {row.version}",
        "About": f"order #{row.order_number}, {row.hostname}" if row.order_number else "",
        "Began": f"{row.created_at:%Y-%m-%d %H:%M:%S} UTC, {took} ago"
        if row.finished_at is None
        else f"{row.created_at:%Y-%m-%d %H:%M:%S} UTC, took {took}",
        "Status": "being cancelled" if row.cancel_requested and row.is_live else row.status.value,
        "Stands at": _stands(row),
        "Error": row.error,
    }
    for name, value in facts.items():
        if value:
            yield from _wrapped(f"{name:<11}", value)


def _stands(row: RunRow) -> str:
    if row.node is None:
        return ""
    where = f"{row.node} in {row.scope}" if row.scope != "/" else row.node
    why = "" if row.trouble is Trouble.none else f", {row.trouble.value.replace('_', ' ')}"
    again = f", looked at again {row.next_try_at:%H:%M:%S}" if row.next_try_at else ""
    return f"{row.step} ({where}){why}{again}"


def _asked(standing: Standing) -> Iterator[str]:
    """Say what a person is asked for, in the words by which the command is told it."""
    for place in standing.places:
        step = place.node if place.scope == "/" else f"{place.scope}:{place.node}"
        if place.in_doubt:
            told = "nobody knows its outcome; look, and say so by `slipway run settle`"
            yield from _wrapped("Asks       ", f"{step}: {told}")
        if place.awaits_decision:
            yield from _wrapped("Asks       ", f"{step}: waits for `slipway run approve`")


def _ledger(standing: Standing) -> Iterator[str]:
    for number, one in enumerate(standing.ledger):
        if number == 0:
            yield ""
        lead = f"{'Taken' if number == 0 else '':<14}"
        yield from _wrapped(lead, f"{one.kind} {one.reference} by {one.node}: {one.state}")


def _steps(run: RunView, now: datetime) -> Iterator[str]:
    """Give each attempt a line; where the round of a loop changes, a line says which one it is."""
    names = {one.node: one.step for one in run.attempts}
    day, before = None, "/"
    for one in run.attempts:
        if one.started_at.date() != day:
            day = one.started_at.date()
            yield f"{day:%Y-%m-%d}"
        if one.scope not in {"/", before}:
            yield f"{' ' * (_TIME + _TOOK + _STATUS + 5)}{_rounds(one.scope, names)}"
        before = one.scope
        yield from _step(one, now)


def _rounds(scope: str, names: dict[str, str]) -> str:
    parts = [part.partition(":") for part in scope.strip("/").split("/")]
    words = ", ".join(f"{names.get(node, node)}, round {count}" for node, _, count in parts)
    return _cut(words, WIDTH - _TIME - _TOOK - _STATUS - 5) + ":"


def _step(one: AttemptView, now: datetime) -> Iterator[str]:
    depth = 0 if one.scope == "/" else one.scope.count("/")
    took = _length((one.finished_at or now) - one.started_at)
    head = f"{one.started_at:%H:%M:%S} {took:>{_TOOK}}  {_status(one):<{_STATUS}} {'  ' * depth}"
    again = f", attempt {one.attempt}" if one.attempt > 1 else ""
    room = WIDTH - len(head) - len(again)
    name = f"{one.step} ({one.node})" if one.step != one.node else one.node
    yield f"{head} {_cut(name, room - 1)}{again}"
    says = one.error or " ".join(
        filter(None, (one.stage, f"{one.percent} %" if one.percent else ""))
    )
    if says:
        yield from _wrapped(" " * (len(head) + 3), says)


def _status(one: AttemptView) -> str:
    return "HALTED" if one.is_halted else one.status


def _block(title: str, paragraphs: tuple[str, ...]) -> Iterator[str]:
    if paragraphs:
        yield ""
        for text in paragraphs:
            yield from _wrapped(f"{title:<14}" if title else "", text)


def _wrapped(lead: str, text: str) -> Iterator[str]:
    """Give `text` after `lead`, its further lines set in as far."""
    for number, paragraph in enumerate(text.splitlines() or [""]):
        yield from textwrap.wrap(
            paragraph,
            WIDTH,
            initial_indent=lead if number == 0 else " " * len(lead),
            subsequent_indent=" " * len(lead),
            break_on_hyphens=False,
        ) or [""]


def _json(value: object) -> str:
    return _cut(msgspec.json.encode(value).decode(), _LONGEST_VALUE)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _length(length: timedelta) -> str:
    if length >= timedelta(days=2):
        return f"{length.days} d {length.seconds // 3_600} h"
    return duration_text(length // timedelta(milliseconds=1))
