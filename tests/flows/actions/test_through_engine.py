"""Calls as steps of runs: tried again with the same key, their answers used."""

from typing import Any

import pytest

from app.core.secrets import Vault
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.drivers.peers import Peers
from app.flows import registry
from app.flows.connections import Opened
from app.flows.nodes.http import node as http
from tests.drivers.http.peer import Peer
from tests.flows.actions.bench import Bench
from tests.flows.conftest import QUICK, Workshop, chain, workshop
from tests.flows.nodes import nodes

__all__ = ["workshop"]  # a fixture


@pytest.fixture
async def shop(
    workshop: Workshop, bench: Bench, peer: Peer, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> Workshop:
    """A workshop whose nodes can call the peer by the connection `vps`."""
    kinds = nodes() | {(http.name, http.version): http}
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
