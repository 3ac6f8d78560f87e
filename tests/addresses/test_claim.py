"""Claim: everything an order needs or nothing, from the right place, never what is kept."""

from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.addresses.claim import Claimed, Ip4, Ip6Net, PoolExhausted
from app.domain.addresses.errors import BlockTooLarge
from app.domain.addresses.find import addresses_fit, addresses_of
from app.ipam.choice import Strategy
from app.ipam.wants import AddressKind, AddressRules, AddressWant, wants_of
from tests.addresses.site import V4, V6, WHOLE, ask, ip4, lay_out, prefix, texts, vlans

NET = AddressWant(item="ip6net:primary", kind=AddressKind.ip6net, prefix_length=64)


async def rows(tx: Tx) -> int:
    count: int = await tx.fetchval("SELECT count(*) FROM address_claim WHERE state = 'held'")
    return count


async def test_an_order_gets_all_that_it_needs_at_once(tx: Tx) -> None:
    await lay_out(tx, prefix(gateway="10.0.0.1"), prefix(V6), groups=[vlans()])
    order = new_id()
    claimed = await ask(tx, order, WHOLE)
    gateway = ip_address("10.0.0.1")
    assert claimed == Claimed(
        ip4=tuple(
            Ip4(ip_address(f"10.0.0.{last}"), 28, gateway, item)
            for last, item in ((2, "ip4:primary"), (3, "ip4:extra:1"), (4, "ip4:extra:2"))
        ),
        ip6=(
            Ip6Net(
                ip_network("2001:db8::/64"),
                ip_address("2001:db8::1"),
                ip_address("2001:db8::2"),
                "ip6net:primary",
            ),
        ),
        vlan=100,
    )
    assert await addresses_of(tx, order) == claimed
    assert await ask(tx, order, WHOLE) == claimed
    assert await rows(tx) == 5


async def test_broadcast_and_gateway_are_never_handed_out(tx: Tx) -> None:
    """pitfalls.md: broadcast or gateway handed out."""
    await lay_out(tx, prefix("10.0.0.0/29", gateway="10.0.0.6"))
    got = [texts(await ask(tx, new_id()))[0] for _ in range(5)]
    assert got == [f"10.0.0.{last}" for last in range(1, 6)]
    with pytest.raises(PoolExhausted):
        await ask(tx, new_id())


async def test_several_reserved_ranges_in_one_prefix_are_all_honoured(tx: Tx) -> None:
    """pitfalls.md: several reserved ranges in one prefix not all honoured."""
    reserved = ("10.0.0.2", "10.0.0.4-10.0.0.6", "10.0.0.8/30")
    await lay_out(tx, prefix(gateway="10.0.0.1", reserved=reserved))
    got = texts(await ask(tx, new_id(), wants_of(AddressRules(ipv6_length=None, vlan=False), 3)))
    assert got == ["10.0.0.3", "10.0.0.7", "10.0.0.12", "10.0.0.13"]


async def test_a_31_and_a_32_use_every_address(tx: Tx) -> None:
    await lay_out(tx, prefix("10.0.0.0/31"), prefix("10.0.1.0/32"))
    got = sorted([texts(await ask(tx, new_id()))[0] for _ in range(3)])
    assert got == ["10.0.0.0", "10.0.0.1", "10.0.1.0"]


async def test_all_or_nothing(tx: Tx) -> None:
    await lay_out(tx, prefix(), prefix(V6))
    order = new_id()
    with pytest.raises(PoolExhausted) as caught:
        await ask(tx, order, WHOLE)
    assert caught.value.item == "vlan:primary"
    assert await rows(tx) == 0
    assert await addresses_of(tx, order) == Claimed()
    # What was chosen before the refusal is not lost to this process either.
    plain = wants_of(AddressRules(ipv6_length=None, vlan=False), 12)
    assert len(texts(await ask(tx, order, plain))) == 13


