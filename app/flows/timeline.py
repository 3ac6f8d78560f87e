"""A run as its client sees it: steps in order, with elapsed and expected times."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.flows.document import Document, parse
from app.flows.order import in_order
from app.flows.registry import UnknownNodeType, node_type
from app.flows.scopes import parse_scope

RECENT = 200
UNDONE = frozenset({"compensating", "cancelled", "failed"})


class StepStatus(StrEnum):
    pending = "pending"
    """Not reached yet."""

    running = "running"
    """Being done, or waiting for something outside."""

    done = "done"
    """Finished."""

    halted = "halted"
    """Stopped for a person."""


class TimelineEntry(msgspec.Struct, frozen=True):
    """One step. `says` is what it waits for, or how far it is.

    The times are of the attempt that succeeded; as long as none has, `started_at` is of the first
    one in the round that the run is in. `tries` counts the attempts of all rounds, and `whole` is
    how long these took, with the waits between them.
    """

    node: str
    label: str
    status: StepStatus
    started_at: datetime | None
    finished_at: datetime | None
    expected: timedelta | None
    says: str
    percent: int | None
    tries: int
    whole: timedelta = timedelta()

    def elapsed(self, now: datetime) -> timedelta | None:
        if self.started_at is None:
            return None
        return (self.finished_at or now) - self.started_at


class RunTimeline(msgspec.Struct, frozen=True):
    """The course of a run; `expected_end` is None until there is history to tell from."""

    run: UUID
    status: str
    error: str
    started_at: datetime
    finished_at: datetime | None
    entries: tuple[TimelineEntry, ...]
    expected_end: datetime | None


async def timeline_of(tx: Tx, run: UUID) -> RunTimeline:
    """Return the run's steps in the order of its flow; three statements, flat in history."""
    row = await tx.fetchrow(
        "SELECT r.status, r.error, r.created_at, r.finished_at, v.id AS version, v.document "
        "FROM run r JOIN flow_version v ON v.id = r.flow_version WHERE r.id = $1",
        run,
    )
    if row is None:
        raise LookupError(run)
    document = parse(row["document"])
    attempts = await tx.fetch(
        "SELECT a.node, a.scope, a.status, a.error, a.started_at, a.finished_at, "
        "i.stage, i.percent, t.state AS stands FROM step_attempt a "
        "LEFT JOIN installation i ON i.step_key = a.idempotency_key || '#' || a.attempt "
        "LEFT JOIN token t ON t.run = a.run AND t.scope = a.scope AND t.node = a.node "
        "WHERE a.run = $1 ORDER BY a.id",
        run,
    )
    usual = await _usual(tx, row["version"])
    by_node: dict[str, list[asyncpg.Record]] = {}
    for attempt in attempts:
        by_node.setdefault(attempt["node"], []).append(attempt)
    scopes = _latest_scopes(attempt["scope"] for attempt in attempts)
    entries = []
    for node, label in ordered_labels(document):
        tried = by_node.get(node, [])
        # What was begun again after a failure is running again, and so is all that follows it.
        scope = _scope_of(document, node, scopes)
        current = [attempt for attempt in tried if attempt["scope"] == scope]
        if row["status"] in UNDONE:
            # Nothing of it goes on; what was not finished, or was taken back, is as if not begun.
            current = [attempt for attempt in current if attempt["status"] == "succeeded"]
        entries.append(_entry(node, label, tried, current, expected=usual.get(node), now=tx.now()))
    entries = alike_once(document, entries)
    return RunTimeline(
        run=run,
        status=row["status"],
        error=row["error"],
        started_at=row["created_at"],
        finished_at=row["finished_at"],
        entries=tuple(entries),
        expected_end=_expected_end(tx.now(), entries),
    )


