"""The address space over the API: prefixes, what is available, VLANs, reservations, history."""

import asyncio
from typing import Any

import pytest

from app.core.database import Database
from app.core.ids import new_id
from app.domain.addresses.expire import expire
from tests.admin.stage import Stage
from tests.api.conftest import Program

V1 = "/api/v1"
PREFIXES = f"{V1}/prefixes"
NEW = {"prefix": "192.0.2.0/24", "datacentre": "ams1", "gateway": "192.0.2.1"}


async def make(program: Program, **facts: Any) -> Any:
    answer = await program.post(PREFIXES, json=NEW | facts)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_prefixes_are_created_listed_changed_and_removed(
    stage: Stage, owner: Program
) -> None:
    vrf = await owner.post(f"{V1}/vrfs", json={"name": "mgmt", "description": "Switches"})
    assert (vrf.status_code, vrf.json()["name"]) == (201, "mgmt")
    assert (await owner.get(f"{V1}/vrfs")).json() == {"items": [vrf.json()]}
    whole = await make(owner, prefix="192.0.0.0/16", status="container", gateway=None)
    made = await make(owner, vlan_group="ams1-access", vid=7, description="Front racks")
    assert (made["prefix"], made["family"], made["vrf"]) == ("192.0.2.0/24", 4, None)
    assert (made["size"], made["free"], made["reserved"]) == (256, 253, 3)
    here = f"{PREFIXES}/{made['id']}"
    for query, found in {
        "within=192.0.0.0/16": [made["id"]],
        "contains=192.0.2.9": [made["id"], whole["id"]],
        "status=container": [whole["id"]],
        "vrf=mgmt": [],
        "q=front": [made["id"]],
        "limit=2": [made["id"], whole["id"]],
    }.items():
        listed = (await owner.get(f"{PREFIXES}?{query}")).json()
        assert [one["id"] for one in listed["items"]] == found, query
    rest = (await owner.get(f"{PREFIXES}?family=4&vrf=global&limit=2")).json()
    assert rest["next"]
    following = await owner.get(f"{PREFIXES}?family=4&vrf=global&cursor={rest['next']}")
    assert len(following.json()["items"]) == 4

    shown = await owner.get(here)
    etag = shown.headers["etag"]
    assert (await owner.get(here, headers={"If-None-Match": etag})).status_code == 304
    change = {"gateway": None, "role": "extra", "reserved": ["192.0.2.8/30"], "check_first": True}
    changed = await owner.patch(here, json=change, headers={"If-Match": etag})
    assert changed.status_code == 200
    assert changed.json() | {"free": 250, "reserved": 6} == changed.json()
    assert (changed.json()["role"], changed.json()["vid"]) == ("extra", 7)
    assert (made["check_first"], changed.json()["check_first"]) == (False, True)
    late = await owner.patch(here, json={"vid": None}, headers={"If-Match": etag})
    assert late.status_code == 412
    parts = await owner.post(f"{here}/split", json={"prefix_length": 26})
    assert [one["prefix"] for one in parts.json()["items"]][-1] == "192.0.2.192/26"
    lone = f"{PREFIXES}/{parts.json()['items'][0]['id']}/merge"
    longer = await owner.post(lone, json={"prefix_length": 64})
    assert (longer.status_code, longer.json()["code"]) == (409, "ipam.cannot_divide")
    refused = await owner.delete(here)
    assert (refused.status_code, refused.json()["code"]) == (409, "ipam.cannot_divide")
    first = parts.json()["items"][0]["id"]
    merged = await owner.post(f"{PREFIXES}/{first}/merge", json={"prefix_length": 24})
    assert (merged.status_code, merged.json()["prefix"]) == (201, "192.0.2.0/24")
    gone = await owner.delete(f"{PREFIXES}/{merged.json()['id']}")
    assert gone.json() == {"id": merged.json()["id"]}
    assert (await owner.get(f"{PREFIXES}/{merged.json()['id']}")).status_code == 404


