"""action.chat_webhook against a real HTTP server; the payloads are under test with the driver."""

import json

import pytest

from app.domain.connections.kinds import Kind
from app.drivers.chat.contract import ChatKind, ChatRoom
from app.drivers.errors import Retriable
from app.drivers.secret import Secret
from app.flows.node import Idempotency, StepFailed
from app.flows.nodes.chat_webhook import Params, node
from tests.drivers.http.peer import Peer, raw_server
from tests.flows.actions.bench import Bench


async def through_the_cache(bench: Bench, url: str) -> None:
    """Webhooks of connections are https; this one is loopback's."""
    await bench.connect("ops", Kind.CHAT, chat="slack", secret="https://hooks.test/x")
    room = ChatRoom(name="ops", kind=ChatKind.SLACK, url=Secret(url))
    bench.tools.connections._kept["ops"] = (room, float("inf"))


async def test_a_message_is_sent(bench: Bench, peer: Peer) -> None:
    await through_the_cache(bench, f"{peer.url}/hook")
    peer.routes["/hook"] = (200, "ok", {})
    done = await bench.do(node, connection="ops", text="hi @here", title="T", level="warning")
    assert done == {"connection": "ops"}
    (part,) = json.loads(peer.last.body)["attachments"]
    assert (part["text"], part["title"], part["color"]) == ("hi @\u200bhere", "T", "#f08c00")


async def test_a_chat_that_is_busy_or_silent(bench: Bench, peer: Peer) -> None:
    await through_the_cache(bench, f"{peer.url}/hook")
    peer.routes["/hook"] = (429, "", {"Retry-After": "5"})
    with pytest.raises(Retriable, match="after 5 s"):
        await bench.do(node, connection="ops", text="hi")
    async with raw_server(b"") as url:
        room = ChatRoom(name="ops", kind=ChatKind.SLACK, url=Secret(url))
        bench.tools.connections._kept["ops"] = (room, float("inf"))
        with pytest.raises(StepFailed) as failed:
            await bench.do(node, connection="ops", text="hi")
    assert failed.value.unknown


def test_what_it_says_and_its_policy() -> None:
    assert node.says is not None
    assert node.says(Params(connection="ops", text="a\nb")) == "Writes to ops: a b"
    assert node.idempotency is Idempotency.KEY
