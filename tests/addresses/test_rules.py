"""A product's allocation rules on a real address space: subnet, block, VLAN, what is kept for one."""

from ipaddress import ip_network
from uuid import UUID

import pytest

from app.core.database import Database, Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.addresses.claim import PoolExhausted
from app.domain.addresses.find import addresses_fit, addresses_of
from app.domain.addresses.keep import keep
from app.domain.addresses.leaves import find_leaf
from app.domain.addresses.register import register_addresses, register_prefix, register_vlan_group
from app.domain.addresses.release import release
from app.domain.addresses.seed import AddressSeed, VrfSeed
from app.ipam.wants import AddressRules, wants_of
from tests.addresses.site import V6, ask, lay_out, prefix, texts, vlans
from tests.inventory.hall import an_order

BLOCK = AddressRules(extra_block=True, ipv6_length=None, vlan=False)


async def tie(tx: Tx, network: str, group: str, vid: int | None = None) -> None:
    await tx.execute(
        "UPDATE prefix SET vlan_group = (SELECT id FROM vlan_group WHERE name = $2), vid = $3 "
        "WHERE network = $1::text::cidr",
        network,
        group,
        vid,
    )


async def test_extras_as_a_block_are_one_aligned_run_or_nothing(database: Database) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/28", gateway="10.0.0.6"))
        order = new_id()
        claimed = await ask(tx, order, wants_of(BLOCK, 4))
        assert texts(claimed) == ["10.0.0.1", "10.0.0.8", "10.0.0.9", "10.0.0.10", "10.0.0.11"]
        assert await ask(tx, order, wants_of(BLOCK, 4)) == claimed
        with pytest.raises(PoolExhausted):  # 2 to 5 and 12 to 14 are free, no four of them aligned
            await ask(tx, new_id(), wants_of(BLOCK, 4))
        assert texts(await ask(tx, new_id(), wants_of(BLOCK, 2)))[1:] == ["10.0.0.4", "10.0.0.5"]


async def test_extras_of_a_block_come_from_the_named_subnet(database: Database) -> None:
    rules = AddressRules(
        extra_block=True,
        extra_prefixes=("10.0.1.0/27",),
        prefixes_required=True,
        ipv6_length=56,
        vlan=False,
    )
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/28"), prefix("10.0.1.0/27"), prefix(V6))
        claimed = await ask(tx, new_id(), wants_of(rules, 8))
    assert texts(claimed) == ["10.0.0.1", *(f"10.0.1.{n}" for n in range(8, 16))]
    assert [str(net.network) for net in claimed.ip6] == ["2001:db8::/56"]


async def test_the_vlan_is_of_the_group_that_the_prefix_is_tied_to(database: Database) -> None:
    """The datacentre's own group is fuller, and would be chosen without the tie."""
    rules = AddressRules(ipv6_length=None)
    async with database.transaction() as tx:
        groups = [vlans("main", first_vid=10, last_vid=11), vlans("edge", first_vid=900)]
        await lay_out(tx, prefix("10.0.0.0/30"), prefix("10.0.1.0/24"), groups=groups)
        await tie(tx, "10.0.0.0/30", "edge")
        await tie(tx, "10.0.1.0/24", "main")
        vlans_got = [(await ask(tx, new_id(), wants_of(rules))).vlan for _ in range(4)]
        assert vlans_got == [900, 901, 10, 11]
        # The other prefix has room and its group has none: nothing is claimed by halves.
        with pytest.raises(PoolExhausted):
            await ask(tx, new_id(), wants_of(rules))
        assert await tx.fetchval("SELECT count(*) FROM address_claim WHERE state = 'held'") == 8


async def test_a_prefix_whose_group_is_used_up_is_passed_over(database: Database) -> None:
    async with database.transaction() as tx:
        groups = [vlans("small", first_vid=10, last_vid=10), vlans("large", first_vid=900)]
        await lay_out(tx, prefix("10.0.0.0/28"), prefix("10.0.1.0/24"), groups=groups)
        await tie(tx, "10.0.0.0/28", "small")
        await tie(tx, "10.0.1.0/24", "large")
        wants = wants_of(AddressRules(ipv6_length=None))
        first, second = await ask(tx, new_id(), wants), await ask(tx, new_id(), wants)
    assert (texts(first), first.vlan) == (["10.0.0.1"], 10)
    assert (texts(second), second.vlan) == (["10.0.1.1"], 900)


async def test_a_prefix_in_one_vlan_gives_that_vlan_to_all(database: Database) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/28"), groups=[vlans("shared", first_vid=300)])
        await tie(tx, "10.0.0.0/28", "shared", 77)
        order, wants = new_id(), wants_of(AddressRules(ipv6_length=None))
        for holder in (order, new_id(), order):
            assert (await ask(tx, holder, wants)).vlan == 77
        assert (await addresses_of(tx, order)).vlan == 77
        assert await tx.fetchval("SELECT count(*) FROM address_claim WHERE kind = 'vlan'") == 0


