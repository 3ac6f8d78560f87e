"""Run one node in a smallest flow: once, with each step done twice, or failing at it.

After steno's helpers: *repeat every node* (the outcome is as after once), *fail at every node*
(a clean slate).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

import pytest
from redis.asyncio import Redis

from app.core.live import Live
from app.flows import journal, registry
from app.flows.change import Change
from app.flows.document import Document, NodeSpec
from app.flows.node import Done, Effect, NodeType, StepFailed, Subject, Wait
from app.flows.publish import publish
from app.flows.start import start_flow
from app.flows.steer import cancel_run, settle
from app.flows.step import Doer
from app.flows.writer import Writer
from tests.flows.conftest import LEASE_S, Workshop
from tests.flows.engine.bench import edges, output_of, places
from tests.flows.nodes import Killed
from tests.flows.walks.examples import Example
from tests.flows.walks.picture import Picture, picture, plain
from tests.flows.walks.stage import Stage

Kinds = dict[tuple[str, int], NodeType]
OVER = ("succeeded", "failed", "cancelled", "halted")
ROUNDS = 60


@dataclass(frozen=True)
class Seen:
    """What there is when a run is over."""

    status: str
    output: Any
    peer: Any
    database: Picture
    was_settled: bool
    """A person had to say what became of the step."""


@dataclass
class Walk:
    """One node type, with the kinds that its runs are made of; `kinds` is changed to fail."""

    kind: NodeType
    example: Example
    kinds: Kinds
    stage: Stage
    redis: Redis
    monkeypatch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        stage = self.stage
        self.workshop = Workshop(
            stage.database, stage.clock, Live(self.redis), world=cast("Any", stage.tools)
        )
        self.monkeypatch.setattr(registry, "node_types", lambda: self.kinds)

    async def start(self, *, then: str = "t.note") -> UUID:
        """Queue a run of the example's flow, in which `then` is what follows the node."""
        stage, example = self.stage, self.example
        await example.before(stage)
        nodes = {
            "begin": NodeSpec(type="trigger.manual"),
            "it": NodeSpec(type=self.kind.name, v=self.kind.version, params=example.params),
            "after": NodeSpec(type=then),
            **example.steps,
        }
        found = edges(*example.paths)
        used = {end.partition(".")[0] for edge in found for end in edge}
        document = Document(
            flow="walk",
            nodes={name: spec for name, spec in nodes.items() if name in used},
            edges=tuple(found),
            on_failure="compensate",
        )
        given = await example.given(stage) if example.given is not None else {}
        subject = None if example.about is Subject.NOTHING else stage.order.id
        async with stage.database.transaction() as tx:
            await publish(tx, document, note="test")
            return await start_flow(
                tx, "walk", data=given, dedup_key="walk", subject=subject,
                subject_kind=example.about,
            )  # fmt: skip

    async def to_its_end(self, run: UUID) -> str:
        """Drive the run, the world going on meanwhile, by as many workers as it takes."""
        stage = self.stage
        for _ in range(ROUNDS):
            if (status := await self.workshop.status(run)) in OVER:
                return status
            if await self.workshop.drive_and_die():
                stage.clock.advance(seconds=LEASE_S + 1)
                continue
            await stage.goes_on()
            async with stage.database.snapshot() as tx:
                wake_at = await tx.fetchval(
                    "SELECT min(wake_at) FROM run WHERE wake_at IS NOT NULL"
                )
            if wake_at is not None and wake_at > stage.clock.now():
                stage.clock.advance(seconds=(wake_at - stage.clock.now()).total_seconds())
        raise AssertionError(f"after {ROUNDS} rounds it is at {await places(self.workshop, run)}")

    async def seen(self, run: UUID, *, found: Any = None) -> Seen:
        """Return what there is when the run is over; a step in doubt is settled with `found`."""
        status = await self.to_its_end(run)
        in_doubt = status == "halted"
        if in_doubt:
            async with self.stage.database.transaction() as tx:
                await settle(tx, run, scope="/", node="it", happened=True, output=found)
            status = await self.to_its_end(run)
        return Seen(
            status=status,
            output=plain(await output_of(self.workshop, run, "it"), self.example.varies),
            peer=await self.example.peer(self.stage),
            database=await picture(self.stage.database, self.example.varies),
            was_settled=in_doubt,
        )

    async def undone(self, run: UUID) -> str:
        """Return how the run ended; what halts in doubt is cancelled by a person."""
        status = await self.to_its_end(run)
        if status == "halted":
            async with self.stage.database.transaction() as tx:
                await cancel_run(tx, run)
            status = await self.to_its_end(run)
        return status

    async def ledger(self, run: UUID) -> list[tuple[str, str]]:
        async with self.stage.database.snapshot() as tx:
            rows = await tx.fetch("SELECT kind, state FROM run_resource WHERE run = $1", run)
        return sorted((row["kind"], row["state"]) for row in rows)

    async def left(self) -> Any:
        return None if self.example.left is None else await self.example.left(self.stage)

    # How it goes wrong

    def kill_after_each_effect(self) -> list[int]:
        """Kill each worker that did the node, when its outcome is to be written; then it may be.

        Returns a list that grows by one with each kill.
        """
        kills: list[int] = []
        is_due = True

        def strike(change: Change) -> None:
            nonlocal is_due
            outcomes = [row for row in change.attempts if row.status != "started"]
            if not any(row.node == "it" for row in outcomes):
                return
            is_due = not is_due
            if not is_due:
                kills.append(1)
                raise Killed

        write, write_with = Writer.write, journal.write_with

        async def by_writer(writer: Writer, change: Change) -> Any:
            strike(change)
            return await write(writer, change)

        async def by_step(tx: Any, run: UUID, change: Change) -> Any:
            strike(change)
            return await write_with(tx, run, change)

        self.monkeypatch.setattr(Writer, "write", by_writer)
        self.monkeypatch.setattr(journal, "write_with", by_step)
        return kills

    def fail_before(self) -> None:
        do = Doer._do

        async def refuse(doer: Doer, course: Any, token: Any, stop: Any, kind: NodeType) -> None:
            if token.node == "it":
                raise StepFailed("failed before it was done")
            await do(doer, course, token, stop, kind)

        self.monkeypatch.setattr(Doer, "_do", refuse)

    def fail_after(self) -> None:
        """Let what is done be done, and the answer be lost."""
        key = self.kind.name, self.kind.version
        self.kinds = {**self.kinds, key: replace(self.kind, do=_losing(self.kind))}


def _losing(kind: NodeType) -> Callable[..., Any]:
    do: Any = kind.do

    def lost(result: Done | Wait) -> Wait:
        if isinstance(result, Done):
            raise StepFailed("done, and the answer was lost", unknown=True)
        return result

    async def later(*given: Any) -> Wait:
        return lost(await do(*given))

    def at_once(*given: Any) -> Wait:
        return lost(do(*given))

    return at_once if kind.effect is Effect.PURE else later
