"""What listens: the latest version of each flow, and nothing that was before it."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from app.flows.document import Document, NodeSpec
from app.flows.publish import publish
from app.flows.triggers.register import DOORBELL, Listener, listeners_of
from app.flows.validate import InvalidFlow
from tests.flows.triggers.board import Board, listening


async def listener(board: Board, slug: str) -> Listener:
    async with board.database.transaction() as tx:
        (one,) = await listeners_of(tx, board.flows[slug])
    return one


async def test_publishing_lets_the_version_listen(board: Board) -> None:
    version = await board.publish(listening("deploy", "webhook", path="github/deploy"))
    one = await listener(board, "deploy")
    assert (one.kind, one.key, one.node, one.version) == (
        "webhook",
        "github/deploy",
        "begin",
        version,
    )
    assert (one.slug, one.is_enabled, one.next_at) == ("deploy", True, None)
    assert one.config["per_minute"] == 120
    newer = await board.publish(listening("deploy", "webhook", path="gitlab"))
    one = await listener(board, "deploy")
    assert (one.key, one.version) == ("gitlab", newer)


async def test_another_trigger_takes_the_place_of_the_first(board: Board) -> None:
    await board.publish(listening("deploy", "webhook", path="deploy"))
    changed = listening("deploy", "schedule", cron="0 3 * * *")
    nodes = {"clock": changed.nodes["begin"], "note": changed.nodes["note"]}
    await board.publish(
        msgspec.structs.replace(changed, nodes=nodes, edges=(("clock.out", "note.in"),))
    )
    one = await listener(board, "deploy")
    assert (one.node, one.kind, one.key) == ("clock", "schedule", "")
    assert one.next_at == datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
    await board.publish(listening("other", "webhook", path="deploy"))


async def test_a_path_has_one_flow(board: Board) -> None:
    await board.publish(listening("first", "webhook", path="deploy"))
    with pytest.raises(InvalidFlow, match="the flow first is called at deploy already"):
        await board.publish(listening("second", "webhook", path="deploy"))
    assert await board.value("SELECT count(*) FROM flow") == 1
    await board.publish(listening("second", "webhook", path="deploy/2"))
    await board.publish(listening("first", "manual"))
    await board.publish(listening("third", "webhook", path="deploy"))


async def test_two_flows_that_take_a_path_at_once(board: Board) -> None:
    async def take(slug: str) -> bool:
        try:
            await board.publish(listening(slug, "webhook", path="deploy"))
        except InvalidFlow:
            return False
        return True

    taken = await asyncio.gather(*(take(f"f{number}") for number in range(5)))
    assert sorted(taken) == [False] * 4 + [True]


async def test_moving_a_node_on_the_canvas_restarts_the_flow(board: Board) -> None:
    """Pitfall: node-red#5039. Neither a new version nor another tick comes of it."""
    document = listening("report", "schedule", cron="0 * * * *")
    version = await board.publish(document)
    before = await listener(board, "report")
    board.clock.advance(minutes=90)
    moved = msgspec.structs.replace(document, ui={"begin": {"x": 40, "y": 80}})
    assert await board.publish(moved) == version
    assert await listener(board, "report") == before


async def test_publishing_keeps_a_tick_that_is_due(board: Board) -> None:
    await board.publish(listening("report", "schedule", cron="0 * * * *"))
    board.clock.advance(minutes=90)
    await board.publish(listening("report", "schedule", cron="0 * * * *", misfire="once"))
    assert (await listener(board, "report")).next_at == datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
    await board.publish(listening("report", "schedule", cron="30 * * * *"))
    assert (await listener(board, "report")).next_at == datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
    await board.publish(listening("report", "schedule", cron="30 * * * *", timezone="Asia/Kolkata"))
    assert (await listener(board, "report")).next_at == datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


async def test_a_publishing_that_is_rolled_back_lets_nothing_listen(board: Board) -> None:
    with pytest.raises(RuntimeError):
        async with board.database.transaction() as tx:
            await publish(tx, listening("deploy", "webhook", path="deploy"), note="test")
            assert DOORBELL in tx.topics
            raise RuntimeError
    assert await board.rows("SELECT * FROM flow_trigger") == []


@pytest.mark.parametrize(
    ("document", "field", "problem"),
    [
        (listening("x", "webhook", path="=input.path"), "with.path", "parameters are fixed"),
        (listening("x", "schedule", cron="every day"), "with", "write minute, hour"),
        (listening("x", "manual", {"type": "strange"}), "inputs", "are no JSON Schema"),
        (
            listening("x", "schedule", {"required": ["days"]}, cron="0 3 * * *"),
            "with.data",
            r"\$\.days is missing",
        ),
    ],
    ids=["expression", "cron", "inputs", "data"],
)
async def test_what_could_never_start_is_not_published(
    board: Board, document: Document, field: str, problem: str
) -> None:
    with pytest.raises(InvalidFlow, match=problem) as refused:
        await board.publish(document)
    assert refused.value.problems[-1].field == field
    assert await board.value("SELECT count(*) FROM flow_version") == 0


async def test_a_schedule_s_data_may_be_what_the_inputs_ask_for(board: Board) -> None:
    asks = {"required": ["days"], "properties": {"days": {"type": "integer"}}}
    await board.listen("report", "schedule", asks, cron="0 3 * * *", data={"days": 7})
    assert (await listener(board, "report")).config["data"] == {"days": 7}


async def test_a_trigger_of_another_package_listens_too(board: Board) -> None:
    document = Document(
        flow="theirs",
        nodes={"begin": NodeSpec(type="t.begin"), "note": NodeSpec(type="t.note")},
        edges=(("begin.out", "note.in"),),
    )
    await board.publish(document)
    one = await listener(board, "theirs")
    assert (one.kind, one.key, one.config) == ("test", "", {})


async def test_which_flow_listens_is_seen_with_whether_it_may(board: Board) -> None:
    await board.listen("report", "schedule", cron="0 3 * * *")
    await board.disable("report")
    assert (await listener(board, "report")).is_enabled is False
