"""Writing address space down: twice is once, what is kept is kept, nothing overlaps."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.domain.addresses.assign import assign
from app.domain.addresses.claim import PoolExhausted
from app.domain.addresses.errors import InUse, PrefixOverlaps
from app.domain.addresses.expire import expire
from app.domain.addresses.find import find_prefix, list_prefixes, list_vlan_groups
from app.domain.addresses.name_address import name_address
from app.domain.addresses.register import register_prefix, register_vlan_group
from app.domain.addresses.release import release
from app.domain.addresses.reserved import reserved_positions
from app.domain.addresses.search import claims_in, search_claims
from app.domain.addresses.states import ClaimState
from app.ipam.prefixes import unusable_offsets
from tests.addresses.site import V4, V6, WHOLE, ask, ip4, lay_out, prefix, texts, vlans
from tests.inventory.hall import an_order

BY_TEST = {"actor": None, "actor_label": "test"}


async def labels(tx: Tx) -> dict[int, str]:
    rows = await tx.fetch(
        "SELECT position, purpose FROM address_claim WHERE state = 'reserved' ORDER BY id"
    )
    return {row["position"]: row["purpose"] for row in rows}


async def test_space_written_twice_is_the_same_space(tx: Tx) -> None:
    space = [prefix(gateway="10.0.0.1", reserved=("10.0.0.9",)), prefix(V6, gateway="2001:db8::1")]
    first = await lay_out(tx, *space, groups=[vlans()])
    before = await tx.fetch("SELECT kind, scope, position, purpose FROM address_claim ORDER BY id")
    assert await lay_out(tx, *space, groups=[vlans()]) == first
    after = await tx.fetch("SELECT kind, scope, position, purpose FROM address_claim ORDER BY id")
    assert before == after
    assert await labels(tx) == {0: "gateway", 15: "broadcast", 1: "gateway", 9: "reserved"}
    assert await tx.fetchval("SELECT count(*) FROM address_claim WHERE purpose = 'network'") == 1


async def test_what_is_no_longer_reserved_is_free_and_the_reverse(
    database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/29", gateway="10.0.0.1", reserved=("10.0.0.2",)))
        assert texts(await ask(tx, new_id())) == ["10.0.0.3"]
    clock.advance(seconds=1)
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM outbox")
        await register_prefix(tx, prefix("10.0.0.0/29", gateway="10.0.0.6", reserved=("10.0.0.4",)))
        assert await labels(tx) == {0: "network", 7: "broadcast", 6: "gateway", 4: "reserved"}
        assert await tx.fetchval("SELECT count(*) FROM outbox WHERE topic = 'stock.appeared'") == 2
        got = [texts(await ask(tx, new_id()))[0] for _ in range(3)]
        assert got == ["10.0.0.1", "10.0.0.2", "10.0.0.5"]
        with pytest.raises(PoolExhausted):
            await ask(tx, new_id())


async def test_what_an_order_has_cannot_be_reserved_but_what_cools_down_can(tx: Tx) -> None:
    await lay_out(tx, prefix("10.0.0.0/29"))
    order = new_id()
    await ask(tx, order)
    taken = prefix("10.0.0.0/29", reserved=("10.0.0.1-10.0.0.2",))
    with pytest.raises(InUse) as caught:
        async with tx.savepoint():
            await register_prefix(tx, taken)
    assert caught.value.addresses == ("10.0.0.1",)
    await assign(tx, order)
    await release(tx, order)
    await register_prefix(tx, taken)
    assert texts(await ask(tx, new_id())) == ["10.0.0.3"]


@pytest.mark.parametrize(
    ("network", "others"),
    [
        ("10.0.0.0/24", ("10.0.0.0/28",)),
        ("10.0.0.8/29", ("10.0.0.0/28",)),
        ("10.0.0.0/8", ("10.0.0.0/28", "10.9.0.0/28")),
    ],
)
async def test_prefixes_never_overlap(tx: Tx, network: str, others: tuple[str, ...]) -> None:
    await lay_out(tx, prefix(), prefix("10.9.0.0/28"))
    with pytest.raises(PrefixOverlaps) as caught:
        await register_prefix(tx, prefix(network))
    assert caught.value.others == others


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"network": "10.0.0.1/28"}, "network"),
        ({"network": "ten"}, "network"),
        ({"network": "0.0.0.0/0"}, "network"),
        ({"network": "2001:db8::/80"}, "network"),
        ({"gateway": "10.1.0.1"}, "gateway"),
        ({"gateway": "10.0.0.0"}, "gateway"),
        ({"gateway": "10.0.0.15"}, "gateway"),
        ({"gateway": "2001:db8::1"}, "gateway"),
        ({"gateway": "router"}, "gateway"),
        ({"network": "10.0.0.1/32", "gateway": "10.0.0.1"}, "gateway"),
        ({"reserved": ("10.0.0.9-10.0.0.8",)}, "reserved"),
        ({"reserved": ("10.0.0.9-10.0.0.16",)}, "reserved"),
        ({"reserved": ("10.0.0.0/27",)}, "reserved"),
        ({"reserved": ("some",)}, "reserved"),
        ({"reserved": ("2001:db8::1",)}, "reserved"),
        ({"network": "2001:db8::/32", "reserved": ("2001:db8::/33",)}, "reserved"),
        ({"datacentre": "nyc1"}, "datacentre"),
        ({"rack": "R9"}, "rack"),
    ],
)
async def test_a_prefix_that_cannot_be_is_refused(
    tx: Tx, facts: dict[str, object], field: str
) -> None:
    await lay_out(tx)
    with pytest.raises(Invalid) as caught:
        await register_prefix(tx, prefix(**facts))
    assert list(caught.value.fields) == [field]


async def test_a_vlan_group_that_cannot_be_is_refused(tx: Tx) -> None:
    await lay_out(tx)
    with pytest.raises(Invalid):
        await register_vlan_group(tx, vlans(first_vid=5, last_vid=4))
    with pytest.raises(Invalid):
        await register_vlan_group(tx, vlans(rack="R9"))


async def test_a_vlan_group_can_be_made_larger_and_smaller(tx: Tx) -> None:
    vlan = WHOLE[-1]
    for first, last, expected in ((10, 10, 10), (10, 11, 11), (5, 9, 5), (1, 9, 1)):
        await lay_out(tx, groups=[vlans(first_vid=first, last_vid=last)])
        assert (await ask(tx, new_id(), [vlan])).vlan == expected
    (group,) = await list_vlan_groups(tx)
    assert (group.size, group.taken, group.free) == (9, 2, 7)


@given(length=st.integers(8, 32), data=st.data())
def test_whatever_the_prefix_its_own_addresses_are_reserved(
    length: int, data: st.DataObject
) -> None:
    network = ip_network((10 << 24, length))
    usable = st.integers(0, network.num_addresses - 1).filter(
        lambda offset: offset not in unusable_offsets(network)
    )
    gateway = network.network_address + data.draw(usable)
    extra = network.network_address + data.draw(usable)
    positions = reserved_positions(network, gateway, (str(extra),))
    offsets = {int(gateway) - int(network[0]), int(extra) - int(network[0])}
    assert set(positions) == offsets | unusable_offsets(network)
    assert positions[int(gateway) - int(network[0])] == "gateway"
    assert ("network" in positions.values()) is (length < 31)


def test_what_is_reserved_of_a_prefix_is_bounded_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.domain.addresses.reserved.MOST", 8)
    eight = ("10.0.0.0/30", "10.0.0.4-10.0.0.7")
    assert len(reserved_positions(ip_network("10.0.0.0/24"), None, eight)) == 9
    with pytest.raises(Invalid, match="Together they are more than 8"):
        reserved_positions(ip_network("10.0.0.0/24"), None, (*eight, "10.0.0.9"))


async def test_prefixes_show_how_full_they_are(tx: Tx) -> None:
    ids = await lay_out(
        tx,
        prefix("10.0.0.0/29", gateway="10.0.0.1", note="uplink A"),
        prefix(V6),
        prefix("10.4.0.0/24", datacentre="fra1", rack="R1"),
    )
    held, assigned, gone = new_id(), new_id(), new_id()
    for order in (held, assigned, gone):
        await ask(tx, order)
    for order in (assigned, gone):
        await assign(tx, order)
    await release(tx, gone)
    small, far, six = await list_prefixes(tx)
    assert [str(view.network) for view in (small, far, six)] == ["10.0.0.0/29", "10.4.0.0/24", V6]
    assert (small.size, small.held, small.assigned, small.reserved, small.quarantined) == (
        8,
        1,
        1,
        3,
        1,
    )
    assert (small.free, small.utilisation, small.note) == (2, pytest.approx(0.6), "uplink A")
    assert (six.size, six.free, six.utilisation) == (65536, 65536, 0.0)
    assert (far.datacentre, far.rack) == ("fra1", "R1")
    assert await list_prefixes(tx, datacentre="fra1") == (far,)
    assert await find_prefix(tx, ids["10.0.0.0/29"]) == small
    with pytest.raises(NotFound):
        await find_prefix(tx, new_id())


async def test_an_address_leads_to_its_order(tx: Tx) -> None:
    ids = await lay_out(tx, prefix(gateway="10.0.0.1"), prefix(V6), groups=[vlans()])
    order = await an_order(tx)
    number = await tx.fetchval("SELECT number FROM client_order WHERE id = $1", order)
    claimed = await ask(tx, order, WHOLE)
    for search, text in (
        (str(claimed.ip4[1].address), "10.0.0.3"),
        ("10.0.0.3/28", "10.0.0.3"),
        (str(claimed.ip6[0].host_address), "2001:db8::/64"),
        (str(ip_address("2001:db8::1:2:3:4")), "2001:db8::/64"),
    ):
        (found,) = (await search_claims(tx, search)).items
        assert (found.text, found.holder, found.order_number) == (text, order, number)
    for search in ("web.exam", f"#{number}"):
        page = await search_claims(tx, search)
        assert [view.text for view in page.items] == [
            "10.0.0.2",
            "10.0.0.3",
            "10.0.0.4",
            "2001:db8::/64",
            "100",
        ]
    assert page.items[-1].pool == "ams1"
    assert (await search_claims(tx, "192.0.2.1")).total == 0
    (gateway,) = (await search_claims(tx, "10.0.0.1", states=(ClaimState.reserved,))).items
    assert (gateway.purpose, gateway.holder, gateway.pool) == ("gateway", None, V4)
    assert (await search_claims(tx, "10.0.0.1", states=(ClaimState.held,))).total == 0
    assert (await search_claims(tx, "")).total == 8
    inside = await claims_in(tx, ids[V4])
    assert [view.text for view in inside.items] == [
        "10.0.0.0",
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.3",
        "10.0.0.4",
        "10.0.0.15",
    ]


async def test_a_prefix_that_is_opened_for_orders_wakes_who_waits(
    database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix(auto_allocatable=False))
        with pytest.raises(PoolExhausted):
            await ask(tx, new_id(), [ip4()])
    clock.advance(seconds=1)
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM outbox")
        await register_prefix(tx, prefix())
        assert await tx.fetchval("SELECT count(*) FROM outbox WHERE topic = 'stock.appeared'") == 1
        assert texts(await ask(tx, new_id(), [ip4()])) == ["10.0.0.1"]


async def test_what_is_reserved_no_more_waits_until_its_old_name_is_gone(
    database: Database, clock: SetClock
) -> None:
    net, order = "10.0.0.0/29", new_id()
    async with database.transaction() as tx:
        await lay_out(tx, prefix(net))
        await ask(tx, order)
        await assign(tx, order)
        await name_address(tx, "10.0.0.1", "a.example.org", holder=None, **BY_TEST)
        await release(tx, order)
        await register_prefix(tx, prefix(net, reserved=("10.0.0.1",)))
        await register_prefix(tx, prefix(net))
        assert texts(await ask(tx, new_id())) == ["10.0.0.2"]
    clock.advance(hours=1)
    async with database.transaction() as tx:
        assert await expire(tx) == 0
        await tx.execute("DELETE FROM reverse_name")
        assert await expire(tx) == 1
    async with database.transaction() as tx:
        assert texts(await ask(tx, new_id())) == ["10.0.0.1"]
