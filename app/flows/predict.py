"""How long a run will take: per node and as a whole, from how long runs took.

What was recorded is drawn from again and again (a bootstrap) along the path that a run takes:
branches that run at the same time count as the longest of them, the rounds of a loop one after
the other or so many at once. The same history, path and seed give the same answer.
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

import msgspec
import numpy as np

from app.flows.document import Document

DRAWS = 1_000
MOST_ROUNDS = 100
"""Rounds of a loop that are drawn one by one; more of them take longer as their sum does: by their
number in the mean, by its root in the deviation."""
EACH = "each"

Times: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


class History(msgspec.Struct, frozen=True):
    """How long steps took, retries and waits included."""

    steps_s: Mapping[str, Sequence[float]] = {}
    """Seconds by node, one for each time that it was done, in loops too."""
    runs_s: Sequence[float] = ()
    """Seconds of whole runs."""
    borrowed: frozenset[str] = frozenset()
    """Nodes whose times are of other versions of the flow, since this one has none."""


class Expected(msgspec.Struct, frozen=True):
    """Half of the time it takes no longer than `p50_s`, and 99 times of 100 than `p99_s`."""

    p50_s: float
    p99_s: float
    samples: int
    """How many times it was done; of a few, `p99_s` is no more than the longest of them."""
    is_borrowed: bool = False
    """It is what other versions of the flow took."""


class Prediction(msgspec.Struct, frozen=True):
    """What is expected of a run; nothing is made up where there is no history."""

    nodes: Mapping[str, Expected]
    """Nodes that have a history."""
    whole: Expected | None
    """The run as a whole, along its path; None when nothing at all is known."""
    unknown: tuple[str, ...] = ()
    """Nodes on the path without a history. They count as nothing, so `whole` is the least."""


class Path(msgspec.Struct, frozen=True):
    """The way a run takes: of each node that is done, the ports by which it is left.

    `rounds` says how often a container's body is done where that is known, `at_once` how many
    rounds run at the same time. The time of a container whose rounds are not known is its own.
    """

    ports: Mapping[str, Collection[str]]
    rounds: Mapping[str, int] = {}
    at_once: Mapping[str, int] = {}


def predict(
    document: Document,
    history: History,
    path: Path | None = None,
    *,
    instant: Collection[str] = (),
    seed: int = 0,
) -> Prediction:
    """Return what is expected of each node and of a run along `path`.

    Without a path the whole is what whole runs took. `instant` are nodes that take no time worth
    mention (pure ones): without a history they count as nothing and are not unknown. Pure; some
    milliseconds, tens of them with long loops.
    """
    nodes = {
        name: expected(times, is_borrowed=name in history.borrowed)
        for name, times in history.steps_s.items()
        if name in document.nodes and times
    }
    if path is None:
        whole = expected(history.runs_s) if history.runs_s else None
        return Prediction(nodes, whole)
    walk = _Walk(document, history, path, seed)
    total = walk.total(None)
    unknown = tuple(sorted(walk.unknown - set(instant)))
    if not walk.known:
        return Prediction(nodes, None, unknown)
    samples = min(len(history.steps_s[name]) for name in walk.known)
    is_borrowed = any(name in history.borrowed for name in walk.known)
    return Prediction(nodes, _summary(total, samples, is_borrowed=is_borrowed), unknown)


def expected(times_s: Sequence[float], *, is_borrowed: bool = False) -> Expected:
    """Return p50 and p99 of recorded times, always ones that were recorded. Needs one at least."""
    return _summary(np.asarray(times_s, np.float64), len(times_s), is_borrowed=is_borrowed)


def _summary(times: Times, samples: int, *, is_borrowed: bool) -> Expected:
    p50, p99 = np.quantile(times, (0.5, 0.99), method="inverted_cdf")
    return Expected(float(p50), float(p99), samples, is_borrowed)


class _Walk:
    """One simulation: the times of each node are drawn when they are asked for."""

    def __init__(self, document: Document, history: History, path: Path, seed: int) -> None:
        self.document = document
        self.history = history
        self.path = path
        self.seed = seed
        self.known: set[str] = set()
        self.unknown: set[str] = set()

    def total(self, container: str | None, rounds: int = 1) -> Times:
        """Return how long the top or a container's body takes, by draw and round."""
        names = [
            name
            for name in self.path.ports
            if name in self.document.nodes and self.document.nodes[name].within == container
        ]
        ends: dict[str, Times] = {}
        before = self._before(names)
        for name in _ordered(before):
            start = np.zeros((DRAWS, rounds))
            for source in before[name]:
                start = np.maximum(start, ends[source])
            ends[name] = start + self._time(name, rounds)
        total = np.zeros((DRAWS, rounds))
        for end in ends.values():
            total = np.maximum(total, end)
        return total

    def _before(self, names: list[str]) -> dict[str, list[str]]:
        """Return of each node those that it follows by an edge that is taken."""
        found: dict[str, list[str]] = {name: [] for name in names}
        for start, end in self.document.edges:
            source, _, port = start.partition(".")
            target = end.partition(".")[0]
            if source in found and target in found and port in self.path.ports[source]:
                found[target].append(source)
        return found

    def _time(self, name: str, rounds: int) -> Times:
        """Return how long a node takes in each draw and round."""
        if name in self.path.rounds and self._has_body(name):
            return self._loop(name, rounds)
        times = self.history.steps_s.get(name, ())
        if not times:
            self.unknown.add(name)
            return np.zeros((DRAWS, rounds))
        self.known.add(name)
        # Each node draws from a source of its own: one more on the path changes no other.
        rng = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        return rng.choice(np.asarray(times, np.float64), size=(DRAWS, rounds))

    def _has_body(self, name: str) -> bool:
        return any(
            self.document.nodes[other].within == name
            for other in self.path.ports
            if other in self.document.nodes
        )

    def _loop(self, name: str, outer: int) -> Times:
        """Return how long all rounds of a container take; of one inside another, alike in each."""
        count = max(0, self.path.rounds[name])
        at_once = max(1, self.path.at_once.get(name, 1))
        drawn = min(count, MOST_ROUNDS)
        if drawn == 0:
            return np.zeros((DRAWS, outer))
        took = makespan(self.total(name, drawn), at_once)
        more, mean = count / drawn, took.mean()
        took = np.maximum(0.0, mean * more + (took - mean) * np.sqrt(more))
        return np.repeat(took[:, None], outer, axis=1)


def makespan(times: Times, at_once: int) -> Times:
    """Return when the last of the rounds is over, each begun as soon as there is a place.

    `times` is by draw and round. Time: O(draws * rounds * at_once).
    """
    draws, rounds = times.shape
    if at_once == 1:
        return np.asarray(times.sum(axis=1))
    if at_once >= rounds:
        return np.asarray(times.max(axis=1, initial=0.0))
    free = np.zeros((draws, at_once))
    rows = np.arange(draws)
    for at in range(rounds):
        place = free.argmin(axis=1)
        free[rows, place] += times[:, at]
    return np.asarray(free.max(axis=1))


def _ordered(before: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the nodes so that each comes after those it follows; in a circle, none."""
    try:
        return tuple(TopologicalSorter(before).static_order())
    except CycleError:
        return ()