async def test_a_refusal_has_the_facts_and_says_what_to_do(tx: Tx) -> None:
    await lay_out(tx, prefix("10.0.0.0/30", purpose="extra"))
    await ask(tx, new_id(), [ip4(purpose="extra")])
    with pytest.raises(PoolExhausted) as caught:
        await ask(tx, new_id(), [ip4("ip4:extra:1", purpose="extra"), ip4(purpose="extra")])
    refusal = caught.value
    assert refusal.code == "ipam.pool_exhausted"
    assert (refusal.kind, refusal.purpose, refusal.datacentre, refusal.rack) == (
        AddressKind.ip4,
        "extra",
        "ams1",
        "R1",
    )
    assert (refusal.item, refusal.wanted) == ("ip4:primary", 1)
    assert "auto-allocatable" in refusal.message


async def test_items_are_added_to_what_the_order_has(tx: Tx) -> None:
    await lay_out(tx, prefix())
    order = new_id()
    first = await ask(tx, order, wants_of(AddressRules(ipv6_length=None, vlan=False), 0))
    more = await ask(tx, order, wants_of(AddressRules(ipv6_length=None, vlan=False), 11))
    assert more.ip4[0] == first.ip4[0]
    assert [ip.item for ip in more.ip4] == [
        "ip4:primary",
        *(f"ip4:extra:{number}" for number in range(1, 12)),
    ]


async def test_an_expiry_is_put_off_or_dropped_and_never_brought_forward(tx: Tx) -> None:
    await lay_out(tx, prefix())
    order = new_id()
    soon, late = tx.now() + timedelta(minutes=1), tx.now() + timedelta(minutes=2)
    for asked, expected in ((soon, soon), (late, late), (soon, late), (None, None), (soon, None)):
        await ask(tx, order, expires_at=asked)
        seen = await tx.fetchval("SELECT expires_at FROM address_claim WHERE holder = $1", order)
        assert seen == expected


async def test_the_place_of_the_machine_decides(tx: Tx) -> None:
    await lay_out(
        tx,
        prefix("10.1.0.0/28", rack="R1"),
        prefix("10.2.0.0/28", rack="R2"),
        prefix("10.3.0.0/28"),
        prefix("10.4.0.0/28", datacentre="fra1"),
        prefix("10.5.0.0/28", auto_allocatable=False),
        groups=[vlans("r2", rack="R2"), vlans("all", first_vid=3000)],
    )
    vlan = AddressWant(item="vlan:primary", kind=AddressKind.vlan, prefix_length=0)
    in_r1, in_r2, in_fra, nowhere = (new_id() for _ in range(4))
    first = await ask(tx, in_r1, [ip4(), vlan], rack="R1")
    second = await ask(tx, in_r2, [ip4(), vlan], rack="R2")
    third = await ask(tx, in_fra, datacentre="fra1", rack="R1")
    fourth = await ask(tx, nowhere, rack=None)
    assert [*texts(first), *texts(second), *texts(third), *texts(fourth)] == [
        "10.1.0.1",
        "10.2.0.1",
        "10.4.0.1",
        "10.3.0.1",
    ]
    assert (first.vlan, second.vlan) == (3000, 100)
    for holder, fits_r1, fits_r2, fits_fra in (
        (in_r1, True, False, False),
        (in_r2, False, True, False),
        (in_fra, False, False, True),
        (nowhere, True, True, False),
        (new_id(), True, True, True),
    ):
        assert await addresses_fit(tx, holder, datacentre="ams1", rack="R1") is fits_r1
        assert await addresses_fit(tx, holder, datacentre="ams1", rack="R2") is fits_r2
        assert await addresses_fit(tx, holder, datacentre="fra1", rack="R1") is fits_fra


async def test_purposes_and_lists_choose_the_prefix(tx: Tx) -> None:
    await lay_out(
        tx, prefix("10.1.0.0/28"), prefix("10.2.0.0/28", purpose="extra"), prefix("10.3.0.0/28")
    )
    rules = AddressRules(
        primary_prefixes=("10.3.0.0/28",), extra_purpose="extra", ipv6_length=None, vlan=False
    )
    got = texts(await ask(tx, new_id(), wants_of(rules, 1)))
    assert got == ["10.3.0.1", "10.2.0.1"]
    assert texts(await ask(tx, new_id(), [ip4(purpose="primary")])) == ["10.3.0.2"]
    with pytest.raises(PoolExhausted):
        await ask(tx, new_id(), [ip4(purpose="voip")])


