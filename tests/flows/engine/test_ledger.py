"""What a run keeps: variables, what it has taken, and outputs of every size and kind."""

from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from app.core.ids import new_id
from app.flows import journal, writer
from app.flows.change import BLOB_OVER_BYTES, Change
from app.flows.steer import cancel_run
from tests.flows.conftest import LEASE_S, Workshop
from tests.flows.engine.bench import calls, flow, ledger, output_of, places, row, start_named
from tests.flows.nodes import Killed


async def test_what_was_taken_is_returned_when_the_run_is_undone(workshop: Workshop) -> None:
    run = await workshop.start(
        flow({"a": "t.take", "b": "t.take", "f": "t.refuse"}, "begin > a > b > f")
    )
    await workshop.drive()
    assert await ledger(workshop, run) == [("a", "taken"), ("b", "taken")]
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    assert await ledger(workshop, run) == [("a", "returned"), ("b", "returned")]


async def test_what_was_delivered_stays_delivered(workshop: Workshop) -> None:
    steps = {"a": "t.take", "d": "t.deliver", "b": "t.take", "f": "t.refuse"}
    run = await workshop.start(flow(steps, "begin > a > d > b > f", on_failure="compensate"))
    await workshop.drive()
    assert await workshop.status(run) == "failed"
    assert await ledger(workshop, run) == [("a", "delivered"), ("b", "returned")]


async def test_what_was_taken_twice_by_one_key_is_on_the_ledger_once(workshop: Workshop) -> None:
    run = await workshop.start(flow({"a": "t.take"}, "begin > a"))

    def die(_: str) -> None:
        workshop.world.after = lambda _: None
        raise Killed

    workshop.world.after = die
    assert await workshop.drive_and_die()
    assert await ledger(workshop, run) == []
    workshop.clock.advance(seconds=LEASE_S + 1)
    await workshop.drive()
    assert await ledger(workshop, run) == [("a", "taken")]


async def test_variables_are_seen_in_loops_and_survive_the_worker(workshop: Workshop) -> None:
    count = {"variables": {"n": "=vars.n + item"}}
    steps = {
        "set": ("data.set", {"variables": {"n": 0, "who": "=input.name"}}),
        "each": ("logic.each", {"items": [1, 2, 3]}),
        "add": ("data.set", count, {"within": "each"}),
        "w": ("logic.wait", {"for": "1s"}, {"within": "each"}),
        "n": ("t.note", {"text": "${vars.n} ${vars.who}"}),
    }
    run = await workshop.start(flow(steps, "begin > set > each.each > add > w", "each.done > n"))
    for _ in range(4):
        await workshop.drive()
        workshop.clock.advance(seconds=1)
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/n:6 Ada"]


