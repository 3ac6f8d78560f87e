"""logic.poll_until: asked again and again, by the clock, until the answer says yes."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.domain.connections.kinds import Kind
from app.flows.expressions import BadExpression
from app.flows.node import StepFailed, Wait
from app.flows.nodes.poll_until import Params, node
from tests.conftest import START
from tests.drivers.http.peer import Peer
from tests.drivers.process import free_port
from tests.flows.actions.bench import Bench, output

UNTIL = '=result.body.state == "done"'


def task(*states: str) -> list[Any]:
    return [{"state": state} for state in states]


async def test_it_asks_until_the_answer_says_yes(bench: Bench, peer: Peer) -> None:
    await bench.connect("vps", Kind.HTTP, base_url=peer.url, auth="bearer", secret="token-1234")
    peer.routes["/tasks/7"] = task("new", "busy", "done")
    done, waits = await bench.through(
        node, connection="vps", url="tasks/7", until=UNTIL, every="10s"
    )
    assert done.port == "out"
    assert output(done)["body"] == {"state": "done"}
    assert (output(done)["polls"], output(done)["error"]) == (3, "")
    assert [wait.until - START for wait in waits] == [timedelta(seconds=10), timedelta(seconds=20)]
    assert [wait.says for wait in waits] == ["asked 1 times, not yet", "asked 2 times, not yet"]
    assert [one.headers["Authorization"] for one in peer.asked] == ["Bearer token-1234"] * 3


async def test_what_is_true_at_once_waits_for_nothing(bench: Bench, peer: Peer) -> None:
    peer.routes["/x"] = task("done")
    done, waits = await bench.through(node, url=f"{peer.url}/x", until=UNTIL)
    assert (done.port, waits) == ("out", [])


async def test_after_the_longest_time_it_is_left_by_timeout(bench: Bench, peer: Peer) -> None:
    peer.routes["/x"] = task("busy")
    done, waits = await bench.through(
        node, url=f"{peer.url}/x", until=UNTIL, every="40s", max="90s"
    )
    assert done.port == "timeout"
    assert output(done)["body"] == {"state": "busy"}
    assert [(wait.until - START).total_seconds() for wait in waits] == [40, 80, 90]
    assert len(peer.asked) == 4


async def test_errors_of_the_moment_are_borne(bench: Bench, peer: Peer) -> None:
    peer.routes["/x"] = [(503, "busy", {}), (429, "", {"Retry-After": "60"}), {"state": "done"}]
    done, waits = await bench.through(node, url=f"{peer.url}/x", until=UNTIL, every="5s")
    assert done.port == "out"
    assert "answers 503" in waits[0].says
    assert [(wait.until - START).total_seconds() for wait in waits] == [5, 65]


async def test_a_peer_that_is_away_all_the_time(bench: Bench) -> None:
    done, waits = await bench.through(
        node, url=f"http://127.0.0.1:{free_port()}/x", until=UNTIL, every="5s", max="10s"
    )
    assert (done.port, len(waits)) == ("timeout", 2)
    assert output(done)["status"] == 0
    assert output(done)["body"] is None
    assert "refused" in output(done)["error"].lower()


async def test_a_refusal_fails_unless_it_is_a_success(bench: Bench, peer: Peer) -> None:
    url = f"{peer.url}/gone"
    with pytest.raises(StepFailed, match="answers 404"):
        await bench.through(node, url=url, until="=result.status == 404")
    done, _ = await bench.through(
        node, url=url, until="=result.status == 404", success=["2xx", 404]
    )
    assert done.port == "out"


async def test_until_must_be_true_or_false(bench: Bench, peer: Peer) -> None:
    peer.routes["/x"] = task("done")
    with pytest.raises(StepFailed, match="neither true nor false"):
        await bench.do(node, url=f"{peer.url}/x", until="=result.body.state")
    with pytest.raises(BadExpression):
        await bench.do(node, url=f"{peer.url}/x", until="=result.body.nothing == 1")


async def test_it_does_not_hammer(bench: Bench, peer: Peer) -> None:
    with pytest.raises(StepFailed, match="too often"):
        await bench.do(node, url=f"{peer.url}/x", until=UNTIL, every="500ms")
    assert peer.asked == []


async def test_a_wait_is_small_however_large_the_answer(bench: Bench, peer: Peer) -> None:
    peer.routes["/x"] = {"state": "busy", "log": "x" * 1_000_000}
    wait = await bench.enter(node, {"url": f"{peer.url}/x", "until": UNTIL})
    assert isinstance(wait, Wait)
    assert len(msgspec.json.encode(wait)) < 500


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_it_only_asks(method: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"url": "x", "until": UNTIL, "method": method}, Params)


def test_what_it_says() -> None:
    params = Params(url="tasks/7", connection="vps", until=UNTIL)
    assert node.says is not None
    assert node.says(params) == "Asks GET tasks/7 of vps every 10s, for 20m at most"
