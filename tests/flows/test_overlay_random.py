"""The states over a run's drawing are those of the engine's own tables, whatever the flow."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flows import registry
from app.flows.document import Document
from app.flows.overlay import NodeStand, Overlay, Stand, find_overlay, ways
from app.flows.steer import cancel_run
from tests.flows.conftest import Workshop
from tests.flows.dryrun.random_flows import flows, kinds
from tests.flows.nodes import busy

KEYS = itertools.count()
ENDED = ("succeeded", "failed", "halted", "cancelled")


@pytest.fixture
def world(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setattr(registry, "node_types", kinds)
    return workshop


async def read(workshop: Workshop, query: str, run: UUID) -> list[Mapping[str, Any]]:
    async with workshop.database.snapshot() as tx:
        return [dict(row) for row in await tx.fetch(query, run)]


async def look(workshop: Workshop, run: UUID, **where: int) -> Overlay:
    async with workshop.database.snapshot() as tx:
        return await find_overlay(tx, run, **where)


def by_hand(events: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int, int]]:
    """Fold events one by one: node to (rounds, done, failed), which the SQL tells in one pass."""
    last: dict[tuple[str, str], str] = {}
    for event in events:
        if event["node"]:
            last[event["node"], event["scope"]] = event["kind"]
    found: dict[str, Counter[str]] = {}
    for (node, _), kind in last.items():
        found.setdefault(node, Counter())[kind] += 1
    return {
        node: (counts.total(), counts["finished"], counts["failed"])
        for node, counts in found.items()
    }


def told(stands: Mapping[str, NodeStand]) -> dict[str, tuple[int, int, int]]:
    return {node: (one.rounds, one.done, one.failed) for node, one in stands.items() if one.rounds}


@settings(max_examples=30)
@given(flows(), st.integers(0, 6))
async def test_states_agree_with_the_tables_at_every_halt_and_with_each_event(
    world: Workshop, drawn: tuple[Document, dict[str, int]], cancel_after: int
) -> None:
    """A run that still goes on after some rounds of the clock is cancelled in the middle."""
    document, troubles = drawn
    world.world.refusals = {node: [busy()] * count for node, count in troubles.items()}
    run = await world.start(document, key=f"key-{next(KEYS)}")
    for turn in range(60):
        await world.drive()
        await world.close()
        await check_now(world, run)
        if await world.status(run) in ENDED:
            break
        if turn == cancel_after:
            async with world.database.transaction() as tx:
                await cancel_run(tx, run)
        world.clock.advance(seconds=3)
    assert await world.status(run) in ENDED
    await check_story(world, run)


async def check_now(workshop: Workshop, run: UUID) -> None:
    """Compare what is drawn now with the attempts and the tokens of the run."""
    found = await look(workshop, run)
    attempts = await read(
        workshop,
        "SELECT DISTINCT ON (scope, node) scope, node, status, error FROM step_attempt "
        "WHERE run = $1 AND port <> 'item' ORDER BY scope, node, attempt DESC",
        run,
    )
    tokens = await read(workshop, "SELECT node, state, doubt FROM token WHERE run = $1", run)
    halted = {token["node"] for token in tokens if token["state"] == "halted"}
    assert {n for n, one in found.stands.items() if one.stand is Stand.halted} == halted
    open_nodes = {token["node"] for token in tokens}
    last = {(one["node"], one["scope"]): one["status"] for one in attempts}
    for node, stand in found.stands.items():
        statuses = Counter(status for (name, _), status in last.items() if name == node)
        assert stand.rounds == statuses.total() or node in open_nodes, node
        if node in open_nodes:
            assert stand.stand not in (Stand.done, Stand.skipped, Stand.compensated), node
        elif not statuses:
            is_over = found.finished_at is not None
            assert stand.stand is (Stand.skipped if is_over else Stand.not_reached), node
        elif statuses["failed"]:
            assert stand.stand is Stand.failed, node
        elif statuses["compensated"]:
            assert stand.stand is Stand.compensated, node
        elif statuses["started"] + statuses["waiting"]:
            assert stand.stand is Stand.cancelled, node
        else:
            assert stand.stand is Stand.done, node
    assert set(ways(found)) <= set(found.document.edges)


async def check_story(workshop: Workshop, run: UUID) -> None:
    """Compare a few events of the story with a fold by hand, and the last with what is now."""
    events = await read(
        workshop, "SELECT seq, kind, scope, node FROM run_event WHERE run = $1 ORDER BY seq", run
    )
    for position in {1, 2, len(events) // 3, len(events) // 2, len(events) - 1, len(events)} - {0}:
        found = await look(workshop, run, position=position)
        assert found.moment is not None
        assert found.moment.seq == events[position - 1]["seq"]
        assert told(found.stands) == by_hand(events[:position])
