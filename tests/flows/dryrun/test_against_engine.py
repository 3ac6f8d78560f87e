"""A dry run by a recorded run takes the path that the real engine took, and a replay agrees."""

import itertools
from uuid import UUID

import pytest
from hypothesis import given, settings

from app.flows import registry
from app.flows.document import Document, NodeSpec
from app.flows.dryrun.dry_run import follow
from app.flows.dryrun.given import Given
from app.flows.dryrun.recording import Recording, read_recording
from app.flows.dryrun.replay import replay
from app.flows.dryrun.result import Ended
from tests.conftest import START
from tests.flows.conftest import Workshop
from tests.flows.dryrun.random_flows import STEADY, flows, kinds
from tests.flows.nodes import busy

KEYS = itertools.count()
ENDS = {
    "succeeded": Ended.succeeded,
    "failed": Ended.failed,
    "halted": Ended.halted,
}


async def really(workshop: Workshop, document: Document, troubles: dict[str, int]) -> Recording:
    """Run a flow on the engine, with time that passes, and return what it left."""
    workshop.world.refusals = {node: [busy()] * count for node, count in troubles.items()}
    run = await workshop.start(document, key=f"key-{next(KEYS)}")
    for _ in range(60):
        await workshop.drive()
        await workshop.close()
        if await workshop.status(run) not in ("waiting", "queued", "compensating"):
            break
        await _next_due(workshop, run)
    return await read(workshop, run)


async def _next_due(workshop: Workshop, run: UUID) -> None:
    """Let just the time pass until something is due: with more, what ends first is chance."""
    async with workshop.database.snapshot() as tx:
        wake_at = await tx.fetchval("SELECT wake_at FROM run WHERE id = $1", run)
    if wake_at is not None:
        workshop.clock.advance(seconds=max((wake_at - workshop.clock.now()).total_seconds(), 0.0))


async def read(workshop: Workshop, run: UUID) -> Recording:
    async with workshop.database.snapshot() as tx:
        return await read_recording(tx, run)


def _at_any_hour(error: str) -> str:
    """The runs of one test begin one after the other, and dry ones all at the same moment."""
    return error.partition(" until ")[0]


@pytest.fixture
def world(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setattr(registry, "node_types", kinds)
    return workshop


@settings(max_examples=40)
@given(flows())
async def test_a_dry_run_by_a_recorded_run_takes_its_path(
    world: Workshop, drawn: tuple[Document, dict[str, int]]
) -> None:
    await takes_its_path(world, *drawn)


def both_at_once(fails: str, *, within: bool) -> tuple[Document, dict[str, int]]:
    """Return two calls whose third tries are due at once; that of `fails` fails for good."""
    loop = {"items": [0], "on_error": "continue"}
    body = "each" if within else None
    nodes = {
        "begin": NodeSpec(type="t.begin"),
        "each": NodeSpec(type="logic.each", params=loop),
        "fork": NodeSpec(type="t.note", within=body),
        "a": NodeSpec(type="t.call", within=body, retry=STEADY),
        "b": NodeSpec(type="t.call", within=body, retry=STEADY),
        "after": NodeSpec(type="t.note", within=body),
    }
    edges = [("begin.out", "each.in"), ("each.each", "fork.in")]
    if not within:
        del nodes["each"]
        edges = [("begin.out", "fork.in")]
    other = "b" if fails == "a" else "a"
    edges += [("fork.out", "a.in"), ("fork.out", "b.in"), (f"{other}.out", "after.in")]
    document = Document(flow="test", nodes=nodes, edges=tuple(edges), on_failure="compensate")
    return document, {fails: 3, other: 2}


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("fails", ["a", "b"])
async def test_what_ends_first_of_two_that_are_due_at_once_is_as_it_was_recorded(
    world: Workshop, fails: str, within: bool
) -> None:
    """One's failure gives the other up: before it has begun, under way, or with what follows it."""
    await takes_its_path(world, *both_at_once(fails, within=within))


async def takes_its_path(world: Workshop, document: Document, troubles: dict[str, int]) -> None:
    """Run a flow, and see that a dry run by it and a replay of it do the same."""
    recorded = await really(world, document, troubles)
    trace = await follow(document, Given(recorded=recorded), now=START)
    taken = {
        (row.scope, row.node, row.attempt, row.port or _at_any_hour(row.error))
        for row in trace.path
    }
    steps = {
        (one.scope, one.node, one.attempt, one.port or _at_any_hour(one.error)): one
        for one in recorded.attempts
    }
    # What had just begun when another branch's failure ended it all came to nothing.
    begun = {
        step
        for step, one in steps.items()
        if not one.is_finished and not one.is_failed and one.status != "waiting"
    }
    assert taken - begun == steps.keys() - begun
    assert trace.ended is ENDS[recorded.status]
    found = await replay(recorded)
    assert found.is_same, found.differences
