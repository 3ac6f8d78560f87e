"""What staff do to the address space: add, change, claim and release; each with its reason kept."""

import asyncio
import json
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.domain.addresses.add import add_prefix, add_vlan_group, add_vrf
from app.domain.addresses.audit import audit_addresses
from app.domain.addresses.by_hand import HandClaim, claim_address, claim_vlan
from app.domain.addresses.change import change_prefix, change_vlan_group
from app.domain.addresses.change_by_hand import change_by_hand
from app.domain.addresses.claim import PoolExhausted
from app.domain.addresses.divide import split_prefix
from app.domain.addresses.errors import (
    AddressesTaken,
    CannotDivide,
    InUse,
    NotByHand,
    PrefixFull,
    PrefixOverlaps,
)
from app.domain.addresses.expire import expire
from app.domain.addresses.keep import keep
from app.domain.addresses.name_address import name_address
from app.domain.addresses.names import names_in
from app.domain.addresses.next_free import NextAsk, claim_next
from app.domain.addresses.release_by_hand import release_by_hand
from app.domain.addresses.seed import VrfSeed
from app.domain.addresses.seeds import prefix_seed, prefix_seeds
from app.domain.addresses.states import PrefixStatus
from tests.addresses.site import V6, ask, lay_out, prefix, texts, vlans
from tests.inventory.hall import furnish

NET = "10.0.0.0/29"
STAFF: dict[str, Any] = {"actor": None, "actor_label": "staff"}
CONTAINER = PrefixStatus.container
MONITORING = HandClaim(reason="monitoring", purpose="ops")


async def next_texts(tx: Tx, prefix: UUID, count: int, claim: HandClaim) -> tuple[str, ...]:
    claims = await claim_next(tx, NextAsk(prefix=prefix, claims=[claim] * count, **STAFF))
    return tuple(one.text for one in claims)


async def reserved(tx: Tx) -> dict[int, str]:
    rows = await tx.fetch("SELECT position, purpose FROM address_claim WHERE state = 'reserved'")
    return {row["position"]: row["purpose"] for row in rows}


