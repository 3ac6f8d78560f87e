"""action.http against real servers: what is sent, what is made of the answer, what fails how."""

import json
from typing import Any

import msgspec
import pytest
from aiohttp import web

from app.domain.connections.change import change_connection
from app.domain.connections.errors import UnknownConnection, WrongKind
from app.domain.connections.find import find_connection
from app.domain.connections.kinds import Kind
from app.drivers.egress import Egress, EgressDenied
from app.drivers.errors import DriverError, Refused, Unreachable
from app.drivers.peers import open_peers
from app.flows.expressions import BadExpression
from app.flows.node import Done, Idempotency, StepFailed
from app.flows.nodes.http import Params, node
from tests.drivers.http.peer import Peer, raw_server, serving
from tests.drivers.process import free_port
from tests.flows.actions.bench import Bench, output


async def fails(bench: Bench, **given: Any) -> StepFailed:
    with pytest.raises(StepFailed) as failed:
        await bench.do(node, **given)
    return failed.value


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


async def test_a_call_that_nobody_answers_may_have_been_done(bench: Bench) -> None:
    async with raw_server(None) as url:
        failed = await fails(bench, url=url, method="POST", timeout_s=0.2)
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


# --- connections -------------------------------------------------------------------------------


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


# --- pages -------------------------------------------------------------------------------------


def listing(count: int, *, size: int = 2, style: str = "page") -> Any:
    """An API that gives `count` numbers in pages of `size`."""
    numbers = list(range(1, count + 1))

    async def serve(request: web.Request) -> web.Response:
        query = request.query
        if style == "offset":
            start = int(query.get("offset", 0))
        else:
            start = (int(query.get("page", query.get("cursor", 1))) - 1) * size
        part = numbers[start : start + size]
        more = start + size < count
        page = start // size + 1
        following = f"{request.url.with_query(page=page + 1)}"
        headers = {}
        if style == "link" and more:
            headers["Link"] = (
                f'<{request.url.with_query(page=1)}>; rel="first", '
                f'</{request.path[1:]}?page={page + 1}>; title="a, b; c"; rel="next last"'
            )
        body: dict[str, Any] = {"data": part}
        if style == "cursor":
            body["next"] = page + 1 if more else None
        if style == "address":
            body["next"] = following if more else ""
        return web.json_response(body, headers=headers)

    return serve


@pytest.mark.parametrize(
    ("style", "paging", "cursor", "pages"),
    [
        ("page", {"by": "page"}, "", 4),
        ("page", {"by": "page", "size": 2, "size_parameter": "per_page"}, "", 3),
        ("offset", {"by": "offset"}, "", 4),
        ("offset", {"by": "offset", "size": 2, "size_parameter": "limit"}, "", 3),
        ("cursor", {"by": "cursor"}, "=result.body.next", 3),
        ("address", {"by": "cursor"}, "=result.body.next", 3),
        ("link", {"by": "link"}, "", 3),
    ],
)
async def test_all_pages_of_a_list_are_put_together(
    bench: Bench, peer: Peer, style: str, paging: dict[str, Any], cursor: str, pages: int
) -> None:
    peer.routes["/list"] = listing(5, style=style)
    await bench.connect("shop", Kind.HTTP, base_url=peer.url)
    done = await bench.do(
        node, connection="shop", url="list", query={"state": "on"}, paging=paging, cursor=cursor,
        items="=result.body.data",
    )  # fmt: skip
    assert done["items"] == [1, 2, 3, 4, 5]
    assert (done["pages"], done["is_complete"], done["status"]) == (pages, True, 200)
    assert ("state", "on") in peer.asked[0].query
    if paging.get("size"):
        assert (paging["size_parameter"], "2") in peer.asked[-1].query


async def test_pages_end_at_the_most_that_is_wanted(bench: Bench, peer: Peer) -> None:
    peer.routes["/list"] = listing(100)
    done = await bench.do(
        node, url=f"{peer.url}/list", paging={"by": "page", "max": 3}, items="=result.body.data",
        keep="=result.items.size() * 1000 + (result.is_complete ? 1 : 0)",
    )  # fmt: skip
    assert done == 6_000
    peer.routes["/bare"] = (200, "[1, 2]", {"Content-Type": "application/json"})
    done = await bench.do(node, url=f"{peer.url}/bare", paging={"by": "link"})
    assert done["items"] == [1, 2]


async def test_a_first_page_that_is_numbered_otherwise(bench: Bench, peer: Peer) -> None:
    peer.routes["/list"] = (200, "[]", {"Content-Type": "application/json"})
    await bench.do(
        node, url=f"{peer.url}/list", paging={"by": "page", "first": 0, "parameter": "p"}
    )
    assert peer.last.query == [("p", "0")]


async def test_pages_that_go_round_are_left(bench: Bench, peer: Peer) -> None:
    peer.routes["/list"] = {"data": [1], "next": "same"}
    failed = await fails(
        bench, url=f"{peer.url}/list", paging={"by": "cursor"}, items="=result.body.data",
        cursor="=result.body.next",
    )  # fmt: skip
    assert "leads back" in failed.message
    assert len(peer.asked) == 2


async def test_pages_of_another_host_are_not_followed(bench: Bench, peer: Peer) -> None:
    async with serving() as other:
        peer.routes["/list"] = (
            200, "[1]", {"Content-Type": "application/json", "Link": f"<{other.url}/x>; rel=next"}
        )  # fmt: skip
        failed = await fails(
            bench, url=f"{peer.url}/list", headers={"X-Token": "t"}, paging={"by": "link"}
        )
        assert "another host" in failed.message
        assert other.asked == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"paging": {"by": "page"}}, "set `items` to the list"),
        ({"paging": {"by": "page"}, "items": "=result.body.next"}, "is no list but str"),
        ({"paging": {"by": "cursor"}, "items": "=result.body.data"}, "need `cursor`"),
        ({"paging": {"by": "cursor"}, "items": "=result.body.data", "cursor": "=result.body"},
         "the cursor is a dict"),
    ],
)  # fmt: skip
async def test_pages_that_are_not_described_well(
    bench: Bench, peer: Peer, given: dict[str, Any], words: str
) -> None:
    peer.routes["/list"] = {"data": [1], "next": "x"}
    assert words in (await fails(bench, url=f"{peer.url}/list", **given)).message


async def test_all_pages_together_are_bounded(bench: Bench, peer: Peer) -> None:
    body = json.dumps(["x" * 1_000_000])
    peer.routes["/list"] = (200, body, {"Content-Type": "application/json"})
    failed = await fails(bench, url=f"{peer.url}/list", paging={"by": "page"})
    assert "6 pages have more than 5 MB" in failed.message


async def test_a_page_that_fails_fails_the_step(bench: Bench, peer: Peer) -> None:
    peer.routes["/list"] = [{"data": [1], "next": 2}, (503, "", {})]
    failed = await fails(
        bench, url=f"{peer.url}/list", paging={"by": "cursor"}, items="=result.body.data",
        cursor="=result.body.next",
    )  # fmt: skip
    assert failed.transient


# --- what it says of itself ----------------------------------------------------------------------


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
