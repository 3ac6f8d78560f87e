"""Figures for Prometheus: counted as the engine writes, shown only to who has the token."""

import urllib.request
from datetime import timedelta

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from prometheus_client import REGISTRY
from pydantic import SecretStr
from redis.asyncio import Redis

from app.core.database import Database
from app.core.secrets import new_key
from app.flows.metrics import exposition_of_runs
from app.routes.health import metrics
from app.routes.security.plugin import SecurityPlugin
from app.routes.security.visit import Edge
from app.settings import Settings
from app.worker import show_metrics
from tests.drivers.process import free_port
from tests.flows.conftest import Workshop, chain

TOKEN = "scrape-7"


def steps(kind: str, outcome: str) -> float:
    labels = {"type": kind, "outcome": outcome}
    return REGISTRY.get_sample_value("slipway_flow_steps_total", labels) or 0.0


async def test_steps_and_commits_are_counted(workshop: Workshop) -> None:
    done, refused = steps("t.note", "succeeded"), steps("t.refuse", "failed")
    commits = REGISTRY.get_sample_value("slipway_flow_commit_changes_count") or 0.0
    await workshop.start(chain(note="t.note", no="t.refuse"))
    await workshop.drive()
    assert steps("t.note", "succeeded") - done == 1
    assert steps("t.refuse", "failed") - refused == 1
    assert (REGISTRY.get_sample_value("slipway_flow_commit_changes_count") or 0.0) > commits


async def test_runs_are_counted_by_status_and_the_oldest_due_one_is_told(
    workshop: Workshop, database: Database
) -> None:
    async with database.snapshot() as tx:
        assert "slipway_oldest_due_run_seconds 0.0" in (await exposition_of_runs(tx)).decode()
    await workshop.start(chain(note="t.note"), key="a")
    await workshop.drive()
    await workshop.start(chain(note="t.note"), key="b")
    workshop.clock.advance(seconds=timedelta(minutes=2).total_seconds())
    async with database.snapshot() as tx:
        told = (await exposition_of_runs(tx)).decode()
    assert 'slipway_runs{status="succeeded"} 1.0' in told
    assert 'slipway_runs{status="queued"} 1.0' in told
    assert 'slipway_runs{status="halted"} 0.0' in told
    assert "slipway_oldest_due_run_seconds 120.0" in told


@pytest.mark.parametrize(
    ("token", "shown", "status"),
    [
        ("", "", 404),
        ("", "Bearer ", 404),
        (TOKEN, "", 404),
        (TOKEN, "Bearer nearly", 404),
        (TOKEN, f"Bearer {TOKEN}", 200),
    ],
)
async def test_only_who_has_the_token_sees_them(
    database: Database, redis: Redis, token: str, shown: str, status: int
) -> None:
    settings = Settings(
        _env_file=None,
        base_url="http://slipway.test",
        keys=new_key(),
        metrics_token=SecretStr(token),
    )

    def provide(value: object) -> Provide:
        return Provide(lambda: value, sync_to_thread=False)

    app = Litestar(
        [metrics],
        plugins=[SecurityPlugin(lambda: Edge(settings, database, redis))],
        dependencies={"db": provide(database), "settings": provide(settings)},
        openapi_config=None,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://slipway.test") as client:
        answer = await client.get("/metrics", headers={"Authorization": shown} if shown else {})
    assert answer.status_code == status
    assert ("slipway_runs" in answer.text) == (status == 200)


def test_a_worker_shows_its_own_at_its_port() -> None:
    show_metrics(0)()
    port = free_port()
    stop = show_metrics(port)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"slipway_flow_commit_changes" in answer.read()
    finally:
        stop()
