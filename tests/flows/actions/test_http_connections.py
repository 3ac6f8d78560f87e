"""action.http through connections: looked up once, read anew when refused, never given away."""

import pytest
from aiohttp import web

from app.domain.connections.change import change_connection
from app.domain.connections.errors import UnknownConnection, WrongKind
from app.domain.connections.find import find_connection
from app.domain.connections.kinds import Kind
from app.flows.nodes.http import node
from tests.drivers.http.peer import Peer
from tests.flows.actions.bench import Bench, fails


async def test_a_connection_is_looked_up_once_for_many_steps(bench: Bench, peer: Peer) -> None:
    made = await bench.connect(
        "shop", Kind.HTTP, base_url=peer.url, auth="bearer", secret="token-1234"
    )
    peer.routes["/x"] = {}
    await bench.do(node, connection="shop", url="x")
    async with bench.database.transaction() as tx:
        view = await find_connection(tx, made)
        await change_connection(
            tx, bench.vault, made, seen_at=view.updated_at, actor=None, actor_label="test",
            typed={"base_url": peer.url, "auth": "bearer", "secret": "token-5678"},
        )  # fmt: skip
    await bench.do(node, connection="shop", url="x")
    assert peer.last.headers["Authorization"] == "Bearer token-1234"
    bench.elapsed_s += 3
    await bench.do(node, connection="shop", url="x")
    assert peer.last.headers["Authorization"] == "Bearer token-5678"


async def test_refused_credentials_are_read_anew_at_the_next_try(bench: Bench, peer: Peer) -> None:
    async def picky(request: web.Request) -> web.Response:
        good = request.headers["Authorization"] == "Bearer good-one"
        return web.Response(status=200 if good else 401, text="no" if not good else "")

    made = await bench.connect(
        "shop", Kind.HTTP, base_url=peer.url, auth="bearer", secret="bad-one"
    )
    peer.routes["/x"] = picky
    failed = await fails(bench, connection="shop", url="x")
    assert (failed.transient, "401" in failed.message) == (False, True)
    async with bench.database.transaction() as tx:
        view = await find_connection(tx, made)
        await change_connection(
            tx, bench.vault, made, seen_at=view.updated_at, actor=None, actor_label="test",
            typed={"base_url": peer.url, "auth": "bearer", "secret": "good-one"},
        )  # fmt: skip
    assert (await bench.do(node, connection="shop", url="x"))["status"] == 200


async def test_a_connection_that_is_none(bench: Bench) -> None:
    with pytest.raises(UnknownConnection):
        await bench.do(node, connection="shop", url="x")
    await bench.connect("ops", Kind.CHAT, chat="slack", secret="https://hooks.test/x")
    for _ in range(2):
        with pytest.raises(WrongKind, match="of kind chat; this needs one of http"):
            await bench.do(node, connection="ops", url="x")


async def test_a_peer_that_echoes_gives_no_secret_away(bench: Bench, peer: Peer) -> None:
    async def echo(request: web.Request) -> web.Response:
        heard = {**request.headers, "url": str(request.url)}
        return web.json_response(heard, status=int(request.query["status"]))

    await bench.connect(
        "shop", Kind.HTTP, base_url=peer.url, auth="api_key_query", key_name="k",
        secret="s3cret-key",
    )  # fmt: skip
    peer.routes["/x"] = echo
    done = await bench.do(node, connection="shop", url="x", query={"status": 200})
    failed = await fails(bench, connection="shop", url="x", query={"status": 400})
    assert peer.last.query[-1] == ("k", "s3cret-key")
    assert "s3cret" not in f"{done}{failed.message}"
