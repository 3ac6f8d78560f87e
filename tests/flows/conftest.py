"""A workshop: publish a document, start it, and drive it with a clock that tests set."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.ids import new_id
from app.core.live import Live
from app.flows import registry
from app.flows.bind import bind
from app.flows.course import Course
from app.flows.document import Document, NodeSpec, Retry
from app.flows.interpreter import Interpreter
from app.flows.lease import claim_due
from app.flows.publish import publish
from app.flows.runner import Runner
from app.flows.start import start_run
from tests.flows.nodes import Killed, World, nodes

LEASE_S = 15.0


@dataclass
class Workshop:
    database: Database
    clock: SetClock
    live: Live
    world: World = field(default_factory=World)
    category: UUID = field(default_factory=new_id)

    async def start(self, document: Document, *, key: str = "one") -> UUID:
        async with self.database.transaction() as tx:
            await tx.execute(
                "INSERT INTO category (id, slug, name) VALUES ($1, $2, 'Test') ON CONFLICT DO NOTHING",
                self.category,
                str(self.category),
            )
            await publish(tx, document, note="test")
            await bind(tx, category=self.category, trigger="test", flow=document.flow)
            return await start_run(
                tx, category=self.category, trigger="test", subject=new_id(),
                data={"name": "Ada"}, dedup_key=key,
            )  # fmt: skip

    made: list[Interpreter] = field(default_factory=list)

    def interpreter(self) -> Interpreter:
        """Make a worker's interpreter; it is closed when the test ends."""
        self.made.append(Interpreter(self.database, self.world))
        return self.made[-1]

    async def close(self) -> None:
        """Let go of the database: writers hold a connection each."""
        while self.made:
            await self.made.pop().close()

    def runner(self) -> Runner:
        interpreter = self.interpreter()
        return Runner(self.database, self.live, interpreter, lease_s=LEASE_S)

    async def drive(self) -> None:
        """Do all that is due now, as one worker would."""
        runner = self.runner()
        while await runner.sweep():
            await runner.idle()

    async def drive_and_die(self) -> bool:
        """Drive one claimed run; returns whether the worker was killed on the way."""
        async with self.database.transaction() as tx:
            claims = await claim_due(tx, owner="doomed", lease_s=LEASE_S, limit=1)
        interpreter = self.interpreter()
        try:
            for course in await interpreter.recall(claims):
                await interpreter.drive(course)
        except Killed:
            await interpreter.close()  # its writer dies with it, and holds no row any more
            return True
        return False

    async def claim(self) -> Course:
        """Lease the run that is due, as one worker would."""
        async with self.database.transaction() as tx:
            claims = await claim_due(tx, owner="test", lease_s=LEASE_S, limit=1)
        (course,) = await self.interpreter().recall(claims)
        return course

    async def drive_one(self, course: Course) -> None:
        """Drive a run that has been leased."""
        await self.interpreter().drive(course)

    async def status(self, run: UUID) -> str:
        async with self.database.snapshot() as tx:
            return str(await tx.fetchval("SELECT status FROM run WHERE id = $1", run))

    async def notes(self, action: str = "noted") -> list[str]:
        async with self.database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT reason FROM audit_entry WHERE action = $1 ORDER BY id", action
            )
        return sorted(row["reason"] for row in rows)

    async def attempts(self, run: UUID) -> list[tuple[str, int, str]]:
        async with self.database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT node, attempt, status FROM step_attempt WHERE run = $1 ORDER BY id", run
            )
        return [(row["node"], row["attempt"], row["status"]) for row in rows]


@pytest.fixture
async def workshop(
    database: Database, clock: SetClock, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Workshop]:
    monkeypatch.setattr(registry, "node_types", nodes)
    live = Live(redis)
    workshop = Workshop(database, clock, live)
    yield workshop
    await workshop.close()


def document(
    steps: dict[str, Any], edges: list[tuple[str, str]], *, on_failure: str = "halt"
) -> Document:
    """Make a document; a step is its type, or (type, {spec fields})."""
    made = {"begin": NodeSpec(type="t.begin")}
    for name, spec in steps.items():
        kind, fields = spec if isinstance(spec, tuple) else (spec, {})
        made[name] = NodeSpec(type=kind, **fields)
    return Document(flow="test", nodes=made, edges=tuple(edges), on_failure=on_failure)


def chain(**steps: Any) -> Document:
    """Make a document whose steps follow one another."""
    names = ["begin", *steps]
    edges = [(f"{a}.out", f"{b}.in") for a, b in itertools.pairwise(names)]
    return document(steps, edges)


QUICK = Retry(max=3, delay="2s", factor=2.0, jitter=False)
