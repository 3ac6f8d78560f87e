"""Periodic jobs on a machine whose clock is set: they go on, and nothing is made up for."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from app.resources import Servers
from app.worker import arq_worker

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


class Queue:
    """Notes what is queued."""

    def __init__(self) -> None:
        self.jobs: list[str] = []

    async def enqueue_job(self, name: str, **_: Any) -> None:
        self.jobs.append(name)


@pytest.mark.parametrize("hours", [-2, 2])
async def test_they_are_planned_anew_when_the_clock_was_set(hours: int) -> None:
    worker = arq_worker(Servers("", "redis://127.0.0.1:1", ()), cast("Any", None))
    queue = worker._pool = cast("Any", Queue())
    for second in range(20):
        await worker.run_cron(NOON + timedelta(seconds=second), 0.5)
    usual = queue.jobs.count("cron:expire")
    assert usual == 2, "at its start, and ten seconds later"
    queue.jobs.clear()
    for second in range(20):
        await worker.run_cron(NOON + timedelta(hours=hours, seconds=20 + second), 0.5)
    assert queue.jobs.count("cron:expire") == usual
    assert len(queue.jobs) < 20