async def test_a_prefix_is_added_into_containers_and_changed(tx: Tx) -> None:
    await lay_out(tx, groups=[vlans()])
    await add_vrf(tx, VrfSeed(name="mgmt"), **STAFF)
    for name in ("mgmt", "Global", " "):
        with pytest.raises(Invalid):
            await add_vrf(tx, VrfSeed(name=name), **STAFF)
    await add_prefix(tx, prefix("10.0.0.0/16", status=CONTAINER), **STAFF)
    leaf = await add_prefix(tx, prefix(NET, gateway="10.0.0.1", reserved=("10.0.0.4",)), **STAFF)
    await add_prefix(tx, prefix("10.0.0.0/8", status=CONTAINER, datacentre="fra1"), **STAFF)
    await add_prefix(tx, prefix("10.0.0.0/24", vrf="mgmt", auto_allocatable=False), **STAFF)
    for taken, others in (
        (prefix(NET), (NET,)),
        (prefix("10.0.0.0/30"), (NET,)),
        (prefix("10.0.0.0/30", status=CONTAINER), (NET,)),
        (prefix("10.0.0.0/12"), ("10.0.0.0/16", NET)),
        (prefix("10.0.0.0/25", vrf="mgmt"), ("10.0.0.0/24",)),
    ):
        with pytest.raises(PrefixOverlaps) as caught:
            await add_prefix(tx, taken, **STAFF)
        assert caught.value.others == others
    before = await prefix_seed(tx, leaf)
    assert (before.status, before.reserved) == ("active", ("10.0.0.4",))
    wanted = replace(
        before, gateway="10.0.0.6", status=PrefixStatus.reserved, vlan_group="ams1", vid=7,
        cooldown_s=60, forward_zone="Example.net.", purpose="extra", auto_allocatable=False,
    )  # fmt: skip
    await change_prefix(tx, leaf, wanted, **STAFF)
    assert await prefix_seed(tx, leaf) == replace(wanted, forward_zone="example.net")
    assert await reserved(tx) == {0: "network", 255: "broadcast"} | {
        6: "gateway", 4: "reserved", 7: "broadcast",
    }  # fmt: skip
    with pytest.raises(PoolExhausted):
        await ask(tx, new_id())
    line = await tx.fetchval(
        "SELECT before || after FROM (SELECT before::text, after::text FROM audit_entry "
        "WHERE action = 'addresses.change') a"
    )
    assert '"gateway": "10.0.0.1"' in line
    assert '"network"' not in line  # what stays is left out
    assert [seed.network for seed in await prefix_seeds(tx)] == [
        "10.0.0.0/8", "10.0.0.0/16", NET, "10.0.0.0/24",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"network": "10.0.0.0/30"}, "network"),
        ({"vrf": "mgmt"}, "vrf"),
        ({"gateway": "10.0.0.7"}, "gateway"),
        ({"status": CONTAINER, "gateway": "10.0.0.1"}, "gateway"),
        ({"status": CONTAINER, "reserved": ("10.0.0.1",)}, "reserved"),
        ({"vlan_group": "nowhere"}, "vlan_group"),
        ({"vid": 5}, "vlan_group"),
        ({"datacentre": "nyc1"}, "datacentre"),
        ({"rack": "R9"}, "rack"),
        ({"reverse_zone": "no zone"}, "reverse_zone"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
async def test_a_bad_change_names_its_field(tx: Tx, facts: dict[str, Any], field: str) -> None:
    ids = await lay_out(tx, prefix(NET))
    with pytest.raises(Invalid) as caught:
        await change_prefix(tx, ids[NET], prefix(**{"network": NET} | facts), **STAFF)
    assert set(caught.value.fields) == {field}


async def test_what_becomes_a_container_has_no_claims_and_the_reverse_keeps_its_ends(
    tx: Tx,
) -> None:
    scope = (await lay_out(tx, prefix(NET)))[NET]
    [address] = await next_texts(tx, scope, 1, MONITORING)
    with pytest.raises(CannotDivide, match="split it"):
        await change_prefix(tx, scope, prefix(NET, status=CONTAINER), **STAFF)
    with pytest.raises(InUse):
        order = new_id()
        assert texts(await ask(tx, order)) == ["10.0.0.2"]
        await change_prefix(tx, scope, prefix(NET, gateway="10.0.0.2"), **STAFF)
    await tx.execute("DELETE FROM address_claim WHERE reason <> '' OR holder IS NOT NULL")
    await change_prefix(tx, scope, prefix(NET, status=CONTAINER), **STAFF)
    assert await reserved(tx) == {}
    with pytest.raises(NotFound):
        await claim_address(tx, scope, address, MONITORING, **STAFF)
    inner = await add_prefix(tx, prefix("10.0.0.4/30"), **STAFF)
    with pytest.raises(PrefixOverlaps):
        await change_prefix(tx, scope, prefix(NET, status=PrefixStatus.active), **STAFF)
    await tx.execute("DELETE FROM address_claim")
    await tx.execute("DELETE FROM prefix WHERE id = $1", inner)
    await change_prefix(tx, scope, prefix(NET, status=PrefixStatus.active), **STAFF)
    assert await reserved(tx) == {0: "network", 7: "broadcast"}


async def test_a_set_up_file_read_again_leaves_a_split_prefix_split(tx: Tx) -> None:
    seed = prefix(NET, gateway="10.0.0.1", reserved=("10.0.0.6",))
    scope = (await lay_out(tx, seed))[NET]
    await split_prefix(tx, scope, 30, **STAFF)
    before = await reserved(tx)
    await lay_out(tx, seed)
    assert await reserved(tx) == before
    assert (await prefix_seed(tx, scope)).status is CONTAINER


async def test_addresses_are_claimed_and_released_into_quarantine(
    database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        scope = (await lay_out(tx, prefix(NET, gateway="10.0.0.1", cooldown_s=600)))[NET]
        assert await claim_address(tx, scope, "10.0.0.3", MONITORING, **STAFF) == ("10.0.0.3",)
        with pytest.raises(AddressesTaken, match=r"10\.0\.0\.3 cannot be had"):
            await claim_address(tx, scope, "10.0.0.2-10.0.0.4", MONITORING, **STAFF)
        # Nothing of what failed stays, and orders go round what is claimed.
        assert [texts(await ask(tx, new_id())) for _ in range(2)] == [["10.0.0.2"], ["10.0.0.4"]]
        found = await next_texts(tx, scope, 2, MONITORING)
        assert found == ("10.0.0.5", "10.0.0.6")
        with pytest.raises(PrefixFull, match="has 0 free; 1 are wanted"):
            await next_texts(tx, scope, 1, MONITORING)
        rows = await tx.fetch("SELECT id, position, seq, state FROM address_claim")
        claims = {row["position"]: row for row in rows}
        for position, why in ((0, "change the prefix"), (2, "cancel the order")):
            with pytest.raises(NotByHand, match=why):
                await release_by_hand(tx, claims[position]["id"], seq=1, reason="old", **STAFF)
        with pytest.raises(Invalid):
            await release_by_hand(tx, claims[3]["id"], seq=1, reason=" ", **STAFF)
        with pytest.raises(NotFound):
            await release_by_hand(tx, claims[3]["id"], seq=2, reason="old", **STAFF)
        await release_by_hand(tx, claims[3]["id"], seq=1, reason="retired", **STAFF)
        with pytest.raises(NotByHand, match="cools down"):
            await release_by_hand(tx, claims[3]["id"], seq=2, reason="old", **STAFF)
        with pytest.raises(PoolExhausted):
            await ask(tx, new_id())
    clock.advance(seconds=600)
    async with database.transaction() as tx:
        assert await expire(tx) == 1
    async with database.transaction() as tx:
        assert texts(await ask(tx, new_id())) == ["10.0.0.3"]
        history = await tx.fetch(
            "SELECT state, reason FROM address_event WHERE network = '10.0.0.3/32' ORDER BY id"
        )
    assert [tuple(row) for row in history] == [
        ("reserved", "monitoring"), ("quarantined", "released by hand: retired"),
        ("free", ""), ("held", ""),
    ]  # fmt: skip


async def test_what_another_process_took_or_freed_costs_a_repetition(tx: Tx) -> None:
    scope = (await lay_out(tx, prefix(NET)))[NET]
    for expected in ("10.0.0.1", "10.0.0.2"):
        assert await next_texts(tx, scope, 1, MONITORING) == (expected,)
    # An update keeps the id, so that nothing tells this process: it goes round what it finds taken,
    await tx.execute("UPDATE address_claim SET position = 3 WHERE position = 1")
    assert await next_texts(tx, scope, 1, MONITORING) == ("10.0.0.4",)
    # and looks at all of it before it says that there is no more.
    rest = await next_texts(tx, scope, 3, MONITORING)
    assert rest == ("10.0.0.1", "10.0.0.5", "10.0.0.6")
    await tx.execute("DELETE FROM address_claim WHERE position = 4")
    assert await next_texts(tx, scope, 1, MONITORING) == ("10.0.0.4",)
    with pytest.raises(PrefixFull):
        await next_texts(tx, scope, 1, MONITORING)


async def test_what_is_kept_goes_only_to_whom_it_is_kept_for(tx: Tx) -> None:
    ids = await lay_out(tx, prefix(NET), prefix(V6), groups=[vlans()])
    scope = ids[NET]
    lab: dict[str, Any] = {"client": None, "reason": "by contract", "expires_at": None}
    await keep(tx, scope, "10.0.0.1-10.0.0.4", purpose="lab", **lab, **STAFF)
    with pytest.raises(AddressesTaken, match="kept for another"):
        await claim_address(tx, scope, "10.0.0.4-10.0.0.5", MONITORING, **STAFF)
    assert await next_texts(tx, scope, 1, MONITORING) == ("10.0.0.5",)
    for_lab = HandClaim(reason="rack 4", purpose="lab", expires_at=tx.now() + timedelta(days=1))
    assert await next_texts(tx, scope, 1, for_lab) == ("10.0.0.1",)
    assert await claim_address(tx, ids[V6], "2001:db8:0:9::", for_lab, **STAFF) == (
        "2001:db8:0:9::/64",
    )
    with pytest.raises(Invalid) as caught:
        await claim_address(tx, ids[V6], V6, for_lab, **STAFF)
    assert set(caught.value.fields) == {"address"}
    for bad in ("10.9.9.9", "many"):
        with pytest.raises(Invalid) as caught:
            await claim_address(tx, scope, bad, MONITORING, **STAFF)
        assert set(caught.value.fields) == {"address"}
    with pytest.raises(Invalid):
        await next_texts(tx, scope, 0, MONITORING)
    with pytest.raises(Invalid):
        await next_texts(tx, scope, 1, HandClaim(reason=" "))
    with pytest.raises(Invalid):
        await next_texts(tx, scope, 1, HandClaim(reason="x", expires_at=tx.now()))


async def test_what_is_kept_back_while_it_cools_down_goes_on_cooling_down(
    database: Database, clock: SetClock
) -> None:
    """Let go again it is not free before the end; kept back beyond that, it stays kept back."""
    async with database.transaction() as tx:
        scope = (await lay_out(tx, prefix(NET, cooldown_s=600)))[NET]
        for address in ("10.0.0.1", "10.0.0.2"):
            await claim_address(tx, scope, address, MONITORING, **STAFF)
            claim = await tx.fetchval("SELECT id FROM address_claim WHERE state = 'reserved' "
                                      "AND reason <> ''")  # fmt: skip
            await release_by_hand(tx, claim, seq=1, reason="moved", **STAFF)
        both = prefix(NET, reserved=("10.0.0.1/32", "10.0.0.2"), cooldown_s=600)
        await change_prefix(tx, scope, both, **STAFF)
        assert (await prefix_seed(tx, scope)).reserved == ("10.0.0.1-10.0.0.2",)
        await change_prefix(tx, scope, replace(both, reserved=("10.0.0.2",)), **STAFF)
        assert texts(await ask(tx, new_id())) == ["10.0.0.3"]
    clock.advance(seconds=600)
    async with database.transaction() as tx:
        assert await expire(tx) == 2
        assert await reserved(tx) == {0: "network", 2: "reserved", 7: "broadcast"}
    async with database.transaction() as tx:
        assert texts(await ask(tx, new_id())) == ["10.0.0.1"]
        states = await tx.fetch(
            "SELECT state FROM address_event WHERE network = '10.0.0.2/32' ORDER BY id"
        )
        assert [row["state"] for row in states] == ["reserved", "quarantined", "free"]


async def test_a_claim_by_hand_whose_time_is_over_cools_down_first(
    database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        ids = await lay_out(tx, prefix(NET, cooldown_s=600), groups=[vlans()])
        until = HandClaim(reason="a week of tests", expires_at=clock.now() + timedelta(hours=1))
        await claim_address(tx, ids[NET], "10.0.0.1", until, **STAFF)
        await claim_vlan(tx, ids["ams1"], 100, until, **STAFF)
    clock.advance(hours=1)
    async with database.transaction() as tx:
        assert (await expire(tx), await expire(tx)) == (2, 0)
        rows = await tx.fetch(
            "SELECT state, reason, expires_at FROM address_claim WHERE reason <> '' ORDER BY kind"
        )
        assert [tuple(row) for row in rows] == [
            ("quarantined", "its time was over: a week of tests", clock.now() + timedelta(**ends))
            for ends in ({"seconds": 600}, {"hours": 1})
        ]
        assert texts(await ask(tx, new_id())) == ["10.0.0.2"]
    clock.advance(seconds=600)
    async with database.transaction() as tx:
        assert await expire(tx) == 1
    async with database.transaction() as tx:
        assert texts(await ask(tx, new_id())) == ["10.0.0.1"]


async def test_a_claim_by_hand_stays_as_it_is_where_its_range_is_kept_back(
    database: Database, clock: SetClock
) -> None:
    """What the prefix says is for afterwards: the address is not handed out then."""
    async with database.transaction() as tx:
        scope = (await lay_out(tx, prefix(NET, cooldown_s=0)))[NET]
        end = clock.now() + timedelta(hours=1)
        probe = HandClaim(reason="probe", purpose="ops", expires_at=end)
        await claim_address(tx, scope, "10.0.0.1-10.0.0.2", probe, **STAFF)
        await change_prefix(
            tx, scope, prefix(NET, reserved=("10.0.0.1-10.0.0.3",), cooldown_s=0), **STAFF
        )
        rows = await tx.fetch(
            "SELECT purpose, reason, expires_at, seq FROM address_claim WHERE position IN (1, 2)"
        )
        assert [tuple(row) for row in rows] == [("ops", "probe", end, 1)] * 2
        claim = await tx.fetchval("SELECT id FROM address_claim WHERE position = 1")
        await release_by_hand(tx, claim, seq=1, reason="moved", **STAFF)
    clock.advance(hours=1)
    async with database.transaction() as tx:
        assert await expire(tx) == 2
        assert await reserved(tx) == {0: "network", 7: "broadcast"} | dict.fromkeys(
            (1, 2, 3), "reserved"
        )
        assert texts(await ask(tx, new_id())) == ["10.0.0.4"]


async def test_what_staff_claimed_is_named_and_described_anew_until_it_is_released(
    database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        ids = await lay_out(tx, prefix(NET, cooldown_s=0), prefix(V6))
        await claim_address(tx, ids[NET], "10.0.0.1", MONITORING, **STAFF)
        await claim_address(tx, ids[V6], "2001:db8:0:7::", MONITORING, **STAFF)
        for address in ("10.0.0.1", "2001:db8:0:7::25"):
            await name_address(tx, address, "probe.example.org", holder=None, **STAFF)
        for nobodys in ("10.0.0.0", "10.0.0.2"):
            with pytest.raises(Invalid, match="staff did not claim it"):
                await name_address(tx, nobodys, "x.example.org", holder=None, **STAFF)
        with pytest.raises(Invalid, match="none of this server"):
            await name_address(tx, "10.0.0.1", "x.example.org", holder=new_id(), **STAFF)
        claim = await tx.fetchval("SELECT id FROM address_claim WHERE position = 1")
        end = clock.now() + timedelta(hours=1)
        wanted = HandClaim(reason="new probe", purpose="ops", expires_at=end)
        await change_by_hand(tx, claim, wanted, seq=1, **STAFF)
        await change_by_hand(tx, claim, wanted, seq=2, **STAFF)  # nothing to do
        with pytest.raises(NotFound):
            await change_by_hand(tx, claim, wanted, seq=1, **STAFF)
        for bad in (replace(wanted, reason=" "), replace(wanted, expires_at=clock.now())):
            with pytest.raises(Invalid):
                await change_by_hand(tx, claim, bad, seq=2, **STAFF)
        assert len(await names_in(tx, ip_network("2001:db8:0:7::/64"))) == 1
        assert (await audit_addresses(tx)).found == ()
        line = await tx.fetchrow(
            "SELECT before, after FROM audit_entry WHERE action = 'addresses.change_claim'"
        )
        assert json.loads(line["before"]) == {"for": "monitoring", "expires_at": None}
        assert json.loads(line["after"])["address"] == "10.0.0.1"
        [name] = await names_in(tx, ip_network("10.0.0.1/32"))
        assert (name.hostname, name.claimed_for) == ("probe.example.org", "new probe")
    clock.advance(hours=1)
    async with database.transaction() as tx:
        # Its name goes with it, and until the name server agrees the address is not free.
        assert await expire(tx) == 1
        assert await names_in(tx, ip_network("10.0.0.1/32")) == ()
        assert await expire(tx) == 0
        assert texts(await ask(tx, new_id())) == ["10.0.0.2"]


async def test_one_name_is_given_once_however_many_add_it(database: Database) -> None:
    async with database.transaction() as tx:
        await furnish(tx)

    async def add(first_vid: int) -> object:
        async with database.transaction() as tx:
            return await add_vlan_group(tx, vlans(first_vid=first_vid), **STAFF)

    answers = await asyncio.gather(add(100), add(200), return_exceptions=True)
    assert sorted(type(answer) for answer in answers if isinstance(answer, Exception)) == [Invalid]


async def test_vlan_groups_are_added_and_changed_and_ids_of_them_claimed(tx: Tx) -> None:
    await furnish(tx)
    group = await add_vlan_group(tx, vlans(first_vid=100, last_vid=101), **STAFF)
    await claim_vlan(tx, group, 100, MONITORING, **STAFF)
    with pytest.raises(AddressesTaken, match="VLAN 100"):
        await claim_vlan(tx, group, 100, MONITORING, **STAFF)
    with pytest.raises(Invalid, match="ams1 has 100 to 101"):
        await claim_vlan(tx, group, 102, MONITORING, **STAFF)
    with pytest.raises(NotFound):
        await claim_vlan(tx, new_id(), 100, MONITORING, **STAFF)
    await change_vlan_group(tx, group, vlans("other", first_vid=100, last_vid=200), **STAFF)
    await claim_vlan(tx, group, 102, MONITORING, **STAFF)
    with pytest.raises(NotFound):
        await change_vlan_group(tx, new_id(), vlans(), **STAFF)
    for again in (vlans(), vlans(" ")):
        with pytest.raises(Invalid):
            await add_vlan_group(tx, again, **STAFF)
    claim = await tx.fetchval("SELECT id FROM address_claim WHERE position = 102")
    await release_by_hand(tx, claim, seq=1, reason="moved", **STAFF)
    assert await tx.fetchval("SELECT state FROM address_claim WHERE id = $1", claim) == (
        "quarantined"
    )