def alike_once(document: Document, entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """Return the entries, of those of a container that are alike to a client only one.

    A second try of a step is such: the one that was come to last is shown, or else the first, with
    the tries of all.
    """
    shown: dict[tuple[str, str], TimelineEntry] = {}
    for entry in entries:
        within = document.nodes[entry.node].within
        key = (entry.node if within is None else within, entry.label)
        before = shown.get(key)
        if before is None:
            shown[key] = entry
            continue
        seen = before if entry.status is StepStatus.pending else entry
        shown[key] = msgspec.structs.replace(
            seen, tries=before.tries + entry.tries, whole=before.whole + entry.whole
        )
    return list(shown.values())


def ordered_labels(document: Document) -> list[tuple[str, str]]:
    """Return (node, label) of what a client is shown, in the order of the flow.

    A node whose type is not installed any more is left out: the page shows the rest.
    """
    labels = []
    for name in in_order(document):
        spec = document.nodes[name]
        try:
            label = node_type(spec.type, spec.v).timeline
        except UnknownNodeType:
            continue
        if label:
            labels.append((name, label))
    return labels


def _latest_scopes(scopes: Iterable[str]) -> dict[str, str]:
    """Return the body scope that each container began last; `scopes` are in time's order."""
    latest: dict[str, str] = {}
    for scope in scopes:
        inner = scope
        while (parsed := parse_scope(inner)) is not None:
            latest[parsed[1]] = inner
            inner = parsed[0]
    return latest


def _scope_of(document: Document, node: str, latest: dict[str, str]) -> str | None:
    """Return the scope in which `node` stands now; None before its container was come to.

    A container inside another counts only in the latest iteration of that one.
    """
    container = document.nodes[node].within
    if container is None:
        return "/"
    scope = latest.get(container)
    parsed = parse_scope(scope) if scope else None
    if parsed is None or parsed[0] != _scope_of(document, container, latest):
        return None
    return scope


def _entry(
    node: str,
    label: str,
    tried: Sequence[asyncpg.Record],
    current: Sequence[asyncpg.Record],
    *,
    expected: timedelta | None,
    now: datetime,
) -> TimelineEntry:
    """Return a step by its attempts, and by those of the round that the run is in."""
    facts = current[-1] if current else None
    status, says, percent = StepStatus.pending, "", None
    if facts is not None:
        match facts["status"]:
            case "succeeded":
                status = StepStatus.done
            case _ if facts["stands"] == "halted":
                status = StepStatus.halted
            case _:
                status = StepStatus.running
                says = facts["stage"] or facts["error"] or ""
                percent = facts["percent"]
        if facts["status"] == "failed" and status is StepStatus.running:
            says, percent = "trying again", None
    is_done = status is StepStatus.done
    started = None if facts is None else (facts if is_done else current[0])["started_at"]
    return TimelineEntry(
        node=node,
        label=label,
        status=status,
        started_at=started,
        finished_at=facts["finished_at"] if facts is not None and is_done else None,
        expected=expected,
        says=says,
        percent=percent,
        tries=len(tried),
        whole=_whole(tried, now),
    )


def _whole(tried: Sequence[asyncpg.Record], now: datetime) -> timedelta:
    """Return how long a step took in all its rounds; what other steps took between them is not in.

    An attempt that is not over lasts until now where it is the last one, else nothing is known.
    """
    spans: dict[str, tuple[datetime, datetime]] = {}
    for attempt in tried:
        started = attempt["started_at"]
        ended = attempt["finished_at"] or (now if attempt is tried[-1] else started)
        first, last = spans.get(attempt["scope"], (started, ended))
        spans[attempt["scope"]] = min(first, started), max(last, ended)
    return sum((last - first for first, last in spans.values()), timedelta())


async def _usual(tx: Tx, version: UUID) -> dict[str, timedelta]:
    """Return the median time of each node over the latest runs of the same version."""
    rows = await tx.fetch(
        "SELECT node, percentile_cont(0.5) WITHIN GROUP (ORDER BY finished_at - started_at) AS p50 "
        "FROM (SELECT a.node, a.started_at, a.finished_at FROM step_attempt a "
        "JOIN (SELECT id FROM run WHERE flow_version = $1 AND status = 'succeeded' "
        "ORDER BY finished_at DESC LIMIT $2) r ON r.id = a.run WHERE a.status = 'succeeded') done "
        "GROUP BY node",
        version,
        RECENT,
    )
    return {row["node"]: row["p50"] for row in rows}


def _expected_end(now: datetime, entries: list[TimelineEntry]) -> datetime | None:
    """Return now plus what is left by the usual times.

    None where that would be a guess: a usual time is unknown, a step takes longer than usual,
    or one is tried again.
    """
    left = timedelta()
    for entry in entries:
        if entry.status is StepStatus.done:
            continue
        spent = entry.elapsed(now) or timedelta()
        if entry.expected is None or spent > entry.expected or entry.tries > 1:
            return None
        left += entry.expected - spent
    return now + left
