"""What a test of a connection says of real peers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.drivers.chat.contract import ChatKind, ChatRoom
from app.drivers.egress import Egress
from app.drivers.errors import DriverError, Retriable, Unauthorised
from app.drivers.http.contract import Basic, HttpPeer, NoAuth
from app.drivers.peers import Peers, open_peers
from app.drivers.secret import Secret
from tests.drivers.dns.knot import knot
from tests.drivers.http.peer import serving
from tests.drivers.ssh.host import sshd


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    peers = open_peers(Egress(["127.0.0.0/8"]))
    yield peers
    await peers.close()


@pytest.mark.parametrize(
    ("path", "status", "words", "is_certain"),
    [
        ("me", 200, "GET /v1/me answers 200 OK", True),
        ("", 200, "GET /v1 answers 200 OK", False),
        ("", 404, "GET /v1 answers 404 Not Found; name a path", False),
    ],
)
async def test_an_api(peers: Peers, path: str, status: int, words: str, is_certain: bool) -> None:
    async with serving() as peer:
        peer.routes[f"/v1/{path}".rstrip("/")] = (status, "", {})
        auth = Basic("ada", Secret("password"))
        at = HttpPeer(name="shop", base_url=f"{peer.url}/v1", auth=auth, test_path=path)
        tested = await peers.test(at)
        assert tested.words.startswith(words)
        assert tested.is_certain == is_certain
        open_ = HttpPeer(name="shop", base_url=f"{peer.url}/v1", auth=NoAuth(), test_path=path)
        assert (await peers.test(open_)).is_certain


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unauthorised), (403, Unauthorised), (502, Retriable), (429, Retriable)],
)
async def test_an_api_that_says_no(peers: Peers, status: int, kind: type[DriverError]) -> None:
    async with serving() as peer:
        peer.routes["/"] = (status, "", {})
        with pytest.raises(kind, match=str(status)):
            await peers.test(HttpPeer(name="shop", base_url=peer.url))


async def test_a_host_and_a_chat(peers: Peers) -> None:
    async with sshd() as host, serving() as peer:
        assert "ada is let in by SSH-2.0" in (await peers.test(host.at())).words
        peer.routes["/hook"] = (200, "ok", {})
        room = ChatRoom(name="ops", kind=ChatKind.SLACK, url=Secret(f"{peer.url}/hook"))
        assert "test message" in (await peers.test(room)).words
        assert b"test of the connection" in peer.last.body


async def test_a_name_server(peers: Peers, tmp_path: Path) -> None:
    with knot(tmp_path) as ns1:
        tested: Any = await peers.test(ns1.server())
    assert tested.words == "the key may change example.org, 2.0.192.in-addr.arpa"
