"""How much of a span of time the simulated hardware was busy. Pure; times in epoch seconds."""

from collections.abc import Iterable, Sequence

import msgspec

Interval = tuple[float, float]


class Busy(msgspec.Struct, frozen=True):
    """One event of the lab's hardware log.

    In `waited_s` of it the machine waited for answers over HTTP, which is not the hardware's
    time. `ended_at` is None while it lasts.
    """

    kind: str
    started_at: float
    ended_at: float | None = None
    waited_s: float = 0.0


class Gap(msgspec.Struct, frozen=True):
    """Time between two hardware events: `after` the end of one, `before` the start of the next."""

    after: str
    before: str
    length_s: float


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same time as disjoint intervals in order; empty ones are dropped."""
    merged: list[Interval] = []
    for began, ended in sorted(each for each in intervals if each[1] > each[0]):
        if merged and began <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(ended, merged[-1][1]))
        else:
            merged.append((began, ended))
    return merged


def clip(events: Sequence[Busy], began: float, ended: float) -> list[Interval]:
    """Return the parts of the events that lie within [`began`, `ended`]."""
    return [
        (max(event.started_at, began), min(ended if e is None else e, ended))
        for event in events
        for e in (event.ended_at,)
        if event.started_at < ended and (e is None or e > began)
    ]


def busy_s(events: Sequence[Busy], began: float, ended: float) -> float:
    """Return the hardware's own seconds within [`began`, `ended`].

    The union of the events, so that what overlaps counts once, less the time in which the
    machine waited for HTTP. Of an event that lies only partly inside, as much of its waiting
    is taken as would fit there: rather too much, which counts against whoever answered.
    """
    covered = sum(b - a for a, b in union(clip(events, began, ended)))
    return max(0.0, covered - waited_s(events, began, ended))


def waited_s(events: Sequence[Busy], began: float, ended: float) -> float:
    """Return for how long the machine waited for HTTP within [`began`, `ended`]."""
    return sum(
        min(event.waited_s, b - a)
        for event in events
        for a, b in union(clip([event], began, ended))
    )


def gaps(events: Sequence[Busy], began: float, ended: float) -> list[Gap]:
    """Return the time in which the hardware did nothing, each with what came before and after.

    The edges of the window are called `paid` and `mailed`.
    """
    found: list[Gap] = []
    last_kind, last_end = "paid", began
    inside = [event for event in events if clip([event], began, ended)]
    for event in sorted(inside, key=lambda each: each.started_at):
        if event.started_at > last_end:
            found.append(Gap(last_kind, event.kind, event.started_at - last_end))
        event_end = ended if event.ended_at is None else min(event.ended_at, ended)
        if event_end >= last_end:
            last_kind, last_end = event.kind, event_end
    if ended > last_end:
        found.append(Gap(last_kind, "mailed", ended - last_end))
    return found
