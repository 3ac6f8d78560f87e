"""A webhook's deliveries: each starts one run, and the same one again starts none."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.flows.inputs import BadInput
from app.flows.nodes.webhook import Params
from app.flows.start import FlowDisabled
from app.flows.triggers.hook import Call, Hook, deliver, find_hook, forget_deliveries
from tests.flows.triggers.board import Board


def call(body: Any = None, **given: Any) -> Call:
    facts = {"method": "POST", "path": "deploy", "query": "", "raw": msgspec.json.encode(body)}
    headers = {"content-type": "application/json", **given.pop("headers", {})}
    return Call(**facts | given, headers=headers)


async def come(board: Board, one: Call) -> UUID:
    async with board.database.transaction() as tx:
        hook = await find_hook(tx, one.path, one.method)
        assert hook is not None
        return await deliver(tx, hook, one)


async def test_a_webhook_fires_twice_or_three_times(board: Board) -> None:
    """Pitfall: n8n#31837. By the sender's own id of the delivery, for ever."""
    await board.listen("deploy", "webhook", path="deploy", delivery_header="X-GitHub-Delivery")
    first = call({"ref": "main"}, headers={"x-github-delivery": "72d3162e"})
    runs = [await come(board, first) for _ in range(3)]
    board.clock.advance(days=200)
    async with board.database.transaction() as tx:
        await forget_deliveries(tx)
    assert await board.rows("SELECT * FROM hook_delivery") == []
    runs.append(await come(board, first))
    assert len(set(runs)) == 1
    # The same content under another id is another delivery.
    await come(board, call({"ref": "main"}, headers={"x-github-delivery": "72d3162f"}))
    assert len(await board.runs()) == 2


async def test_the_same_delivery_many_times_at_once_is_one_run(board: Board) -> None:
    await board.listen("deploy", "webhook", path="deploy", delivery_field="$.event.id")
    await board.listen("plain", "webhook", path="plain")
    by_id = await asyncio.gather(
        *(come(board, call({"event": {"id": 7}, "n": n % 2})) for n in range(10))
    )
    by_content = await asyncio.gather(*(come(board, call({"a": 1}, path="plain")) for _ in by_id))
    assert (len(set(by_id)), len(set(by_content))) == (1, 1)
    assert len(await board.runs()) == 2


async def test_without_an_id_the_same_to_the_last_byte_is_the_same_for_a_while(
    board: Board,
) -> None:
    await board.listen("deploy", "webhook", path="deploy", window="10m")
    first = await come(board, call({"a": 1}))
    for other in (
        call({"a": 2}),
        call({"a": 1}, query="x=1"),
        call(raw=b'{"a": 1}'),
        call({"a": 1}, headers={"content-type": "application/vnd.x+json"}),
    ):
        assert await come(board, other) != first
    board.clock.advance(minutes=9, seconds=59)
    assert await come(board, call({"a": 1})) == first
    board.clock.advance(seconds=1)
    assert await come(board, call({"a": 1})) != first
    assert len(await board.runs()) == 6


async def test_a_window_of_nothing_counts_every_call(board: Board) -> None:
    await board.listen("deploy", "webhook", path="deploy", window="0s")
    await board.listen("named", "webhook", path="named", window="0s", delivery_field="id")
    runs = {await come(board, call({"a": 1})) for _ in range(3)}
    named = {await come(board, call({"id": "a"}, path="named")) for _ in range(3)}
    assert (len(runs), len(named)) == (3, 1)


async def test_a_signed_call_that_someone_saw_is_not_sent_again_under_another_id(
    board: Board,
) -> None:
    """GitHub signs the body and not the header with the id."""
    signed = {"auth": "hmac", "connection": "github"}
    await board.listen(
        "deploy", "webhook", path="deploy", delivery_header="X-GitHub-Delivery", **signed
    )
    await board.listen("safe", "webhook", path="safe", delivery_field="id", **signed)
    await board.listen("standard", "webhook", path="standard", scheme="standard", **signed)
    first = await come(board, call({"a": 1}, headers={"x-github-delivery": "1"}))
    assert await come(board, call({"a": 1}, headers={"x-github-delivery": "2"})) == first
    safe = [await come(board, call({"id": n}, path="safe")) for n in (1, 2, 1)]
    assert safe[0] == safe[2] != safe[1]
    standard = [
        await come(board, call({}, path="standard", headers={"webhook-id": one}))
        for one in ("a", "b", "a")
    ]
    assert standard[0] == standard[2] != standard[1]


