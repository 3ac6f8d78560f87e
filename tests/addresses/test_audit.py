"""Each kind of drift is made by hand and named; what is well is not."""

import asyncio
import json
from contextvars import Context
from uuid import UUID

import pytest

from app.core.database import Database, Tx
from app.core.ids import new_id
from app.domain.addresses import compare_index as comparing
from app.domain.addresses.assign import assign
from app.domain.addresses.audit import audit_addresses, find_audit
from app.domain.addresses.compare_index import Comparison, compare_index
from app.domain.addresses.hints import count_processes, listening
from app.domain.addresses.index import AddressIndex
from app.domain.addresses.pools import pools_of
from app.ipam.wants import AddressKind
from tests.addresses.site import WHOLE, ask, lay_out, prefix, vlans
from tests.inventory.hall import an_order

CLAIM = (
    "INSERT INTO address_claim (kind, scope, position, state, holder, item, claimed_at) "
    "VALUES ('ip4', $1, $2, 'assigned', $3, $2::bigint::text, $4)"
)


async def test_every_contradiction_is_named(tx: Tx) -> None:
    ids = await lay_out(
        tx, prefix(), prefix("10.1.0.0/28"), prefix("2001:db8::/48"), groups=[vlans()]
    )
    leaf, other = ids["10.0.0.0/28"], ids["10.1.0.0/28"]
    order = await an_order(tx)
    await ask(tx, order, WHOLE)
    await assign(tx, order)
    await tx.execute("UPDATE service SET state = 'active'")
    assert (await audit_addresses(tx)).found == ()

    bare = await an_order(tx)
    await tx.execute("UPDATE service SET state = 'active' WHERE \"order\" = $1", bare)
    ended = await an_order(tx)
    await tx.execute("UPDATE service SET state = 'terminated' WHERE \"order\" = $1", ended)
    for scope, position, holder in (
        (leaf, 16, order),
        (new_id(), 1, order),
        (leaf, 9, new_id()),
        (leaf, 10, ended),
        (other, 5, order),
    ):
        await tx.execute(CLAIM, scope, position, holder, tx.now())
    await tx.execute("UPDATE address_claim SET client = $1 WHERE position = 16", new_id())
    await tx.execute("UPDATE prefix SET status = 'container' WHERE id = $1", other)
    await tx.execute(
        "INSERT INTO prefix (id, network, datacentre, status) "
        "SELECT $1, '10.0.0.0/30', datacentre, 'container' FROM prefix WHERE id = $2",
        new_id(),
        leaf,
    )
    for scope, first, last in ((leaf, 9, 9), (other, 4, 99)):
        await tx.execute(
            "INSERT INTO address_reservation (id, prefix, first, last, purpose, reason, created_at)"
            " VALUES ($1, $2, $3, $4, 'lab', 'test', $5)",
            new_id(),
            scope,
            first,
            last,
            tx.now(),
        )
    drifts = (await audit_addresses(tx)).found
    found = {(drift.kind, drift.subject) for drift in drifts}
    number = await tx.fetchval("SELECT number FROM client_order WHERE id = $1", ended)
    [says] = [one.says for one in drifts if one.subject == "10.0.0.10/32"]
    assert says == f"assigned by order #{number}, whose service is terminated"
    assert found == {
        ("claim_without_pool", "ip4 1"),
        ("claim_in_container", "10.1.0.0/32"),
        ("claim_in_container", "10.1.0.5/32"),
        ("claim_in_container", "10.1.0.15/32"),
        ("claim_outside_prefix", "10.0.0.0/28 ip4 16"),
        ("claim_without_order", "10.0.0.9/32"),
        ("claim_without_order", "10.0.0.10/32"),
        ("claim_of_another_client", "10.0.0.16/32"),
        ("service_without_address", "web.example.test"),
        ("prefix_in_leaf", "10.0.0.0/30"),
        ("reservation_outside_prefix", "10.1.0.0/28"),
        ("claim_in_reservation", "10.0.0.9/32"),
        ("claim_in_reservation", "10.1.0.5/32"),
    }
    kept = await tx.fetch("SELECT drifts, found FROM address_audit ORDER BY id")
    assert [row["drifts"] for row in kept] == [0, len(json.loads(kept[1]["found"]))]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "PAUSE_S", 0.01)
    monkeypatch.setattr(comparing, "LOOK_S", 0.01)