async def test_vrfs_and_vlan_groups_are_removed_when_nothing_is_in_them(
    stage: Stage, owner: Program
) -> None:
    """What happened to addresses of a VRF that is gone is not told as of the global one."""
    vrf = (await owner.post(f"{V1}/vrfs", json={"name": "mgmt"})).json()
    leaf = await make(owner, vrf="mgmt", cooldown_s=0, vlan_group="ams1-access")
    claim = {"address": "192.0.2.9", "vrf": "mgmt", "description": "probe"}
    [made] = (await owner.post(f"{V1}/address-claims", json=claim)).json()["items"]
    groups = (await owner.get(f"{V1}/vlan-groups")).json()["items"]
    [group] = [one["id"] for one in groups if one["name"] == "ams1-access"]
    for place, says in (
        (f"{V1}/vrfs/{vrf['id']}", "The VRF mgmt still has 1 prefix. Remove or release these"),
        (f"{V1}/vlan-groups/{group}", "The VLAN group ams1-access still has 1 prefix"),
    ):
        refused = await owner.delete(place)
        assert (refused.status_code, refused.json()["code"]) == (409, "ipam.still_used")
        assert says in refused.json()["detail"]
    release = f"{V1}/address-claims/{made['id']}/release"
    await owner.post(release, json={"seq": 1, "reason": "over"})
    async with stage.database.transaction() as tx:
        await expire(tx)
    assert (await owner.delete(f"{PREFIXES}/{leaf['id']}")).status_code == 200
    assert (await owner.delete(f"{V1}/vrfs/{vrf['id']}")).json() == {"id": vrf["id"]}
    assert (await owner.delete(f"{V1}/vlan-groups/{group}")).status_code == 200
    assert (await owner.delete(f"{V1}/vrfs/{vrf['id']}")).status_code == 404
    await make(owner)
    told = (await owner.get(f"{V1}/addresses/192.0.2.9")).json()["history"]
    assert {one["vrf"] for one in told} == {"(removed)"}


@pytest.mark.parametrize(
    ("facts", "status", "field"),
    [
        ({"prefix": "ten"}, 422, "prefix"),
        ({"gateway": "192.0.2.255"}, 422, "gateway"),
        ({"datacentre": "nyc1"}, 422, "datacentre"),
        ({"vrf": "none"}, 422, "vrf"),
        ({"vid": 4095}, 422, "vid"),
        ({"status": "shiny"}, 422, "status"),
        ({"prefix": "198.51.100.0/26", "gateway": None}, 409, ""),
    ],
    ids=["prefix", "gateway", "datacentre", "vrf", "vid", "status", "overlap"],
)
async def test_a_bad_prefix_is_refused(
    stage: Stage, owner: Program, facts: dict[str, Any], status: int, field: str
) -> None:
    answer = await owner.post(PREFIXES, json=NEW | facts)
    assert answer.status_code == status
    if field:
        assert set(answer.json()["fields"]) == {field}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2027-01-31T00:00:00", "time zone"),
        ("0001-01-01T00:00:00+14:00", "years"),
        ("9999-12-31T23:59:59-14:00", "years"),
    ],
    ids=["zone", "before", "after"],
)
async def test_times_name_their_zone_and_lie_in_the_calendar(
    stage: Stage, owner: Program, text: str, why: str
) -> None:
    await make(owner)
    shown = await owner.get(f"{V1}/addresses/192.0.2.1", params={"since": text})
    claimed = await owner.post(
        f"{V1}/address-claims",
        json={"address": "192.0.2.1", "description": "x", "expires_at": text},
    )
    for answer, field in ((shown, "since"), (claimed, "expires_at")):
        assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])
        assert why in answer.json()["fields"][field]


