"""Actions as steps of runs: tried again with the same key, waited for, undone, left to a person."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.core.secrets import Vault
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.drivers.peers import Peers
from app.flows import registry
from app.flows.connections import Opened
from app.flows.nodes.dns_record import node as dns_record
from app.flows.nodes.http import node as http
from app.flows.nodes.poll_until import node as poll_until
from tests.drivers.dns.knot import knot
from tests.drivers.dns.name_server import SECRET
from tests.drivers.http.peer import Peer
from tests.flows.actions.bench import Bench
from tests.flows.conftest import QUICK, Workshop, chain, document, workshop
from tests.flows.nodes import nodes

__all__ = ["workshop"]  # a fixture


@pytest.fixture
async def shop(
    workshop: Workshop, bench: Bench, peer: Peer, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> Workshop:
    """A workshop whose nodes can call the peer by the connection `vps`."""
    kinds = nodes() | {(kind.name, kind.version): kind for kind in (http, poll_until, dns_record)}
    monkeypatch.setattr(registry, "node_types", lambda: kinds)
    world: Any = workshop.world
    peers: Peers = bench.peers
    world.vault, world.peers, world.connections = vault, peers, Opened()
    async with workshop.database.transaction() as tx:
        await add_connection(
            tx, vault, name="vps", kind=Kind.HTTP, actor=None, actor_label="test",
            typed={"base_url": peer.url, "auth": "bearer", "secret": "token-1234"},
        )  # fmt: skip
    return workshop


async def test_a_call_is_tried_again_with_its_key_and_its_answer_used(
    shop: Workshop, peer: Peer
) -> None:
    peer.routes["/servers"] = [(503, "busy", {}), {"task": "7"}]
    peer.routes["/tasks/7"] = {"ip": "192.0.2.7"}
    create = {
        "connection": "vps", "method": "POST", "url": "servers", "body": {"name": "=input.name"},
        "idempotency_key": "Idempotency-Key",
    }  # fmt: skip
    run = await shop.start(
        chain(
            create=("action.http", {"params": create, "retry": QUICK}),
            look=(
                "action.http",
                {"params": {"connection": "vps", "url": "tasks/${steps.create.body.task}"}},
            ),
            note=("t.note", {"params": {"text": "=steps.look.body.ip"}}),
        )
    )
    for _ in range(2):
        await shop.drive()
        shop.clock.advance(seconds=5)
    assert await shop.status(run) == "succeeded"
    assert await shop.notes() == ["/note:192.0.2.7"]
    posts = [one for one in peer.asked if one.method == "POST"]
    assert [one.body for one in posts] == [b'{"name":"Ada"}'] * 2
    assert {one.headers["Idempotency-Key"] for one in posts} == {f"{run}:/:create"}
    assert [name for name, _, _ in await shop.attempts(run)] == [
        "begin", "create", "create", "look", "note",
    ]  # fmt: skip
    async with shop.database.snapshot() as tx:
        kept = await tx.fetch("SELECT input::text, output::text, error FROM step_attempt")
    assert "token-1234" not in str([dict(row) for row in kept])
    assert "answers 503 Service Unavailable: busy" in str([dict(row) for row in kept])


async def test_a_task_is_waited_for_as_a_row(shop: Workshop, peer: Peer) -> None:
    peer.routes["/servers"] = {"task": "7"}
    peer.routes["/tasks/7"] = [
        {"state": "new"},
        (502, "", {}),
        {"state": "done", "ip": "192.0.2.7"},
    ]
    create = {
        "connection": "vps", "method": "POST", "url": "servers", "keep": "=result.body.task",
        "idempotency_key": "Idempotency-Key",
    }  # fmt: skip
    wait = {
        "connection": "vps", "url": "tasks/${steps.create}", "every": "5s",
        "until": '=result.body.state == "done"',
    }  # fmt: skip
    run = await shop.start(
        chain(
            create=("action.http", {"params": create}),
            wait=("logic.poll_until", {"params": wait}),
            note=("t.note", {"params": {"text": "=steps.wait.body.ip"}}),
        )
    )
    for polls in (1, 2, 3):
        await shop.drive()
        assert len([one for one in peer.asked if one.path == "/tasks/7"]) == polls
        shop.clock.advance(seconds=5)
    assert await shop.status(run) == "succeeded"
    assert await shop.notes() == ["/note:192.0.2.7"]
    assert await shop.attempts(run) == [
        (name, 1, "succeeded") for name in ("begin", "create", "wait", "note")
    ]


@pytest.mark.parametrize(
    ("call", "calls"),
    [
        ({"method": "POST"}, 1),
        ({"method": "PUT"}, 3),
        ({"method": "POST", "idempotency_key": "K"}, 3),
    ],
)
async def test_what_nobody_answered_is_only_sent_again_where_that_does_no_harm(
    shop: Workshop, peer: Peer, call: dict[str, Any], calls: int
) -> None:
    async def swallow(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    peer.routes["/x"] = swallow
    given = {"connection": "vps", "url": "x", **call}
    run = await shop.start(chain(call=("action.http", {"params": given, "retry": QUICK})))
    for _ in range(4):
        await shop.drive()
        shop.clock.advance(seconds=60)
    assert await shop.status(run) == "halted"
    assert len(peer.asked) == calls


async def test_a_record_is_removed_when_the_run_is_undone(
    shop: Workshop, vault: Vault, tmp_path: Path
) -> None:
    record = {"connection": "ns1", "type": "A", "name": "new.example.org", "values": ["192.0.2.7"]}
    with knot(tmp_path) as ns1:
        async with shop.database.transaction() as tx:
            await add_connection(
                tx, vault, name="ns1", kind=Kind.DNS, actor=None, actor_label="test",
                typed={"host": "127.0.0.1", "port": str(ns1.port), "zones": "example.org",
                       "key_name": "slipway", "secret": SECRET},
            )  # fmt: skip
        steps = {"record": ("action.dns_record", {"params": record}), "look": "t.note"}
        edges = [("begin.out", "record.in"), ("record.out", "look.in"), ("look.out", "no.in")]
        run = await shop.start(
            document({**steps, "no": "t.refuse"}, edges, on_failure="compensate")
        )
        await shop.drive()
        assert await shop.status(run) == "failed"
        assert ns1.has("new.example.org", "A") == []
    async with shop.database.snapshot() as tx:
        ledger = await tx.fetch("SELECT kind, reference, state FROM run_resource")
    assert [tuple(row) for row in ledger] == [
        ("dns_record", "A new.example.org.", "returned"),
    ]  # fmt: skip