@pytest.mark.parametrize(
    ("field", "body", "is_there"),
    [
        ("id", {"id": "a"}, True),
        ("$.id", {"id": 0}, True),
        ("$.items.1.id", {"items": [{}, {"id": "a"}]}, True),
        ("$.items.7.id", {"items": [{}]}, False),
        ("$.items.x", {"items": []}, False),
        ("id", {"id": ""}, False),
        ("id", {"id": True}, False),
        ("id", {"id": {"a": 1}}, False),
        ("id", "text", False),
        ("id", None, False),
    ],
    ids=str,
)
async def test_where_the_sender_s_id_is(
    board: Board, field: str, body: Any, is_there: bool
) -> None:
    await board.listen("deploy", "webhook", path="deploy", delivery_field=field)
    await come(board, call(body))
    assert bool(await board.value("SELECT delivery FROM hook_delivery")) is is_there


async def test_what_came_is_the_input_without_what_lets_a_caller_in(board: Board) -> None:
    await board.listen("deploy", "webhook", path="deploy", header="X-Key")
    await come(
        board,
        call(
            {"ref": "main\x00"},
            query="a=1&a=2&token=hunter2",
            headers={
                "authorization": "Bearer hunter2",
                "cookie": "s=hunter2",
                "x-key": "hunter2",
                "x-api-key": "hunter2",
                "x-hub-signature-256": "sha256=hunter2",
                "user-agent": "Hookshot",
            },
        ),
    )
    (run,) = await board.runs()
    assert run["input"] == {
        "method": "POST",
        "path": "deploy",
        "query": {"a": ["1", "2"], "token": "••••••"},
        "headers": {
            "content-type": "application/json",
            "x-api-key": "••••••",
            "user-agent": "Hookshot",
        },
        "body": {"ref": "main�"},
    }
    kept = await board.value(
        "SELECT string_agg(t::text, '') FROM (SELECT run::text AS t FROM run "
        "UNION ALL SELECT hook_delivery::text FROM hook_delivery "
        "UNION ALL SELECT run_event::text FROM run_event) x"
    )
    assert "hunter2" not in kept


async def test_an_input_that_is_not_taken_may_be_sent_again_corrected(board: Board) -> None:
    asks = {"properties": {"body": {"required": ["ref"]}}}
    await board.listen("deploy", "webhook", asks, path="deploy")
    with pytest.raises(BadInput, match=r"\$\.body\.ref is missing"):
        await come(board, call({}))
    assert await board.rows("SELECT * FROM hook_delivery") == []
    await come(board, call({"ref": "main"}))
    assert len(await board.runs()) == 1


async def test_where_nothing_listens_nothing_is_found(board: Board) -> None:
    await board.listen("deploy", "webhook", path="deploy", methods=["PUT"])

    async def found(path: str, method: str) -> Hook | None:
        async with board.database.snapshot() as tx:
            return await find_hook(tx, path, method)

    assert await found("deploy", "PUT") is not None
    assert await found("deploy", "POST") is None
    assert await found("Deploy", "PUT") is None
    assert await found("deploy/", "PUT") is None
    await board.disable("deploy")
    assert await found("deploy", "PUT") is None


async def test_a_hook_whose_flow_is_disabled_meanwhile(board: Board) -> None:
    flow = await board.listen("deploy", "webhook", path="deploy")
    await board.disable("deploy")
    async with board.database.transaction() as tx:
        with pytest.raises(FlowDisabled):
            await deliver(tx, Hook(flow, "deploy", Params(path="deploy")), call())
