"""What must never go round in circles: it halts where it went wrong, says why, and can go on."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from app.core.database import Database, Tx
from app.core.errors import Conflict
from app.flows import containers, journal, registry, writer
from app.flows.change import Change
from app.flows.document import Retry, Timeout
from app.flows.expressions import BadExpression
from app.flows.node import StepFailed
from app.flows.steer import Fate, cancel_if_open, cancel_run, retry_halted, retry_many, settle
from app.flows.timeline import timeline_of
from app.flows.writer import Writer
from tests.flows.conftest import LEASE_S, Workshop, chain, document
from tests.flows.nodes import busy, nodes

LOOP = [("begin.out", "again.in"), ("again.each", "a.in"), ("again.done", "end.in")]


def loop(until: str, *more: tuple[str, str], **settings: Any):
    steps = {
        "again": ("logic.repeat", {"params": {"until": until, "max": 3}}),
        "a": ("t.call", {"within": "again"}),
        "end": "t.note",
        **settings.pop("steps", {}),
    }
    return document(steps, [*LOOP, *more], **settings)


async def error_of(workshop: Workshop, run: object) -> str:
    async with workshop.database.snapshot() as tx:
        return str(await tx.fetchval("SELECT error FROM run WHERE id = $1", run))


async def notices(workshop: Workshop) -> list[str]:
    async with workshop.database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT payload->>'text' AS text FROM outbox WHERE topic = 'admin.notice' ORDER BY id"
        )
    return [row["text"] for row in rows]


async def tokens(workshop: Workshop) -> dict[str, str]:
    async with workshop.database.snapshot() as tx:
        rows = await tx.fetch("SELECT scope || node AS place, state FROM token ORDER BY id")
    return {row["place"]: row["state"] for row in rows}


def without(*names: str):
    return lambda: {key: kind for key, kind in nodes().items() if key[0] not in names}


# A node type that is not there (any more)


async def test_an_unknown_node_type_halts_the_run_until_it_is_back(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await workshop.start(
        document(
            {"a": "t.call", "aside": "t.note"}, [("begin.out", "a.in"), ("a.error", "aside.in")]
        )
    )
    with monkeypatch.context() as patch:
        patch.setattr(registry, "node_types", without("t.call"))
        await workshop.drive()
        assert await workshop.status(run) == "halted", "not the error branch: nothing was tried"
        assert "t.call" in await error_of(workshop, run)
        assert len(await notices(workshop)) == 1
        async with workshop.database.snapshot() as tx:
            assert (await timeline_of(tx, run)).entries[0].node == "aside"
    async with workshop.database.transaction() as tx:
        await retry_halted(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == []


async def test_an_unknown_node_type_holds_its_undo_until_it_is_back(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await workshop.start(chain(a="t.call", p=("t.pause", {"params": {"seconds": 60}})))
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    with monkeypatch.context() as patch:
        patch.setattr(registry, "node_types", without("t.call"))
        await workshop.drive()
        assert await workshop.status(run) == "compensating"
        assert "t.call" in await error_of(workshop, run)
    workshop.clock.advance(seconds=31)
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"
    assert workshop.world.undone == [f"{run}:/:a"]


async def test_a_document_that_cannot_be_read_halts_the_run(workshop: Workshop) -> None:
    run = await workshop.start(chain(a="t.note"))
    async with workshop.database.transaction() as tx:
        whole = await tx.fetchval("SELECT document FROM flow_version")
        await tx.execute("UPDATE flow_version SET document = '{\"nodes\": 1}'")
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert "not a flow document" in await error_of(workshop, run)
    async with workshop.database.transaction() as tx:
        await tx.execute("UPDATE flow_version SET document = $1", whole)
        await retry_halted(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"


# A container whose condition is wrong


async def test_a_wrong_condition_halts_the_container_not_its_body(workshop: Workshop) -> None:
    run = await workshop.start(loop("=steps.a.nothing == 1"))
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert await tokens(workshop) == {"/again": "halted"}
    assert "nothing" in await error_of(workshop, run)
    workshop.clock.advance(seconds=LEASE_S + 1)
    await workshop.drive()
    assert list(workshop.world.done.values()) == [1], "what the body did is done, and stays so"
    assert ("a", 1, "succeeded") in await workshop.attempts(run)


async def test_a_condition_that_is_no_boolean_halts_too(workshop: Workshop) -> None:
    run = await workshop.start(loop("=steps.a.count"))
    await workshop.drive()
    assert await tokens(workshop) == {"/again": "halted"}
    assert "true or false" in await error_of(workshop, run)


async def test_a_halted_container_looks_again_without_repeating_its_body(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await workshop.start(loop("=has(steps.a)"))

    def wrong(source: str, _: object) -> None:
        raise BadExpression(source, "for now")

    with monkeypatch.context() as patch:
        patch.setattr(containers, "resolve", wrong)
        await workshop.drive()
    assert await workshop.status(run) == "halted"
    async with workshop.database.transaction() as tx:
        await retry_halted(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert list(workshop.world.done.values()) == [1]


async def test_a_container_with_an_error_branch_takes_it(workshop: Workshop) -> None:
    run = await workshop.start(
        loop("=steps.a.nothing", ("again.error", "bad.in"), steps={"bad": "t.note"})
    )
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/bad:"]


async def test_a_wrong_condition_after_an_error_branch_halts_too(workshop: Workshop) -> None:
    aside = {"aside": ("t.note", {"within": "again"})}
    run = await workshop.start(loop("=steps.a.count > 0", ("a.error", "aside.in"), steps=aside))
    workshop.world.refusals["a"] = [StepFailed("broken")]
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert await tokens(workshop) == {"/again": "halted"}
    assert await workshop.notes() == ["/again:1aside:"]


async def test_a_container_of_a_flow_that_compensates_does_so(workshop: Workshop) -> None:
    run = await workshop.start(loop("=steps.a.nothing", on_failure="compensate"))
    await workshop.drive()
    assert await workshop.status(run) == "failed"
    assert workshop.world.undone == [f"{run}:/again:1:a"]
    assert "nothing" in await error_of(workshop, run)


async def test_names_that_look_like_patterns_do_not_keep_a_container_open(
    workshop: Workshop,
) -> None:
    steps = {
        "a_b": ("logic.repeat", {"params": {"until": "=true", "max": 1}}),
        "axb": ("logic.repeat", {"params": {"until": "=true", "max": 1}}),
        "inner": ("logic.repeat", {"params": {"until": "=true", "max": 1}, "within": "axb"}),
        "long": ("t.pause", {"params": {"seconds": 60}, "within": "inner"}),
        "quick": ("t.note", {"within": "a_b"}),
        "end": "t.note",
    }
    edges = [
        ("begin.out", "axb.in"), ("begin.out", "a_b.in"), ("axb.each", "inner.in"),
        ("inner.each", "long.in"), ("a_b.each", "quick.in"), ("a_b.done", "end.in"),
    ]  # fmt: skip
    await workshop.start(document(steps, edges))
    await workshop.drive()
    assert "/end:" in await workshop.notes()


# Failures that cannot be written down as they are


@pytest.mark.parametrize("text", ["a nul \x00 byte", "half a pair \udc80"])
async def test_an_error_that_the_database_cannot_hold_is_kept_all_the_same(
    workshop: Workshop, text: str
) -> None:
    run = await workshop.start(chain(a="t.call"))
    workshop.world.refusals["a"] = [StepFailed(text)]
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert text[:6] in await error_of(workshop, run)


async def test_many_retries_do_not_overflow(workshop: Workshop) -> None:
    patient = Retry(max=5_000, delay="1h", factor=10.0, longest="1d", jitter=False)
    run = await workshop.start(chain(a=("t.call", {"retry": patient})))
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await tx.execute(
            "DELETE FROM token; UPDATE run SET status = 'waiting', wake_at = now() - interval '30 years'"
        )
        await tx.execute(
            "INSERT INTO token (id, run, scope, node, state, attempt) "
            "VALUES (gen_random_uuid(), $1, '/', 'a', 'ready', 900)",
            run,
        )
    workshop.world.refusals["a"] = [busy()]
    await workshop.drive()
    assert await workshop.status(run) == "waiting"
    workshop.clock.advance(days=1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"


class LosesAnswers(Database):
    """Commits, and loses the answer to it where told to."""

    lose: str = ""

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        async with super().transaction() as tx:
            yield tx
            lost = self.lose and await tx.fetchval(
                "SELECT 1 FROM run_event WHERE kind = 'finished' AND node = $1", self.lose
            )
        if lost:
            self.lose = ""
            raise ConnectionError("the answer to COMMIT was lost")


async def test_a_step_whose_commit_was_not_answered_is_not_failed(
    workshop: Workshop, dsn: str
) -> None:
    """A step in our own database: whether it was kept is looked up."""
    calm = workshop.database
    run = await workshop.start(
        chain(a="t.call", b=("t.note", {"params": {"text": "=steps.a.text"}}))
    )
    database = LosesAnswers(workshop.clock)
    await database.open(dsn, min_size=1, max_size=4)
    database.lose = "b"
    workshop.database = database
    await workshop.drive()
    await workshop.close()
    await database.close()
    workshop.database = calm
    assert database.lose == ""
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/b:"]
    assert await notices(workshop) == []


async def test_a_group_commit_that_was_not_answered_is_written_once(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await workshop.start(chain(a="t.call", b="t.call"))
    write, lost = journal.write, []

    async def lose_the_first(*args: Any, **more: Any) -> Any:
        written = await write(*args, **more)
        if not lost:
            lost.append(written)
            raise ConnectionError("the answer to COMMIT was lost")
        return written

    monkeypatch.setattr(journal, "write", lose_the_first)
    monkeypatch.setattr(writer, "RETRY_S", 0.0)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert [node for node, *_ in await workshop.attempts(run)] == ["begin", "a", "b"]
    async with workshop.database.snapshot() as tx:
        events = await tx.fetch("SELECT kind, node, count(*) AS n FROM run_event GROUP BY 1, 2")
    assert {row["n"] for row in events} == {1}


# What is due together, when one of it ends the run


async def test_a_failure_that_undoes_the_run_lets_nothing_else_begin(workshop: Workshop) -> None:
    """The other branch has a step to write first; what begins at the same moment may be done."""
    run = await workshop.start(
        document(
            {"a": "t.refuse", "n": "t.note", "b": "t.call"},
            [("begin.out", "a.in"), ("begin.out", "n.in"), ("n.out", "b.in")],
            on_failure="compensate",
        )
    )
    await workshop.drive()
    assert await workshop.status(run) == "failed"
    assert workshop.world.done == {}


async def test_a_cancelled_run_begins_nothing_more(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cancelled while the outcome of its first step is on its way to the journal."""
    run = await workshop.start(chain(a="t.call", b="t.call"))
    write = Writer.write

    async def cancel_after_a(writer: Writer, change: Change) -> Any:
        if any(row.node == "a" and row.status == "succeeded" for row in change.attempts):
            async with workshop.database.transaction() as tx:
                await cancel_if_open(tx, run)
        return await write(writer, change)

    monkeypatch.setattr(Writer, "write", cancel_after_a)
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"
    assert list(workshop.world.done) == [f"{run}:/:a"]


