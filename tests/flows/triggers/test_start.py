"""Starts: one run for a key, of the version and about the subject that is meant."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from app.core.database import Tx
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.flows import start as starting
from app.flows.bind import bind
from app.flows.document import BadDocument, Document, NodeSpec, encode
from app.flows.inputs import BadInput
from app.flows.lease import claim_due
from app.flows.node import Subject
from app.flows.publish import publish
from app.flows.start import (
    BranchesMeet,
    FlowDisabled,
    Link,
    NoFlow,
    WrongSubject,
    chain_of,
    start_flow,
    start_run,
)
from tests.flows.triggers.board import Board, listening

DAYS = {
    "type": "object",
    "required": ["days"],
    "properties": {"days": {"type": "integer", "minimum": 1}},
}


class Counted(Tx):
    """A transaction that counts its statements."""

    count = 0

    async def fetchval(self, sql: str, *values: Any) -> Any:
        self.count += 1
        return await super().fetchval(sql, *values)

    async def fetchrow(self, sql: str, *values: Any) -> Any:
        self.count += 1
        return await super().fetchrow(sql, *values)


async def begin(board: Board, slug: str = "clean", **given: Any) -> UUID:
    async with board.database.transaction() as tx:
        return await start_flow(tx, slug, **{"data": {}, "dedup_key": "one", **given})


async def test_a_flow_is_started_by_its_name_or_its_id(board: Board) -> None:
    flow = await board.listen("clean", "manual")
    first = await begin(board, data={"a": 1})
    second = await begin(board, flow, dedup_key="two")
    runs = await board.runs()
    assert [run["id"] for run in runs] == [first, second]
    assert (runs[0]["input"], runs[0]["status"], runs[0]["subject_kind"]) == (
        {"a": 1},
        "queued",
        "nothing",
    )
    token = await board.rows("SELECT * FROM token WHERE run = $1", first)
    assert [(row["node"], row["scope"], row["state"]) for row in token] == [("begin", "/", "ready")]
    (event,) = await board.rows("SELECT kind, facts FROM run_event WHERE run = $1", first)
    assert (event["kind"], msgspec.json.decode(event["facts"])) == ("queued", {"trigger": "manual"})


async def test_runs_queued_for_ever(board: Board) -> None:
    """Pitfall: n8n#25080. A run is due when it is started, whoever rings the bell or does not."""
    await board.listen("clean", "manual")
    run = await begin(board)
    async with board.database.transaction() as tx:
        claims = await claim_due(tx, owner="worker", lease_s=15, limit=10)
    assert [claim.run for claim in claims] == [run]


async def test_a_start_is_one_statement(board: Board) -> None:
    await board.listen("clean", "manual", DAYS)
    await begin(board, data={"days": 1}, dedup_key="first")
    async with board.database.pool.acquire() as connection:
        tx = Counted(connection, board.clock)
        for number in range(20):
            await start_flow(tx, "clean", data={"days": 1}, dedup_key=f"{number}")
        assert tx.count == 20
    assert len(await board.runs()) == 21


async def test_one_key_is_one_run(board: Board) -> None:
    await board.listen("clean", "manual")
    started = await asyncio.gather(*(begin(board, dedup_key="same") for _ in range(12)))
    assert len(set(started)) == 1
    assert len(await board.runs()) == 1
    assert await board.value("SELECT count(*) FROM token") == 1
    assert await board.value("SELECT count(*) FROM run_event") == 1


async def test_a_start_by_hand_is_about_what_the_flow_says(board: Board) -> None:
    await board.listen("order", "manual", about="order")
    await board.listen("nothing", "manual", about="nothing")
    subject = new_id()
    order: dict[str, Any] = {"subject": subject, "subject_kind": Subject.ORDER}
    await begin(board, "order", **order)
    with pytest.raises(WrongSubject, match="about one order; this one would be about nothing"):
        await begin(board, "order", dedup_key="two")
    await begin(board, "nothing", dedup_key="two")
    with pytest.raises(WrongSubject, match="about nothing; this one would be about order"):
        await begin(board, "nothing", dedup_key="three", **order)
    kinds = [(run["subject_kind"], run["subject"]) for run in await board.runs()]
    assert kinds == [("order", subject), ("nothing", None)]