async def a_process(database: Database) -> tuple[AddressIndex, dict[str, UUID]]:
    """Return the index of a process that knows a prefix, a VLAN group and a network of /64s."""
    index = AddressIndex()
    async with database.transaction() as tx:
        ids = await lay_out(tx, prefix(), prefix("2001:db8::/48"), groups=[vlans()])
        pools = await pools_of(tx, "ams1", list(AddressKind))
        await index.refresh(tx, pools.values())
    return index, ids | {"vlans": next(p.id for p in pools.values() if p.network is None)}


@pytest.mark.usefixtures("at_once")
async def test_what_a_process_remembers_is_compared_named_and_put_right(database: Database) -> None:
    index, ids = await a_process(database)
    async with database.transaction() as tx:
        await ask(tx, new_id())  # which this process has not heard of: no drift
    assert await compare_index(database, index) == Comparison(3, ())
    index.take(ids["10.0.0.0/28"], [7])
    index.take(ids["2001:db8::/48"], [256])
    index.give_back(ids["10.0.0.0/28"], [1])
    index.take(ids["vlans"], [150])
    found = await compare_index(database, index)
    assert [(one.kind, one.subject, one.says.partition(" in the ")[0]) for one in found.drifts] == [
        ("index_hides", "10.0.0.7", "is nobody's, and taken"),
        ("index_offers", "10.0.0.1", "is claimed, and free"),
        ("index_hides", "2001:db8:0:100::/64", "is nobody's, and taken"),
        ("index_hides", "VLAN 150 of ams1", "is nobody's, and taken"),
    ]
    async with database.snapshot() as tx:
        pools = (await pools_of(tx, "ams1", list(AddressKind))).values()
        await index.refresh(tx, pools)
    assert await compare_index(database, index) == Comparison(3, ())


@pytest.mark.usefixtures("at_once")
async def test_what_is_under_way_is_no_drift(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, ids = await a_process(database)
    scope = ids["10.0.0.0/28"]
    async with database.transaction() as tx:
        index.take(scope, [9])
        await tx.execute(CLAIM, scope, 9, new_id(), tx.now())
        comparing_now = asyncio.create_task(compare_index(database, index), context=Context())
        await asyncio.sleep(0.05)
        assert not comparing_now.done()
    assert await comparing_now == Comparison(3, ())
    monkeypatch.setattr(comparing, "LOOKS", 2)
    async with database.transaction() as tx:  # as a backup would be
        index.take(scope, [11])
        await tx.execute(CLAIM, scope, 11, new_id(), tx.now())
        comparing_now = asyncio.create_task(compare_index(database, index), context=Context())
        assert await comparing_now == Comparison(2, ())


@pytest.mark.usefixtures("at_once")
async def test_every_process_answers_an_audit(database: Database) -> None:
    index, ids = await a_process(database)
    other = AddressIndex()
    index.take(ids["10.0.0.0/28"], [7])
    async with listening(database, index), listening(database, other), asyncio.timeout(20):
        while True:
            async with database.snapshot() as tx:
                if await count_processes(tx) == 2:
                    break
        async with database.transaction() as tx:
            audit = (await audit_addresses(tx)).id
        while True:
            async with database.snapshot() as tx:
                found = await find_audit(tx, audit)
            if found.processes == 2:
                break
    assert (found.drifts, [one.kind for one in found.found]) == (1, ["index_hides"])
