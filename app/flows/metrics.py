"""Figures of the engine for Prometheus: of this process as it writes, of all runs when asked.

Steps a second is `rate(slipway_flow_steps_total[1m])`; failures by node type are those of its
lines whose outcome is not `succeeded`.
"""

from collections import Counter as Tally
from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from app.core.database import Tx
from app.flows.change import AttemptRow
from app.flows.find import count_runs
from app.flows.lease import OPEN

_STEPS = Counter(
    "slipway_flow_steps", "Attempts of steps that ended in this process.", ["type", "outcome"]
)
_COMMIT = Histogram(
    "slipway_flow_commit_changes",
    "Changes of runs written in one commit by this process.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)


def count_commit(changes: int) -> None:
    """Note that so many changes were written in one commit."""
    _COMMIT.observe(changes)


def count_steps(attempts: Iterable[AttemptRow]) -> None:
    """Note the attempts among these that have ended; under 1 µs each."""
    ended = Tally((each.type, each.status) for each in attempts if each.finished_at is not None)
    for (kind, outcome), count in ended.items():
        _steps(kind, outcome).inc(count)


@lru_cache(maxsize=2_048)
def _steps(kind: str, outcome: str) -> Counter:
    return _STEPS.labels(kind, outcome)


async def exposition_of_runs(tx: Tx) -> bytes:
    """Return the gauges of all runs in Prometheus' text format; two statements by index."""
    registry = CollectorRegistry()
    runs = Gauge("slipway_runs", "Runs of flows by status.", ["status"], registry=registry)
    for status, count in (await count_runs(tx)).items():
        runs.labels(status.value).set(count)
    late = Gauge(
        "slipway_oldest_due_run_seconds",
        "For how long the run that waits longest for a worker has been due; 0 when none is.",
        registry=registry,
    )
    due = await tx.fetchval(
        "SELECT min(wake_at) FROM run WHERE status = ANY($1) AND wake_at <= $2 "
        "AND (lease_until IS NULL OR lease_until < $2)",
        list(OPEN),
        tx.now(),
    )
    late.set(0 if due is None else (tx.now() - due).total_seconds())
    return generate_latest(registry)
