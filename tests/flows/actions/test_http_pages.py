"""action.http with lists that come in pages."""

import json
from typing import Any

import pytest
from aiohttp import web

from app.domain.connections.kinds import Kind
from app.flows.nodes.http import node
from tests.drivers.http.peer import Peer, serving
from tests.flows.actions.bench import Bench, fails


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
