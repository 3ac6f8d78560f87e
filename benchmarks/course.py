"""One delivery taken apart: what the hardware took, what we took, and where."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx
import msgspec

from app.core.database import Database
from benchmarks.hardware import Busy, busy_s, gaps, waited_s

CONTAINER = "logic.repeat"
LETTER = "service-delivered"
"""The template of the credentials mail; other mails of an order do not count."""


class Step(msgspec.Struct, frozen=True):
    """One step of the run, in epoch seconds."""

    node: str
    started_at: float
    finished_at: float


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery from `paid_at` to `mailed_at`, epoch seconds.

    `own_s` is all that the hardware did not take. `steps_s` shares it out to the steps, and
    `gaps_s` to the pauses of the hardware; in both `waited` is where machines waited for HTTP.
    """

    hostname: str
    server: str
    paid_at: float
    mailed_at: float
    hardware_s: float
    own_s: float
    steps_s: dict[str, float]
    gaps_s: dict[str, float]

    @property
    def total_s(self) -> float:
        return self.mailed_at - self.paid_at


def course_of(
    hostname: str,
    server: str,
    window: tuple[float, float],
    events: Sequence[Busy],
    steps: Sequence[Step] = (),
) -> Course:
    """Take a delivery apart. `steps` are in order and do not overlap."""
    paid_at, mailed_at = window
    return Course(
        hostname=hostname,
        server=server,
        paid_at=paid_at,
        mailed_at=mailed_at,
        hardware_s=busy_s(events, paid_at, mailed_at),
        own_s=mailed_at - paid_at - busy_s(events, paid_at, mailed_at),
        steps_s=share_per_step(steps, window, events),
        gaps_s=share_per_gap(window, events),
    )


def share_per_step(
    steps: Sequence[Step], window: tuple[float, float], events: Sequence[Busy]
) -> dict[str, float]:
    """Return the seconds besides the hardware's in each step, and between the steps."""
    shares: dict[str, float] = defaultdict(float)
    at, mailed_at = window
    label = "picked up"
    for step in steps:
        began, ended = max(step.started_at, at), min(step.finished_at, mailed_at)
        if ended <= began:
            continue
        shares[label] += began - at - busy_s(events, at, began)
        shares[step.node] += ended - began - busy_s(events, began, ended)
        at, label = ended, "between steps"
    shares["after the last step"] += mailed_at - at - busy_s(events, at, mailed_at)
    return dict(shares)


def share_per_gap(window: tuple[float, float], events: Sequence[Busy]) -> dict[str, float]:
    """Return the seconds of each pause of the hardware, and those that it waited for HTTP."""
    shares: dict[str, float] = defaultdict(float)
    for gap in gaps(events, *window):
        shares[f"{gap.after} → {gap.before}"] += gap.length_s
    for event in events:
        if waited := waited_s([event], *window):
            shares[f"waited in {event.kind}"] += waited
    return dict(shares)


async def read_course(database: Database, lab: httpx.AsyncClient, order: UUID) -> Course:
    """Read a finished delivery from the database, the hardware log and the mailbox."""
    async with database.snapshot() as tx:
        row = await tx.fetchrow(
            "SELECT o.hostname, s.name, max(p.settled_at) AS paid_at, m.recipient, m.subject "
            "FROM client_order o JOIN server s ON s.holder = o.id "
            'JOIN invoice i ON i."order" = o.id '
            "JOIN payment p ON p.invoice = i.id AND p.state = 'succeeded' "
            'JOIN mail m ON m."order" = o.id AND m.code = $2 WHERE o.id = $1 GROUP BY 1, 2, 4, 5',
            order,
            LETTER,
        )
        attempts = await tx.fetch(
            "SELECT t.node, t.started_at, t.finished_at FROM step_attempt t "
            "JOIN run r ON r.id = t.run JOIN flow_version v ON v.id = r.flow_version "
            "WHERE r.subject = $1 AND t.finished_at IS NOT NULL "
            "AND v.document::jsonb -> 'nodes' -> t.node ->> 'type' <> $2 ORDER BY t.id",
            order,
            CONTAINER,
        )
    if row is None:
        raise LookupError(f"order {order} was not delivered")
    paid_at = row["paid_at"].timestamp()
    mailed_at = await mailed(lab, row["recipient"], row["subject"])
    return course_of(
        row["hostname"],
        row["name"],
        (paid_at, mailed_at),
        await hardware_log(lab, row["name"], since=paid_at),
        [
            Step(each["node"], each["started_at"].timestamp(), each["finished_at"].timestamp())
            for each in attempts
        ],
    )


async def hardware_log(lab: httpx.AsyncClient, machine: str, *, since: float) -> list[Busy]:
    answer = await lab.get("/api/hardware-log", params={"machine": machine, "since": since})
    answer.raise_for_status()
    return msgspec.json.decode(answer.content, type=list[Busy])


async def mailed(lab: httpx.AsyncClient, recipient: str, subject: str) -> float:
    """Return when the mailbox took the first mail with this subject."""
    answer = await lab.get("/api/mailbox", params={"to": recipient})
    answer.raise_for_status()
    letters: list[dict[str, Any]] = answer.json()
    times = [each["received_at"] for each in letters if each["subject"] == subject]
    if not times:
        raise LookupError(f"no mail “{subject}” in the mailbox of {recipient}")
    return float(min(times))