async def test_branches_that_meet_without_a_join_are_not_started(board: Board) -> None:
    """Checks refuse such a flow; one that is there all the same would do the node twice."""
    version = await board.publish(listening("twice", "manual"))
    steps = {name: NodeSpec(type="t.note") for name in ("a", "b", "both")}
    edges = (
        ("begin.out", "a.in"),
        ("begin.out", "b.in"),
        ("a.out", "both.in"),
        ("b.out", "both.in"),
    )
    document = msgspec.structs.replace(listening("twice", "manual"), edges=edges)
    unchecked = msgspec.structs.replace(document, nodes={"begin": document.nodes["begin"], **steps})
    await write_over(board, version, unchecked)
    with pytest.raises(BranchesMeet, match="come together at both, from a and from b") as refused:
        await begin(board, "twice")
    assert refused.value.node == "both"
    assert await board.runs() == []
    joined = {**unchecked.nodes, "both": NodeSpec(type="logic.join")}
    await write_over(board, version, msgspec.structs.replace(unchecked, nodes=joined))
    await begin(board, "twice")


async def write_over(board: Board, version: UUID, document: Document) -> None:
    """Put a document where a published one was, past all checks."""
    async with board.database.transaction() as tx:
        await tx.execute(
            "UPDATE flow_version SET document = $2 WHERE id = $1", version, encode(document)
        )


async def test_the_key_of_another_flow_s_run_is_refused(board: Board) -> None:
    await board.listen("clean", "manual")
    await board.listen("other", "manual")
    await begin(board)
    with pytest.raises(Conflict, match="run of clean"):
        await begin(board, "other")


async def test_a_start_that_is_rolled_back_leaves_its_key_free(board: Board) -> None:
    await board.listen("clean", "manual")
    with pytest.raises(RuntimeError):
        async with board.database.transaction() as tx:
            await start_flow(tx, "clean", data={}, dedup_key="one")
            raise RuntimeError
    assert await board.runs() == []
    await begin(board)
    assert len(await board.runs()) == 1


async def test_a_disabled_flow_is_refused_and_a_run_that_is_there_is_found(board: Board) -> None:
    await board.listen("clean", "manual")
    run = await begin(board)
    await board.disable("clean")
    with pytest.raises(FlowDisabled, match="The flow clean is disabled; enable it"):
        await begin(board, dedup_key="two")
    assert await begin(board) == run
    await board.disable("clean", enabled=True)
    assert await begin(board, dedup_key="two") != run


async def test_a_flow_that_is_not_there_is_not_found(board: Board) -> None:
    for flow in ("nothing", new_id()):
        with pytest.raises(NotFound, match="There is no flow"):
            await begin(board, flow)
    async with board.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO flow (id, slug, name, created_at) VALUES ($1, 'draft', 'Draft', $2)",
            new_id(),
            tx.now(),
        )
    with pytest.raises(NotFound, match="no published version of the flow draft"):
        await begin(board, "draft")
    await board.listen("clean", "manual")
    with pytest.raises(NotFound, match="no version of the flow clean"):
        await begin(board, version=new_id())


async def test_the_published_version_that_runs_is_the_one_shown(board: Board) -> None:
    """Pitfall: n8n#35558. What was published last starts, also where an older one was known."""
    await board.listen("clean", "manual")
    await begin(board, dedup_key="one")
    await board.publish(listening("clean", "manual", label="Clean now"))
    await begin(board, dedup_key="two")
    assert [run["version"] for run in await board.runs()] == [1, 2]


async def test_retry_ignores_the_flow_that_was_fixed_since(board: Board) -> None:
    """Pitfall: n8n#12957. A run of an older version is started only where that is asked for."""
    old = await board.publish(listening("clean", "manual"))
    await board.publish(listening("clean", "manual", label="Fixed"))
    await begin(board, dedup_key="one")
    await begin(board, dedup_key="two", version=old)
    await begin(board, dedup_key="three")
    assert [run["version"] for run in await board.runs()] == [2, 1, 2]