async def test_a_prefix_on_vlans_of_a_rack_serves_that_rack_alone(database: Database) -> None:
    """Whether the order asks for a VLAN or not: the address is in one all the same."""
    async with database.transaction() as tx:
        groups = [vlans("r2", rack="R2"), vlans("all", first_vid=3000)]
        ids = await lay_out(tx, prefix("10.0.0.0/28"), prefix("10.0.1.0/24"), groups=groups)
        await tie(tx, "10.0.0.0/28", "r2", 7)
        assert (await find_leaf(tx, ids["10.0.0.0/28"])).pool.rack == "R2"
        for rules, vlan in ((AddressRules(ipv6_length=None), 3000), (BLOCK, None)):
            claimed = await ask(tx, new_id(), wants_of(rules), rack="R1")
            assert (claimed.ip4[0].address in ip_network("10.0.1.0/24"), claimed.vlan) == (
                True, vlan,
            )  # fmt: skip
        order = new_id()
        assert (await ask(tx, order, wants_of(BLOCK), rack="R2")).vlan == 7
        assert not await addresses_fit(tx, order, datacentre="ams1", rack="R1")
        assert await addresses_fit(tx, order, datacentre="ams1", rack="R2")


async def test_vlans_of_another_place_are_refused(tx: Tx) -> None:
    groups = [vlans("r2", rack="R2"), vlans("far", datacentre="fra1")]
    ids = await lay_out(tx, prefix("10.0.0.0/28", rack="R2"), groups=groups)
    for group, rack in (("far", None), ("r2", "R1")):
        with pytest.raises(Invalid) as refused:
            await register_prefix(tx, prefix("10.0.1.0/28", rack=rack, vlan_group=group))
        assert "the prefix is elsewhere" in refused.value.fields["vlan_group"]
    await tie(tx, "10.0.0.0/28", "r2", 7)
    with pytest.raises(Invalid, match=r"On its VLANs are 10\.0\.0\.0/28"):
        await register_vlan_group(tx, vlans("r2", rack="R1"))
    assert await register_vlan_group(tx, vlans("r2", last_vid=200)) == ids["r2"]


async def test_a_rule_by_vlan_group_takes_only_what_is_tied_to_it(database: Database) -> None:
    rules = AddressRules(ipv6_length=None, vlan_group="edge")
    async with database.transaction() as tx:
        await lay_out(
            tx,
            prefix("10.0.0.0/28"),
            prefix("10.0.1.0/28"),
            groups=[vlans("main"), vlans("edge", first_vid=900)],
        )
        await tie(tx, "10.0.1.0/28", "edge")
        claimed = await ask(tx, new_id(), wants_of(rules))
        assert (texts(claimed), claimed.vlan) == (["10.0.1.1"], 900)
        await tx.execute("UPDATE prefix SET vlan_group = NULL")
        with pytest.raises(PoolExhausted):
            await ask(tx, new_id(), wants_of(rules))


async def test_what_is_kept_for_a_client_is_taken_first_by_its_orders(database: Database) -> None:
    """From a prefix that is not the best otherwise, and then from the others."""
    plain = wants_of(AddressRules(ipv6_length=None, vlan=False))
    async with database.transaction() as tx:
        ids = await lay_out(tx, prefix("10.0.0.0/28"), prefix("10.0.1.0/24"))
        order = await an_order(tx)
        await keep_for(tx, ids["10.0.1.0/24"], "10.0.1.40-10.0.1.47", order)
        assert texts(await ask(tx, order, wants_of(BLOCK, 4))) == [
            "10.0.1.40",
            "10.0.1.44",
            "10.0.1.45",
            "10.0.1.46",
            "10.0.1.47",
        ]
        assert texts(await ask(tx, new_id(), plain)) == ["10.0.0.1"]
        await release(tx, order)
    async with database.transaction() as tx:
        claimed = await ask(tx, order, wants_of(AddressRules(ipv6_length=None, vlan=False), 8))
    assert texts(claimed) == [*(f"10.0.1.{n}" for n in range(40, 48)), "10.0.0.2"]


async def keep_for(tx: Tx, prefix: UUID, what: str, order: UUID) -> None:
    client = await tx.fetchval("SELECT account FROM client_order WHERE id = $1", order)
    await keep(
        tx,
        prefix,
        what,
        client=client,
        reason="contract",
        expires_at=None,
        actor=None,
        actor_label="test",
    )


@pytest.mark.parametrize("number", [3, 6, 512])
def test_a_number_that_is_no_block_is_refused(number: int) -> None:
    with pytest.raises(Invalid) as refused:
        wants_of(BLOCK, number)
    assert "extra_ipv4" in refused.value.fields


async def test_a_prefix_of_a_vrf_serves_only_who_states_its_purpose(database: Database) -> None:
    inside = AddressRules(extra_purpose="inside", ipv6_length=None, vlan=False)
    async with database.transaction() as tx:
        vrfs = (VrfSeed(name="inner"),)
        inner = (
            prefix("10.0.0.0/28", vrf="inner"),
            prefix("10.9.0.0/28", vrf="inner", purpose="inside"),
        )
        await register_addresses(tx, AddressSeed(vrfs=vrfs))
        await lay_out(tx, prefix("10.0.1.0/28"), *inner)
        assert texts(await ask(tx, new_id(), wants_of(inside, 1))) == ["10.0.1.1", "10.9.0.1"]