async def test_what_the_journal_refuses_halts_the_run_for_a_person(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not be driven into the same wall at every lease, with no error shown."""
    run = await workshop.start(chain(a="t.call", b="t.call"))
    write = journal.write

    async def refuse(connection: Any, changes: Any, **more: Any) -> Any:
        if any(row.node == "b" for change in changes for row in change.attempts):
            raise asyncpg.DataError("no such text")
        return await write(connection, changes, **more)

    with monkeypatch.context() as patch:
        patch.setattr(journal, "write", refuse)
        await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert "cannot be written: no such text" in await error_of(workshop, run)
    async with workshop.database.transaction() as tx:
        await retry_halted(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"


async def test_a_step_in_doubt_is_not_retried_before_it_is_settled(workshop: Workshop) -> None:
    hang = {"timeout": Timeout(attempt="20ms"), "idempotency": "none"}
    run = await workshop.start(chain(a=("t.hang", hang), b="t.note"))
    await workshop.drive()
    assert ("a", 1, "ambiguous") in await workshop.attempts(run)
    async with workshop.database.transaction() as tx:
        with pytest.raises(Conflict, match="settle"):
            await retry_halted(tx, run)
        assert await retry_many(tx, [run]) == {run: Fate.in_doubt}
        await settle(tx, run, scope="/", node="a", happened=True, output={})
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert list(workshop.world.done.values()) == [1]