async def test_extras_come_from_the_prefix_of_the_primary(tx: Tx) -> None:
    """The fuller prefix has room for one only, so all three come from the other."""
    await lay_out(tx, prefix("10.1.0.0/31"), prefix("10.2.0.0/28"))
    rules = AddressRules(extra_same_prefix=True, ipv6_length=None, vlan=False)
    order = new_id()
    assert texts(await ask(tx, order, wants_of(rules, 2))) == [f"10.2.0.{n}" for n in (1, 2, 3)]
    other = new_id()
    assert texts(await ask(tx, other, wants_of(rules, 0))) == ["10.1.0.0"]
    assert texts(await ask(tx, other, wants_of(rules, 1))) == ["10.1.0.0", "10.1.0.1"]
    with pytest.raises(PoolExhausted):
        await ask(tx, other, wants_of(rules, 2))


@pytest.mark.parametrize(
    "wants",
    [
        [ip4(same_prefix_as="ip4:other")],
        [ip4("a", same_prefix_as="b"), ip4("b", same_prefix_as="a")],
        [NET, ip4(same_prefix_as="ip6net:primary")],
    ],
)
async def test_wants_that_make_no_sense_are_refused(tx: Tx, wants: list[AddressWant]) -> None:
    await lay_out(tx, prefix(), prefix(V6))
    with pytest.raises(Invalid):
        await ask(tx, new_id(), wants)


async def test_random_addresses_are_distinct_and_inside(tx: Tx) -> None:
    await lay_out(tx, prefix("10.0.0.0/24", strategy=Strategy.random))
    got = [texts(await ask(tx, new_id()))[0] for _ in range(40)]
    assert len(set(got)) == 40
    assert all(ip_address(text) in ip_network("10.0.0.0/24") for text in got)
    assert got != sorted(got, key=ip_address)


async def test_networks_of_several_sizes_never_overlap(tx: Tx) -> None:
    await lay_out(tx, prefix(V6, gateway="2001:db8::1"))
    networks = []
    for length in (64, 56, 64, 60, 56):
        want = AddressWant(item="ip6net:primary", kind=AddressKind.ip6net, prefix_length=length)
        order = new_id()
        (net,) = (await ask(tx, order, [want])).ip6
        assert net.network.prefixlen == length
        assert await ask(tx, order, [want]) == Claimed(ip6=(net,))
        assert net.gateway in net.network
        assert net.host_address in net.network
        assert net.host_address != net.gateway
        networks.append(net.network)
    assert ip_network("2001:db8::/64") not in networks
    assert not any(
        one.overlaps(other) for one in networks for other in networks if one is not other
    )


async def test_the_only_64_of_a_prefix_keeps_the_gateway_of_the_provider(tx: Tx) -> None:
    await lay_out(tx, prefix("2001:db8::/64", gateway="2001:db8::2"))
    (net,) = (await ask(tx, new_id(), [NET])).ip6
    assert (str(net.gateway), str(net.host_address)) == ("2001:db8::2", "2001:db8::3")


async def test_a_block_that_would_be_millions_of_rows_is_refused(tx: Tx) -> None:
    await lay_out(tx, prefix("2001:db8::/32"))
    want = AddressWant(item="ip6net:primary", kind=AddressKind.ip6net, prefix_length=40)
    with pytest.raises(BlockTooLarge):
        await ask(tx, new_id(), [want])


async def test_a_prefix_that_is_nearly_infinite_costs_nothing(tx: Tx) -> None:
    await lay_out(tx, prefix("2001:db8::/32", strategy=Strategy.random))
    nets = {(await ask(tx, new_id(), [NET])).ip6[0].network for _ in range(20)}
    assert len(nets) == 20


async def test_a_vlan_comes_from_the_range_of_its_group(tx: Tx) -> None:
    await lay_out(tx, groups=[vlans(first_vid=200, last_vid=201)])
    vlan = AddressWant(item="vlan:primary", kind=AddressKind.vlan, prefix_length=0)
    assert [(await ask(tx, new_id(), [vlan])).vlan for _ in range(2)] == [200, 201]
    with pytest.raises(PoolExhausted):
        await ask(tx, new_id(), [vlan])


async def test_v4_is_the_network_of_the_claims(tx: Tx) -> None:
    await lay_out(tx, prefix(V4))
    (only,) = (await ask(tx, new_id())).ip4
    assert (only.prefix_length, only.gateway) == (28, None)