async def test_a_flow_that_is_published_during_the_start_is_started_as_published(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    await board.listen("clean", "manual")
    looks = 0
    read = starting._read

    async def slow(tx: Tx, wanted: Any) -> Any:
        nonlocal looks
        looks += 1
        entry = await read(tx, wanted)
        if looks < 3:
            async with board.database.pool.acquire() as connection:
                await publish_beside(connection, board, f"{looks}")
        return entry

    monkeypatch.setattr(starting, "_read", slow)
    await begin(board)
    assert looks == 3
    assert [run["version"] for run in await board.runs()] == [3]
    await board.publish(listening("clean", "manual", label="once more"))
    looks = -100
    with pytest.raises(Conflict, match="over and over"):
        await begin(board, dedup_key="two")


async def publish_beside(connection: asyncpg.Connection, board: Board, label: str) -> None:
    """Publish in a transaction of its own, while another is open."""
    document = listening("clean", "manual", label=label)
    await connection.execute(
        "INSERT INTO flow_version (id, flow, number, document, content_hash, published_at) "
        "SELECT $1, v.flow, max(v.number) + 1, $2, $3, $4 FROM flow_version v "
        "JOIN flow f ON f.id = v.flow WHERE f.slug = 'clean' GROUP BY v.flow",
        new_id(),
        msgspec.json.encode(document).decode(),
        label,
        board.clock.now(),
    )


async def test_data_that_a_flow_does_not_take_is_refused(board: Board) -> None:
    await board.listen("clean", "manual", DAYS)
    for data, path, expected in (
        ({}, "$.days", "is missing"),
        ({"days": "x"}, "$.days", "must be integer"),
        ({"days": 0}, "$.days", "must be at least 1"),
    ):
        with pytest.raises(BadInput) as refused:
            await begin(board, data=data)
        assert refused.value.fields == {path: expected}
        assert refused.value.message == (
            f"The flow clean does not take this input: {path} {expected}."
        )
    assert await board.runs() == []
    await begin(board, data={"days": 1})


async def test_the_version_that_is_published_says_what_is_taken(board: Board) -> None:
    """Another process published it: this one still knows the version before."""
    await board.listen("clean", "manual", DAYS)
    await begin(board, data={"days": 1})
    kept = dict(starting._entries)
    await board.listen("clean", "manual", {"type": "object", "required": ["weeks"]})
    await begin(board, data={"weeks": 1}, dedup_key="two")
    starting._entries.update(kept)
    with pytest.raises(BadInput, match=r"\$\.weeks is missing"):
        await begin(board, data={"days": 1}, dedup_key="three")
    assert [run["version"] for run in await board.runs()] == [1, 2]


async def test_a_run_is_about_what_its_trigger_gives(board: Board) -> None:
    await board.listen("paid", "payment_received")
    subject = new_id()
    for given in ({}, {"subject": subject, "subject_kind": Subject.ORDER}):
        with pytest.raises(WrongSubject, match="about one payment"):
            await begin(board, "paid", **given)
    with pytest.raises(ValueError, match="come together"):
        await begin(board, "paid", subject=subject)
    await begin(board, "paid", subject=subject, subject_kind=Subject.PAYMENT)
    (run,) = await board.runs()
    assert (run["subject"], run["subject_kind"]) == (subject, "payment")


async def test_a_flow_for_anyone_may_be_about_anything(board: Board) -> None:
    await board.listen("clean", "manual")
    subject = new_id()
    async with board.database.transaction() as tx:
        await start_flow(
            tx, "clean", data={}, dedup_key="one", subject=subject, subject_kind=Subject.SERVICE
        )
        assert {f"service:{subject}", "dashboard", starting.DOORBELL} <= tx.topics
    (run,) = await board.runs()
    assert (run["subject"], run["subject_kind"]) == (subject, "service")


async def bound(board: Board, document: Any) -> UUID:
    category = new_id()
    async with board.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO category (id, slug, name) VALUES ($1, 'metal', 'Metal')", category
        )
        await publish(tx, document, note="test")
        await bind(tx, category=category, trigger="service.suspended", flow=document.flow)
    return category