@pytest.mark.parametrize("size", [BLOB_OVER_BYTES - 2, BLOB_OVER_BYTES, 500_000])
async def test_a_large_output_is_kept_apart_and_read_when_it_is_asked_for(
    workshop: Workshop, size: int
) -> None:
    steps = {
        "a": ("t.make", {"value": "=input.text"}),
        "w": ("logic.wait", {"for": "1s"}),
        "n": ("t.note", {"text": "=string(size(steps.a))"}),
    }
    run = await start_named(workshop, flow(steps, "begin > a > w > n"), {"text": "x" * size})
    await workshop.drive()
    async with workshop.database.snapshot() as tx:
        blobs = await tx.fetchval("SELECT count(*) FROM run_blob")
    assert blobs == (1 if size + 2 > BLOB_OVER_BYTES else 0)
    workshop.clock.advance(seconds=1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == [f"/n:{size}"]


async def test_a_large_output_whose_commit_was_not_answered_is_kept_once(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, lost = journal.write, []

    async def lose_the_first(*args: Any, **more: Any) -> Any:
        written = await write(*args, **more)
        if not lost:
            lost.append(written)
            raise ConnectionError("the answer to COMMIT was lost")
        return written

    monkeypatch.setattr(journal, "write", lose_the_first)
    monkeypatch.setattr(writer, "RETRY_S", 0.0)
    steps = {"a": ("t.make", {"value": "=input.text"}), "w": ("logic.wait", {"for": "1s"})}
    await start_named(workshop, flow(steps, "begin > a > w"), {"text": "x" * 2 * BLOB_OVER_BYTES})
    await workshop.drive()
    assert lost
    async with workshop.database.snapshot() as tx:
        kept = await tx.fetch(
            "SELECT a.node FROM run_blob b LEFT JOIN step_attempt a ON a.blob = b.id"
        )
    assert [row["node"] for row in kept] == ["a"]


async def test_a_value_of_null_is_kept_as_one(workshop: Workshop) -> None:
    steps = {
        "a": ("t.make", {"value": None}),
        "set": ("data.set", {"variables": {"nothing": None}}),
        "n": ("t.note", {"text": "=string(steps.a == null && vars.nothing == null)"}),
    }
    run = await workshop.start(flow(steps, "begin > a > set > n"))
    await workshop.drive()
    assert await workshop.notes() == ["/n:true"]
    async with workshop.database.snapshot() as tx:
        output = await tx.fetchval(
            "SELECT output::text FROM step_attempt WHERE run = $1 AND node = 'a'", run
        )
        variable = await tx.fetchval("SELECT value::text FROM run_variable WHERE run = $1", run)
    assert (output, variable) == ("null", "null")


async def test_half_of_a_character_is_refused_as_postgresql_would(workshop: Workshop) -> None:
    change = Change(run=new_id(), epoch=1, now=workshop.clock.now())
    change.variables["half"] = "\ud800"
    async with workshop.database.transaction() as tx:
        with pytest.raises(asyncpg.DataError, match="surrogates"):
            await journal.write(tx, [change])


class Strange:
    pass


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\x00b", "a�b"),
        ({"a\x00": ["\x00", 1, None]}, {"a�": ["�", 1, None]}),
        ("\\u0000", "\\u0000"),
        (b"\x00\xff", "AP8="),
        (timedelta(seconds=1), "PT1S"),
    ],
)
async def test_what_postgresql_cannot_hold_is_made_so_that_it_can(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, value: Any, kept: Any
) -> None:
    run = await made(workshop, monkeypatch, value)
    assert await workshop.status(run) == "succeeded"
    assert await output_of(workshop, run, "a") == kept


@pytest.mark.parametrize("value", ["\ud800", Strange()])
async def test_what_json_cannot_hold_fails_the_step_and_says_so(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    run = await made(workshop, monkeypatch, value)
    assert await places(workshop, run) == {"/a": "halted"}
    assert "what it gave cannot be kept" in (await row(workshop, run))["error"]
    assert calls(workshop) == {"/:a": 1}


async def made(workshop: Workshop, monkeypatch: pytest.MonkeyPatch, value: Any) -> Any:
    """Run one step outside that answers with `value`."""
    from app.flows import registry
    from app.flows.node import Done, Step
    from tests.flows.engine.bench import nodes

    async def do(step: Step, _: Any) -> Done:
        step.tools.call(step.node, step.key)
        return Done(value)

    every = nodes()
    kind = every["t.make", 1]
    every["t.make", 1] = type(kind)(
        kind.name, kind.title, kind.summary, kind.params, kind.effect, do, kind.undo
    )
    monkeypatch.setattr(registry, "node_types", lambda: every)
    run = await workshop.start(flow({"a": "t.make"}, "begin > a"))
    await workshop.drive()
    return run


async def test_the_ledger_takes_any_reference(workshop: Workshop) -> None:
    """A peer's name for a thing may hold what PostgreSQL's text cannot."""
    steps = {"a": ("t.take", {"kind": "vm", "ref": "=input.ref"}), "n": "t.note"}
    run = await start_named(workshop, flow(steps, "begin > a > n"), {"ref": "plain"})
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    async with workshop.database.snapshot() as tx:
        found = await tx.fetchrow("SELECT kind, reference FROM run_resource WHERE run = $1", run)
    assert tuple(found) == ("vm", "plain")
    assert msgspec.json.decode((await row(workshop, run))["input"]) == {"ref": "plain"}
