"""A run over its drawing: how each node stands, now and after every event of its story."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from app.components.designer.overlay import debugged_words, run_now
from app.core.errors import NotFound
from app.core.ids import new_id
from app.flows import registry
from app.flows.drafts import debug
from app.flows.drafts.change import change
from app.flows.drafts.command import Command
from app.flows.drafts.debug import debug_run
from app.flows.drafts.find import find_draft
from app.flows.overlay import Overlay, find_node, find_overlay, ways
from app.flows.publish import publish
from app.flows.start import start_flow
from app.flows.steer import cancel_run
from tests.designer.desk import ADA
from tests.flows.conftest import Workshop
from tests.flows.histories.acting import acting
from tests.flows.histories.record import PLACES

Begin = Callable[[str], Awaitable[UUID]]


@pytest.fixture
def begin(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Run one of the flows that are stopped half-way, as far as it goes by itself."""

    async def started(place: str) -> UUID:
        document, faults = PLACES[place]
        monkeypatch.setattr(registry, "node_types", lambda: acting(faults))
        async with workshop.database.transaction() as tx:
            await publish(tx, document, note="test")
            run = await start_flow(tx, document.flow, data={}, dedup_key=place)
        await workshop.drive()
        return run

    return started


async def look(workshop: Workshop, run: UUID, **where: int) -> Overlay:
    async with workshop.database.snapshot() as tx:
        return await find_overlay(tx, run, **where)


def stands(found: Overlay) -> dict[str, str]:
    return {node: stand.stand.value for node, stand in found.stands.items()}


EXPECTED = {
    "in a loop": {"begin": "done", "each": "running", "record": "done", "pause": "waiting",
                  "tell": "not_reached"},
    "in a branch": {"begin": "done", "fork": "done", "left": "done", "ask": "waiting",
                    "join": "waiting", "tell": "not_reached"},
    "before another try": {"begin": "done", "record": "retrying", "tell": "not_reached"},
    "halted": {"begin": "done", "record": "done", "tell": "halted"},
}  # fmt: skip


ACTIVE = {"in a loop": "pause", "in a branch": "ask", "before another try": "record",
          "halted": "tell"}  # fmt: skip
"""What is brought into sight while the run is followed: in a loop not the loop, but what waits."""


@pytest.mark.parametrize("place", EXPECTED)
async def test_how_each_node_stands(workshop: Workshop, begin: Begin, place: str) -> None:
    run = await begin(place)
    found = await look(workshop, run)
    assert stands(found) == EXPECTED[place]
    assert not found.is_past
    assert f'data-active="{ACTIVE[place]}"' in str(run_now(found, workshop.clock.now()))


async def test_the_way_that_was_taken(workshop: Workshop, begin: Begin) -> None:
    found = await look(workshop, await begin("in a branch"))
    assert ("fork.branch:left", "left.in") in ways(found)
    assert ("fork.branch:right", "ask.in") in ways(found)
    assert ("ask.approved", "join.in") not in ways(found)


async def test_what_was_undone_and_what_was_never_come_to(workshop: Workshop, begin: Begin) -> None:
    run = await begin("halted")
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    found = await look(workshop, run)
    assert stands(found) == {"begin": "done", "record": "compensated", "tell": "failed"}
    assert found.stands["tell"].says == "the peer refuses"
    run = await begin("before another try")
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    found = await look(workshop, run)
    assert stands(found)["tell"] == "skipped"
    # It has no event of its own: who followed the run to its end is told of it all the same.
    assert found.moment is not None
    last = str(run_now(found, workshop.clock.now(), since=found.moment.seq))
    assert "Not come to" in last
    assert 'data-says="Cancelled."' in last


@pytest.mark.parametrize("place", EXPECTED)
async def test_stepping_back_shows_the_run_as_it_stood(
    workshop: Workshop, begin: Begin, place: str
) -> None:
    """A node is come to once, nothing is known before it happened, and the last step is now."""
    run = await begin(place)
    for _ in range(6):
        workshop.clock.advance(seconds=3_700)
        await workshop.drive()
    last = await look(workshop, run)
    assert last.moment is not None
    seen: set[str] = set()
    for position in range(1, last.moment.count + 1):
        found = await look(workshop, run, position=position)
        assert found.moment is not None
        assert (found.moment.position, found.is_past) == (position, position < last.moment.count)
        come_to = {node for node, one in found.stands.items() if one.began_at is not None}
        assert seen <= come_to, "what was come to stays come to"
        assert len(come_to - seen) <= 1, "one event is about one node"
        assert all(one.seq <= found.moment.seq for one in found.stands.values())
        seen = come_to
    assert (await look(workshop, run, position=10**6)).stands == last.stands
    tables = {node for node, _, _ in await workshop.attempts(run)}
    assert seen == tables


async def test_the_rounds_of_a_node_are_read_page_by_page(workshop: Workshop, begin: Begin) -> None:
    run = await begin("in a loop")
    for _ in range(4):
        workshop.clock.advance(seconds=3_700)
        await workshop.drive()
    found = await look(workshop, run)
    assert (found.status, found.stands["record"].rounds, found.stands["record"].done) == (
        "succeeded", 3, 3,
    )  # fmt: skip
    assert found.moment is not None
    async with workshop.database.snapshot() as tx:
        file = await find_node(tx, run, found.document, "record", upto=found.moment.seq)
        assert file.round_count == 3
        assert [one.scope for one in file.rounds] == ["/each:3", "/each:2", "/each:1"]
        first = await find_node(
            tx, run, found.document, "record", upto=found.moment.seq, scope="/each:1"
        )
        assert [one.scope for one in first.attempts] == ["/each:1"]
        nothing = await find_node(tx, run, found.document, "record", upto=1, scope="/each:1")
        assert nothing.attempts == ()
        with pytest.raises(NotFound):
            await find_node(tx, run, found.document, "gone", upto=1)


async def test_a_run_is_taken_into_the_draft_with_its_data(
    workshop: Workshop, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await begin("halted")
    async with workshop.database.transaction() as tx:
        done = await debug_run(tx, run, by=ADA)
        pins = (await find_draft(tx, done.draft)).sheet.pins
        rev = (await find_draft(tx, done.draft)).rev
        assert await debug_run(tx, run, by=ADA) == done
        assert (await find_draft(tx, done.draft)).rev == rev, "what is pinned already is left"
        assert set(done.pinned) == pins.keys()
        assert (done.gone, done.too_large) == ((), ())
        # What the draft no longer has, and what is too large, is told.
        command = Command(
            id=new_id(), base_rev=rev, kind="delete", payload={"nodes": ["record"], "notes": []}
        )
        await change(tx, done.draft, command, by=ADA)
        monkeypatch.setattr(debug, "LARGEST", 1)
        again = await debug_run(tx, run, by=ADA)
        assert (again.pinned, again.gone, again.too_large) == ((), ("record",), ("begin",))
        assert debugged_words(again) == (
            "The run has no output that could be pinned. Too large to pin: begin. "
            "No longer in the draft: record."
        )
    assert pins.keys() == {"begin", "record"}
    assert pins["record"]["action"]


async def test_a_run_that_is_not_there(workshop: Workshop) -> None:
    with pytest.raises(NotFound):
        await look(workshop, UUID(int=9))
