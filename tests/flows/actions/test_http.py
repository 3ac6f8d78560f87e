"""action.http against real servers: what is sent, what is made of the answer, what fails how."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from aiohttp import web

from app.domain.connections.kinds import Kind
from app.drivers.egress import Egress, EgressDenied
from app.drivers.errors import DriverError, Refused, Unreachable
from app.drivers.peers import open_peers
from app.flows.expressions import BadExpression
from app.flows.node import Done, Idempotency
from app.flows.nodes.http import Params, node
from tests.drivers.http.peer import Peer, raw_server
from tests.drivers.process import free_port
from tests.flows.actions.bench import Bench, fails, output


async def test_a_call_without_a_connection(bench: Bench, peer: Peer) -> None:
    peer.routes["/v1/servers"] = {"id": 7}
    assert (await bench.do(node, url=f"{peer.url}/v1/servers", query={"all": True}))["body"] == {
        "id": 7
    }
    assert (peer.last.method, peer.last.path) == ("GET", "/v1/servers?all=true")
    assert peer.last.headers["Accept"].startswith("application/json")
    assert "Content-Type" not in peer.last.headers


async def test_a_call_through_a_connection(bench: Bench, peer: Peer) -> None:
    await bench.connect(
        "shop", Kind.HTTP, base_url=f"{peer.url}/v1", auth="bearer", secret="token-1234"
    )
    peer.routes["/v1/servers"] = (
        201,
        '{"id": 7}',
        {"Content-Type": "application/json", "X-Rate": "9"},
    )
    done = await bench.do(
        node, connection="shop", method="POST", url="servers", body={"name": "web-1"},
        headers={"X-Trace": 5, "accept": "application/vnd.shop+json", "X-None": None},
        idempotency_key="Idempotency-Key",
    )  # fmt: skip
    assert done["status"] == 201
    assert done["body"] == {"id": 7}
    assert done["headers"]["x-rate"] == "9"
    asked = peer.last
    assert (asked.method, asked.path, json.loads(asked.body)) == (
        "POST", "/v1/servers", {"name": "web-1"},
    )  # fmt: skip
    assert asked.headers["Authorization"] == "Bearer token-1234"
    assert asked.headers["Idempotency-Key"] == f"{bench.run}:/:call"
    assert asked.headers["X-Trace"] == "5"
    assert asked.headers["Accept"] == "application/vnd.shop+json"
    assert "X-None" not in asked.headers


@pytest.mark.parametrize(
    ("body_as", "body", "content_type", "raw"),
    [
        ("json", {"a": 1}, "application/json", b'{"a":1}'),
        ("form", {"a": 1, "b": ["x", "y"]}, "application/x-www-form-urlencoded", b"a=1&b=x&b=y"),
        ("xml", {"a": {"b": 1}}, "application/xml; charset=utf-8",
         b'<?xml version="1.0" encoding="UTF-8"?>\n<a><b>1</b></a>'),
        ("text", "plain", "text/plain; charset=utf-8", b"plain"),
    ],
)  # fmt: skip
async def test_bodies(
    bench: Bench, peer: Peer, body_as: str, body: Any, content_type: str, raw: bytes
) -> None:
    peer.routes["/x"] = {}
    await bench.do(node, url=f"{peer.url}/x", method="PUT", body=body, body_as=body_as)
    assert (peer.last.headers["Content-Type"], peer.last.body) == (content_type, raw)
    await bench.do(
        node, url=f"{peer.url}/x", method="PUT", body=body, body_as=body_as,
        headers={"content-type": "application/special"},
    )  # fmt: skip
    assert peer.last.headers["Content-Type"] == "application/special"


async def test_what_cannot_be_sent_is_said(bench: Bench, peer: Peer) -> None:
    url = f"{peer.url}/x"
    assert "cannot be written" in (await fails(bench, url=url, body=[1], body_as="form")).message
    for header in ("Host", "content-length", "Transfer-Encoding"):
        failed = await fails(bench, url=url, headers={header: "1"})
        assert f"{header.lower()} is not a flow's to set" in failed.message
    with pytest.raises(Refused):
        await bench.do(node, url=url, headers={"X-A": "1\r\nX-B: 2"})
    with pytest.raises(Refused, match="not below the connection"):
        await bench.connect("shop", Kind.HTTP, base_url=f"{peer.url}/v1")
        await bench.do(node, connection="shop", url="http://127.0.0.1:1/x")
    assert peer.asked == []


async def test_what_is_kept_is_an_expression(bench: Bench, peer: Peer) -> None:
    peer.routes["/x"] = {"data": {"id": 7}}
    url = f"{peer.url}/x"
    assert await bench.do(node, url=url, keep="=result.body.data.id") == 7
    assert await bench.do(node, url=url, keep="=result.status == 200") is True
    with pytest.raises(BadExpression):
        await bench.do(node, url=url, keep="=result.body.nothing.id")


async def test_statuses_that_are_no_failure(bench: Bench, peer: Peer) -> None:
    url = f"{peer.url}/none"
    assert (await bench.do(node, url=url, success=["2xx", 404]))["status"] == 404
    assert (await bench.do(node, url=url, success=["4xx"]))["body"] == {"message": "nothing here"}
    peer.routes["/ok"] = {}
    assert "answers 200" in (await fails(bench, url=f"{peer.url}/ok", success=[201])).message
    peer.routes["/empty"] = (204, "", {})
    assert (await bench.do(node, url=f"{peer.url}/empty"))["body"] is None


@pytest.mark.parametrize("bad", [[], [99], ["6xx"], ["20"], ["2XX"]])
def test_success_names_statuses(bad: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"url": "x", "success": bad}, Params)


@pytest.mark.parametrize(
    ("status", "transient", "unknown"),
    [
        (400, False, False), (401, False, False), (404, False, False), (409, False, False),
        (422, False, False), (408, True, False), (425, True, False), (429, True, False),
        (500, True, True), (501, False, False), (502, True, True), (503, True, False),
        (504, True, True), (522, True, True),
    ],
)  # fmt: skip
async def test_what_a_status_means_for_the_step(
    bench: Bench, peer: Peer, status: int, transient: bool, unknown: bool
) -> None:
    peer.routes["/x"] = (status, "", {})
    failed = await fails(bench, url=f"{peer.url}/x", method="POST")
    assert (failed.transient, failed.unknown) == (transient, unknown)
    assert f"POST {peer.url}/x answers {status}" in failed.message


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        ('{"errors": [{"detail": "The name is taken."}]}', "application/json",
         '{"errors":[{"detail":"The name is taken."}]}'),
        ('{"password": "hunter2", "api_key": "k", "error": "x"}', "application/json",
         '{"password":"••••••","api_key":"••••••","error":"x"}'),
        ("<html><head><style>b {}</style></head><body><h1>502</h1>\n <p>Bad  gateway</p></body>",
         "text/html", "502 Bad gateway"),
        ("<error><code>7</code></error>", "text/xml", '{"error":{"code":"7"}}'),
        ("plain words", "text/plain", "plain words"),
        ("plain words", "application/octet-stream", "plain words"),
        ('{"token": "t"}', "application/octet-stream", '{"token":"••••••"}'),
        (b"\x89PNG\r\n", "image/png", "iVBORw0K"),
        ("{broken", "application/json", "{broken"),
        ("x" * 1_000, "text/plain", "x" * 499 + "…"),
        (b"\xff\xfe\x00", "text/plain", "���"),
    ],
)  # fmt: skip
async def test_a_failure_tells_the_peers_own_words(
    bench: Bench, peer: Peer, body: Any, content_type: str, words: str
) -> None:
    peer.routes["/x"] = (422, body, {"Content-Type": content_type})
    failed = await fails(bench, url=f"{peer.url}/x", query={"token": "t0ken", "page": 2})
    assert failed.message == (
        f"GET {peer.url}/x?token=••••••&page=2 answers 422 Unprocessable Entity: {words}"
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("30", "wait 30 s"),
        ("Sun, 01 Mar 2026 02:01:00 GMT", "wait 60 s"),
        ("Sun, 01 Mar 2020 02:01:00 GMT", ""),
        ("99999999999999", ""),
        ("soon", ""),
        ("999999", "wait 86400 s"),
    ],
)
async def test_how_long_the_peer_asks_to_wait(
    bench: Bench, peer: Peer, value: str, words: str
) -> None:
    peer.routes["/x"] = (429, "slow down", {"Retry-After": value})
    failed = await fails(bench, url=f"{peer.url}/x")
    assert failed.transient
    assert ("it asks to " + words in failed.message) if words else ("asks" not in failed.message)


async def test_an_answer_that_cannot_be_read(bench: Bench, peer: Peer) -> None:
    peer.routes["/x"] = (200, "<html>", {"Content-Type": "application/json"})
    failed = await fails(bench, url=f"{peer.url}/x", method="POST")
    assert "was done, but its answer cannot be read" in failed.message
    assert not failed.transient
    peer.routes["/y"] = (200, '{"a": 1}', {"Content-Type": "text/html"})
    assert (await bench.do(node, url=f"{peer.url}/y", read_as="json"))["body"] == {"a": 1}


async def test_a_call_that_nobody_answers_may_have_been_done(bench: Bench, peer: Peer) -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    peer.routes |= {"/x": hang, "/warm": {}}
    await bench.do(node, url=f"{peer.url}/warm")  # so that no time goes into a connection
    failed = await fails(bench, url=f"{peer.url}/x", method="POST", timeout_s=0.2)
    assert (failed.transient, failed.unknown) == (True, True)
    async with raw_server(None, reset=True) as url:
        assert (await fails(bench, url=url, method="POST")).unknown


async def test_a_call_that_was_never_sent_was_not_done(bench: Bench) -> None:
    with pytest.raises(Unreachable):
        await bench.do(node, url=f"http://127.0.0.1:{free_port()}/", method="POST")


async def test_a_flow_does_not_reach_the_metadata_service(bench: Bench, peer: Peer) -> None:
    peer.routes["/x"] = (302, "", {"Location": "http://169.254.169.254/latest"})
    with pytest.raises(EgressDenied):
        await bench.do(node, url=f"{peer.url}/x")
    strict = open_peers(Egress())
    bench.peers = strict
    bench.__post_init__()
    with pytest.raises(EgressDenied):
        await bench.do(node, url=f"{peer.url}/x")
    await strict.close()
    assert len(peer.asked) == 1


@pytest.mark.parametrize(
    ("method", "key", "policy"),
    [
        ("GET", "", Idempotency.KEY),
        ("HEAD", "", Idempotency.KEY),
        ("PUT", "", Idempotency.KEY),
        ("DELETE", "", Idempotency.KEY),
        ("POST", "", Idempotency.NONE),
        ("PATCH", "", Idempotency.NONE),
        ("POST", "Idempotency-Key", Idempotency.KEY),
        ("PATCH", "X-Request-Id", Idempotency.KEY),
    ],
)
def test_the_policy_follows_from_the_method(method: Any, key: str, policy: Idempotency) -> None:
    params = Params(url="x", method=method, idempotency_key=key)
    assert node.idempotency_of is not None
    assert node.idempotency_of(params) is policy


def test_what_it_says_and_gives() -> None:
    assert node.says is not None
    assert node.output_of is not None
    params = Params(url="a\nb", connection="shop", method="POST")
    assert node.says(params) == "Calls POST a b of shop"
    paged = msgspec.convert({"url": "", "paging": {"by": "link"}}, Params)
    assert node.says(paged) == "Calls GET /, up to 100 pages"
    assert "body" in str(node.output_of({}))
    assert "items" in str(node.output_of({"paging": {"by": "page"}}))
    assert node.output_of({"keep": "=1"}) == {}


async def test_the_output_is_what_json_keeps(bench: Bench, peer: Peer) -> None:
    peer.routes["/x"] = (200, b"\x89PNG", {"Content-Type": "image/png"})
    result = await bench.enter(node, {"url": f"{peer.url}/x"})
    assert isinstance(result, Done)
    assert result.port == "out"
    assert output(result)["body"] == "iVBORw=="


def test_an_error_is_one_of_ours() -> None:
    assert issubclass(EgressDenied, DriverError)
    assert not issubclass(EgressDenied, Unreachable)
