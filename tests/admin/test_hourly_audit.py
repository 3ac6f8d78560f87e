"""The audit by the clock: planned, given to one worker, and on its page."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from arq.connections import create_pool
from arq.constants import default_queue_name, in_progress_key_prefix
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.embedded.redis import EmbeddedRedis
from app.core.live import Live
from app.core.secrets import Vault
from app.jobs.sweeps import audit_claims
from app.resources import Servers
from app.settings import Settings
from app.worker import PeriodicWorker, arq_worker
from tests.jobs.desk import SETTINGS, Desk
from tests.security.browser import Browser

PAGE = "/admin/address-audits"
JOB = "cron:audit_claims"
NINE = datetime(2020, 1, 1, 9, 22, 59, 500_000, tzinfo=UTC)
"""Just before a tick; long ago, so that what it queues is due."""


@contextlib.asynccontextmanager
async def a_worker(url: str, ctx: dict[str, Any]) -> AsyncIterator[PeriodicWorker]:
    """Give a worker that has nothing to do but the audit."""
    worker = arq_worker(Servers("", url, ()), ctx["slipway"])
    worker.cron_jobs = [job for job in worker.cron_jobs or () if job.name == JOB]
    worker._pool = await create_pool(
        worker.redis_settings,
        job_serializer=worker.job_serializer,
        job_deserializer=worker.job_deserializer,
    )
    assert worker.on_startup is not None
    await worker.on_startup(worker.ctx)
    yield worker
    await worker.pool.aclose(close_connection_pool=True)


async def tick(*workers: PeriodicWorker, at: datetime = NINE) -> None:
    for worker in workers:
        await worker.run_cron(at - timedelta(seconds=1), 0.5)
    await asyncio.gather(*(worker.run_cron(at, 0.5) for worker in workers))


async def work(*workers: PeriodicWorker) -> None:
    """Let all take what is queued at the same time, and finish it."""
    await asyncio.gather(*(worker._poll_iteration() for worker in workers))
    await asyncio.gather(*(task for worker in workers for task in worker.tasks.values()))


async def test_each_tick_is_one_audit_on_the_page_whichever_workers_fire(
    database: Database,
    redis: Redis,
    redis_server: EmbeddedRedis,
    vault: Vault,
    clock: SetClock,
    owner: Browser,
) -> None:
    desk = Desk(database, clock, vault, Live(redis), Settings(_env_file=None, **SETTINGS))

    async def audits() -> int:
        page = (await owner.get(PAGE)).text
        return page.count(">Clean<")

    async with (
        a_worker(redis_server.url, desk.ctx) as one,
        a_worker(redis_server.url, desk.ctx) as two,
    ):
        assert [(job.name, job.minute) for job in one.cron_jobs or ()] == [(JOB, 23)]
        await tick(one, two)
        assert await redis.zcard(default_queue_name) == 1
        await work(one, two)
        assert (await audits(), one.jobs_complete + two.jobs_complete) == (1, 1)

        # A third one that is late queues it again, and gets it once the turn is forgotten.
        async with a_worker(redis_server.url, desk.ctx) as late:
            await tick(late)
            [job] = await redis.zrange(default_queue_name, 0, -1)
            await work(late)
            assert late.jobs_complete == 0
            await redis.delete(in_progress_key_prefix + job.decode())
            await work(late)
            assert (await audits(), late.jobs_complete) == (1, 1)

        clock.advance(hours=1)
        await tick(one, two, at=NINE + timedelta(hours=1))
        await work(one, two)
        assert await audits() == 2
    clock.advance(hours=1)
    await asyncio.gather(audit_claims(desk.ctx), audit_claims(desk.ctx))
    assert await audits() == 3