async def test_the_flow_of_a_category_is_started_about_its_subject(board: Board) -> None:
    category = await bound(board, listening("off", "service_suspended"))
    subject = new_id()

    async def suspended(trigger: str = "service.suspended", key: str = "one") -> UUID:
        async with board.database.transaction() as tx:
            return await start_run(
                tx, category=category, trigger=trigger, subject=subject, data={}, dedup_key=key
            )

    assert await suspended() == await suspended()
    (run,) = await board.runs()
    assert (run["subject"], run["subject_kind"]) == (subject, "service")
    with pytest.raises(NoFlow, match=r"serves service\.created for the category metal"):
        await suspended("service.created", "two")
    async with board.database.transaction() as tx:
        other = listening("off-2", "service_suspended")
        await publish(tx, other, note="test")
        await bind(tx, category=category, trigger="service.suspended", flow="off-2")
    await suspended(key="three")
    assert [run["slug"] for run in await board.runs()] == ["off", "off-2"]
    await board.disable("off-2")
    with pytest.raises(NoFlow):
        await suspended(key="four")


async def test_a_sub_flow_knows_its_parent_and_the_flows_before_it(board: Board) -> None:
    first, second = await board.listen("first", "manual"), await board.listen("second", "manual")
    root = await begin(board, "first")
    child = await begin(board, "second", dedup_key="two", parent=root)
    before = (Link(first, "alert"),)
    caused = await begin(board, "second", dedup_key="three", parent=child, chain=before)
    async with board.database.transaction() as tx:
        assert await chain_of(tx, root) == (Link(first, "manual"),)
        two = (Link(first, "manual"), Link(second, "flow"))
        assert await chain_of(tx, child) == two
        assert await chain_of(tx, caused) == (*two, *before, Link(second, "flow"))
        assert await chain_of(tx, new_id()) == ()
    assert await board.value("SELECT parent FROM run WHERE id = $1", child) == root


async def test_data_is_kept_as_far_as_the_database_can_hold_it(board: Board) -> None:
    await board.listen("clean", "manual")
    await begin(board, data={"a\x00": ["b\x00", {"c": r"\u0000"}], "n": 2**70})
    (run,) = await board.runs()
    assert run["input"] == {"a�": ["b�", {"c": r"\u0000"}], "n": 2**70}


async def test_a_version_without_a_trigger_cannot_be_started(board: Board) -> None:
    await board.listen("clean", "manual")
    bare = msgspec.structs.replace(
        listening("clean", "manual"), nodes={"note": NodeSpec(type="t.note")}, edges=()
    )
    async with board.database.transaction() as tx:
        await tx.execute(
            "UPDATE flow_version SET document = $1", msgspec.json.encode(bare).decode()
        )
    with pytest.raises(BadDocument, match="clean has no trigger"):
        await begin(board)


async def test_what_is_kept_of_flows_is_bounded(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "KEPT", 3)
    for number in range(8):
        await board.listen(f"f{number}", "manual")
        await begin(board, f"f{number}", dedup_key=f"{number}")
        assert len(starting._entries) <= 3
    assert len(await board.runs()) == 8


async def test_another_database_with_the_same_names_is_another(board: Board) -> None:
    """What the process keeps of a flow is a guess that the statement itself checks."""
    await board.listen("clean", "manual")
    await begin(board)
    (entry,) = [kept for wanted, kept in starting._entries.items() if wanted.flow == "clean"]
    elsewhere = replace(entry, flow=new_id(), version=new_id())
    starting._entries[starting._Wanted("clean")] = elsewhere
    await begin(board, dedup_key="two")
    assert [run["slug"] for run in await board.runs()] == ["clean", "clean"]
