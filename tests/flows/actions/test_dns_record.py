"""action.dns_record against a real Knot."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from app.domain.connections.kinds import Kind
from app.drivers.errors import Refused
from app.flows.node import Done, Resource, StepFailed
from app.flows.nodes.dns_record import Params, node, undo
from tests.drivers.dns.knot import knot
from tests.drivers.dns.name_server import SECRET, NameServer
from tests.flows.actions.bench import Bench, output


@pytest.fixture(scope="module")
def ns1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with knot(tmp_path_factory.mktemp("knot")) as served:
        yield served


@pytest.fixture
async def desk(bench: Bench, ns1: NameServer) -> Bench:
    await bench.connect(
        "ns1", Kind.DNS, host="127.0.0.1", port=str(ns1.port), key_name="slipway", secret=SECRET,
        zones="example.org\n2.0.192.in-addr.arpa",
    )  # fmt: skip
    return bench


def record(name: str, *values: str, **facts: Any) -> dict[str, Any]:
    return {
        "connection": "ns1",
        "type": "A",
        "name": f"{name}.example.org",
        "values": values,
        **facts,
    }


async def do(desk: Bench, given: dict[str, Any]) -> Done:
    result = await desk.enter(node, given)
    assert isinstance(result, Done)
    return result


async def test_a_record_is_created_and_undone(desk: Bench, ns1: NameServer) -> None:
    given = record("new", "192.0.2.7")
    for _ in range(2):  # an attempt that did not live to tell is repeated
        done = await do(desk, given)
        assert done.takes == (Resource("dns_record", "A new.example.org."),)
        assert output(done)["before"] is None
    assert ns1.has("new.example.org", "A") == ["192.0.2.7"]
    for _ in range(2):
        await undo(desk.step(), output(done))
    assert ns1.has("new.example.org", "A") == []


async def test_a_ptr_by_its_address(desk: Bench, ns1: NameServer) -> None:
    given = {"connection": "ns1", "type": "PTR", "name": "192.0.2.7", "values": ["new.example.org"]}
    assert output(await do(desk, given))["name"] == "7.2.0.192.in-addr.arpa."
    assert ns1.has("7.2.0.192.in-addr.arpa", "PTR") == ["new.example.org."]


async def test_what_was_replaced_is_put_back(desk: Bench, ns1: NameServer) -> None:
    await do(desk, record("swap", "192.0.2.1", "192.0.2.2", ttl_s=77))
    done = await do(desk, record("swap", "192.0.2.9", action="replace"))
    assert output(done)["before"] == {"values": ["192.0.2.1", "192.0.2.2"], "ttl_s": 77}
    assert ns1.has("swap.example.org", "A") == ["192.0.2.9"]
    for _ in range(2):
        await undo(desk.step(), output(done))
    assert ns1.has("swap.example.org", "A") == ["192.0.2.1", "192.0.2.2"]


async def test_what_was_so_already_is_left_so(desk: Bench, ns1: NameServer) -> None:
    await do(desk, record("same", "192.0.2.1"))
    done = await do(desk, record("same", "192.0.2.1", action="replace"))
    assert done.takes == ()
    await undo(desk.step(), output(done))
    assert ns1.has("same.example.org", "A") == ["192.0.2.1"]


async def test_what_was_deleted_is_put_back(desk: Bench, ns1: NameServer) -> None:
    await do(desk, record("gone", "192.0.2.1", "192.0.2.2"))
    done = await do(desk, record("gone", action="delete"))
    assert done.takes == ()
    assert ns1.has("gone.example.org", "A") == []
    again = await do(desk, record("gone", action="delete"))
    assert output(again)["before"] is None
    await undo(desk.step(), output(again))
    assert ns1.has("gone.example.org", "A") == []
    for _ in range(2):
        await undo(desk.step(), output(done))
    assert ns1.has("gone.example.org", "A") == ["192.0.2.1", "192.0.2.2"]


async def test_what_someone_changed_since_is_left_alone(desk: Bench, ns1: NameServer) -> None:
    created = await do(desk, record("moved", "192.0.2.1"))
    await do(desk, record("moved", "192.0.2.8", action="replace"))
    await undo(desk.step(), output(created))
    assert ns1.has("moved.example.org", "A") == ["192.0.2.8"]
    deleted = await do(desk, record("moved", action="delete"))
    await do(desk, record("moved", "192.0.2.9"))
    await undo(desk.step(), output(deleted))
    assert ns1.has("moved.example.org", "A") == ["192.0.2.9"]


async def test_an_attempt_that_nobody_knows_of_is_undone_by_its_intent(
    desk: Bench, ns1: NameServer
) -> None:
    given = record("unsure", "192.0.2.7")
    await undo(desk.step(), None)  # nothing was written down: nothing was done
    await keep_intent(desk, given)
    await undo(desk.step(), None)  # it was about to, and did not
    await do(desk, given)
    await undo(desk.step(), None)
    assert ns1.has("unsure.example.org", "A") == []
    for bad in ({"name": "x"}, {**given, "values": ["nonsense"]}, {**given, "action": "delete"}):
        await keep_intent(desk, bad)
        await undo(desk.step(), None)


async def keep_intent(desk: Bench, given: dict[str, Any]) -> None:
    """Write the attempt as the engine does before the call."""
    async with desk.database.transaction() as tx:
        await tx.execute("DELETE FROM step_attempt")
        await tx.execute("SET LOCAL session_replication_role = replica")  # there is no such run
        await tx.execute(
            "INSERT INTO step_attempt (run, scope, node, attempt, status, idempotency_key, input, "
            "started_at) VALUES ($1, '/', 'call', 1, 'started', 'k', $2, $3)",
            desk.run, msgspec.json.encode(given).decode(), tx.now(),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (record("bad", "nonsense"), "values: 'nonsense' is no A record"),
        (record("bad"), "values: at least one"),
        (record("bad", "192.0.2.1", type="CNAME"), None),
        ({**record("bad", "192.0.2.1"), "name": ".."}, "name: '..' is no name"),
    ],
)
async def test_records_that_are_none(desk: Bench, given: dict[str, Any], words: str | None) -> None:
    if words is None:
        assert output(await do(desk, given))["values"] == ["192.0.2.1."]
        return
    with pytest.raises(StepFailed) as failed:
        await do(desk, given)
    assert failed.value.message.startswith(words)


async def test_a_name_that_is_taken(desk: Bench) -> None:
    with pytest.raises(Refused, match="already"):
        await do(desk, record("taken", "192.0.2.7"))


def test_what_it_says() -> None:
    assert node.says is not None
    params = msgspec.convert(record("new", "192.0.2.7"), Params)
    assert node.says(params) == "Creates A new.example.org 192.0.2.7"
    assert node.says(msgspec.convert(record("x", action="delete"), Params)) == (
        "Deletes A x.example.org"
    )