async def test_available_ips_are_listed_and_claimed_as_netbox_has_it(
    stage: Stage, owner: Program
) -> None:
    made = await make(owner)
    ips = f"{PREFIXES}/{made['id']}/available-ips/"
    listed = (await owner.get(f"{ips}?limit=2")).json()
    assert [one["address"] for one in listed] == ["192.0.2.2/24", "192.0.2.3/24"]
    one = await owner.post(ips, json={"description": "router"})
    assert (one.status_code, one.json()["address"]) == (201, "192.0.2.2")
    terms = {"description": "lab", "client": "client1@example.org", "role": "probe"}
    three = await owner.post(ips, json=[terms, terms, {"description": "other"}])
    assert [line["address"] for line in three.json()] == ["192.0.2.3", "192.0.2.4", "192.0.2.5"]
    assert [line["client_email"] for line in three.json()] == ["client1@example.org"] * 2 + [None]
    again = {"Idempotency-Key": "probe-7"}
    first = await owner.post(ips, json={"description": "once"}, headers=again)
    second = await owner.post(ips, json={"description": "once"}, headers=again)
    assert first.json() == second.json()
    for body in ([], {"description": " "}, {"description": "x", "client": "nobody@example.org"}):
        assert (await owner.post(ips, json=body)).status_code == 422

    small = await make(owner, prefix="192.0.3.0/29", gateway=None)
    full = f"{PREFIXES}/{small['id']}/available-ips/"
    refused = await owner.post(full, json=[{"description": "x"}] * 7)
    assert (refused.status_code, refused.json()["code"]) == (409, "ipam.prefix_full")
    # All at once: every caller has one of its own, and the last is told that there is none.
    answers = await asyncio.gather(
        *(owner.post(full, json={"description": f"caller {n}"}) for n in range(7))
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 6 + [409]
    taken = [one.json()["address"] for one in answers if one.status_code == 201]
    assert len(set(taken)) == 6
    six = await make(owner, prefix="2001:db8:77::/62", gateway=None)
    net = await owner.post(
        f"{PREFIXES}/{six['id']}/available-ips/", json={"description": "client's own"}
    )
    assert (net.json()["kind"], net.json()["address"]) == ("ip6net", "2001:db8:77::/64")


async def test_available_prefixes_are_listed_and_made_as_netbox_has_it(
    stage: Stage, owner: Program
) -> None:
    whole = await make(owner, prefix="192.0.0.0/22", status="container", gateway=None)
    await make(owner)
    there = f"{PREFIXES}/{whole['id']}/available-prefixes/"
    listed = (await owner.get(there)).json()
    assert [one["prefix"] for one in listed] == ["192.0.0.0/23", "192.0.3.0/24"]
    one = await owner.post(there, json={"prefix_length": 24, "description": "Rack 7"})
    assert (one.status_code, one.json()["prefix"]) == (201, "192.0.0.0/24")
    assert (one.json()["datacentre"], one.json()["description"]) == ("ams1", "Rack 7")
    two = await owner.post(there, json=[{"prefix_length": 25}, {"prefix_length": 24}])
    assert [line["prefix"] for line in two.json()] == ["192.0.1.0/25", "192.0.3.0/24"]
    refused = await owner.post(there, json={"prefix_length": 24})
    assert "no /24 in it is free" in refused.json()["detail"]
    longer = await owner.post(there, json={"prefix_length": 33})
    assert (longer.status_code, set(longer.json()["fields"])) == (422, {"length"})
    leaf = f"{PREFIXES}/{one.json()['id']}/available-prefixes/"
    assert (await owner.get(leaf)).json() == []
    assert "split it" in (await owner.post(leaf, json={"prefix_length": 25})).json()["detail"]


async def test_addresses_are_claimed_released_and_their_history_told(
    stage: Stage, owner: Program, database: Database
) -> None:
    await make(owner)
    claims = f"{V1}/address-claims"
    body = {"address": "192.0.2.16/30", "description": "anycast"}
    made = await owner.post(claims, json=body)
    first = made.json()["items"][0]
    assert (len(made.json()["items"]), first["address"]) == (4, "192.0.2.16")
    taken = await owner.post(claims, json=body | {"address": "192.0.2.18"})
    assert (taken.status_code, taken.json()["code"]) == (409, "ipam.taken")
    nowhere = await owner.post(claims, json=body | {"address": "192.0.9.1"})
    assert set(nowhere.json()["fields"]) == {"address"}
    unzoned = await owner.post(claims, json=body | {"expires_at": "2030-01-01T00:00:00"})
    assert set(unzoned.json()["fields"]) == {"expires_at"}
    listed = (await owner.get(f"{claims}?state=reserved&pool={first['pool']}&limit=2")).json()
    assert [one["address"] for one in listed["items"]] == ["192.0.2.19", "192.0.2.18"]
    following = (await owner.get(f"{claims}?pool={first['pool']}&cursor={listed['next']}")).json()
    assert following["items"][0]["address"] == "192.0.2.17"

    one = f"{claims}/{first['id']}"
    named = await owner.put(f"{V1}/addresses/192.0.2.16/hostname", json={"hostname": "a.b.org"})
    assert named.json()["items"] == [
        {"address": "192.0.2.16", "hostname": "a.b.org", "state": "pending"}
    ]
    assert (await owner.get(f"{V1}/addresses/192.0.2.16")).json()["names"] == named.json()["items"]
    for free in ("192.0.2.200", "ten"):
        refused = await owner.put(f"{V1}/addresses/{free}/hostname", json={"hostname": "a.b.org"})
        assert set(refused.json()["fields"]) == {"address"}
    change = {"seq": first["seq"], "role": "dns", "expires_at": "2031-01-01T00:00:00Z"}
    first = (await owner.patch(one, json=change)).json()
    assert (first["role"], first["description"], first["seq"]) == ("dns", "anycast", 2)
    assert (await owner.patch(one, json=change)).status_code == 404
    empty = await owner.patch(one, json={"seq": 2, "description": " "})
    assert set(empty.json()["fields"]) == {"description"}

    async with database.snapshot() as tx:
        before = (await tx.fetchval("SELECT clock_timestamp()")).isoformat()
    release = f"{claims}/{first['id']}/release"
    assert (await owner.post(release, json={"seq": 9, "reason": "x"})).status_code == 404
    done = await owner.post(release, json={"seq": first["seq"], "reason": "replaced"})
    assert (done.json()["state"], done.json()["seq"]) == ("quarantined", first["seq"] + 1)
    refused = await owner.post(release, json={"seq": first["seq"] + 1, "reason": "x"})
    assert (refused.status_code, refused.json()["code"]) == (409, "ipam.not_by_hand")

    address = f"{V1}/addresses/192.0.2.16"
    whole = (await owner.get(address)).json()
    assert [one["state"] for one in whole["history"]] == ["reserved", "quarantined"]
    assert whole["now"][0]["claim"]["state"] == "quarantined"
    then = (await owner.get(address, params={"since": before, "until": before})).json()
    assert [one["description"] for one in then["history"]] == ["anycast"]
    free = (await owner.get(f"{V1}/addresses/192.0.2.200")).json()
    assert (free["now"][0]["claim"], free["history"]) == (None, [])
    assert (await owner.get(f"{V1}/addresses/8.8.8.8")).status_code == 404
    assert (await owner.get(address, params={"since": "2026-01-01T00:00:00"})).status_code == 422


async def test_vlans_and_reservations(stage: Stage, owner: Program) -> None:
    groups = f"{V1}/vlan-groups"
    new = {"name": "oob", "datacentre": "ams1", "first_vid": 10, "last_vid": 20}
    group = (await owner.post(groups, json=new)).json()
    assert (group["free"], group["taken"]) == (11, 0)
    assert set((await owner.post(groups, json=new)).json()["fields"]) == {"name"}
    here = f"{groups}/{group['id']}"
    etag = (await owner.get(here)).headers["etag"]
    changed = await owner.patch(here, json={"last_vid": 40}, headers={"If-Match": etag})
    assert changed.json()["last_vid"] == 40
    late = await owner.patch(here, json={"last_vid": 50}, headers={"If-Match": etag})
    assert late.status_code == 412
    vlan = await owner.post(f"{here}/vlans", json={"vid": 12, "description": "switches"})
    assert (vlan.json()["vid"], vlan.json()["address"]) == (12, None)
    taken = await owner.post(f"{here}/vlans", json={"vid": 12, "description": "others"})
    assert taken.json()["code"] == "ipam.taken"
    assert "oob" in [one["name"] for one in (await owner.get(groups)).json()["items"]]

    there = f"{V1}/reservations"
    new = {
        "address": "198.51.100.64/28",
        "client": str(stage.clients[0]),
        "description": "contract",
    }
    kept = await owner.post(there, json=new)
    assert kept.status_code == 201
    assert kept.json()["address"] == "198.51.100.64/28"
    assert kept.json()["client_email"] == "client1@example.org"
    pool = (await owner.get(f"{PREFIXES}/{kept.json()['prefix']}")).json()
    listed = await owner.get(f"{PREFIXES}?contains=198.51.100.64&status=active")
    assert pool == listed.json()["items"][0]
    counts = ("free", "kept", "held", "assigned", "by_hand", "reserved", "quarantined")
    assert pool["kept"] == 16
    assert sum(pool[name] for name in counts) == pool["size"]
    available = await owner.get(f"{PREFIXES}/{pool['id']}/available-ips?limit=100")
    assert len(available.json()) == min(pool["free"], 100)
    assert (await owner.post(there, json=new)).json()["code"] == "ipam.already_kept"
    nobody = await owner.post(there, json=new | {"client": str(new_id())})
    assert set(nobody.json()["fields"]) == {"client"}
    one = f"{there}/{kept.json()['id']}"
    assert (await owner.get(one)).json() == kept.json()
    assert (await owner.get(there)).json()["items"] == [kept.json()]
    ended = await owner.post(f"{one}/end", json={"reason": "over"})
    assert ended.status_code == 200
    assert (await owner.get(one)).status_code == 404
