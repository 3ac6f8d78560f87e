"""Runs that a release left half-way are finished by this one, and do nothing twice."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.embedded.postgres import EmbeddedPostgres
from app.core.live import Live
from app.flows import registry
from app.flows.steer import decide, resume
from tests.databases import copy_database
from tests.flows.conftest import Workshop
from tests.flows.histories import half_way
from tests.flows.histories.acting import acting

FOUND = sorted(half_way.HERE.glob("*.json"))
FINISHED = "SELECT scope, node, attempt, output FROM step_attempt WHERE run = $1 AND port <> '' ORDER BY id"


@pytest.fixture(params=FOUND, ids=lambda path: path.stem)
async def left(
    request: pytest.FixtureRequest,
    postgres: EmbeddedPostgres,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[Workshop, half_way.HalfWay]]:
    """A database as an operator has it after the update, with what the old release left."""
    path: Path = request.param
    found = msgspec.json.decode(path.read_bytes(), type=half_way.HalfWay)
    dsn = await copy_database(postgres.dsn, "slipway_half_way")
    await half_way.put_in(dsn, found)
    monkeypatch.setattr(registry, "node_types", lambda: acting({}))
    database = Database(SetClock(datetime.fromisoformat(found.taken_at)))
    await database.open(dsn)
    workshop = Workshop(database, database.clock, Live(redis))
    yield workshop, found
    await workshop.close()
    await database.close()


async def finished(workshop: Workshop, run: UUID) -> list[tuple[object, ...]]:
    async with workshop.database.snapshot() as tx:
        return [tuple(row) for row in await tx.fetch(FINISHED, run)]


async def test_what_was_left_half_way_is_finished(
    left: tuple[Workshop, half_way.HalfWay],
) -> None:
    workshop, found = left
    runs = {name: UUID(run) for name, run in found.runs.items()}
    before = {name: await finished(workshop, run) for name, run in runs.items()}
    async with workshop.database.transaction() as tx:
        if "in a branch" in runs:
            await decide(tx, runs["in a branch"], scope="/", node="ask", decision="approved")
        for name in {"halted", "mail halted"} & runs.keys():
            await resume(tx, runs[name])
    for _ in range(10):
        await workshop.drive()
        workshop.clock.advance(seconds=3_700)
    ends = {name: await workshop.status(run) for name, run in runs.items()}
    assert ends == {name: "cancelled" if name == "to be undone" else "succeeded" for name in runs}
    for name, run in runs.items():
        after = await finished(workshop, run)
        assert set(before[name]) <= set(after), "what was finished is left as it was"
        places = [one[:2] for one in after]
        assert len(places) == len(set(places)), "no step was finished twice"
