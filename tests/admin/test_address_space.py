"""The address space by hand: the tree, the map, addresses with their history, VLANs, audits."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from app.core.database import Database
from app.domain.accounts.roles import Role
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

PREFIXES = "/admin/prefixes"
LEAF = {
    "network": "192.0.2.0/24",
    "status": "active",
    "purpose": "primary",
    "datacentre": "ams1",
    "gateway": "192.0.2.1",
    "strategy": "sequential",
    "cooldown_s": "600",
    "auto_allocatable": "on",
}


async def add(owner: Browser, **facts: str) -> str:
    """Add a prefix by its form and return its page's address."""
    done = await owner.send_form(f"{PREFIXES}/new", f"{PREFIXES}/new", LEAF | facts)
    assert done.status_code == 303, errors_of(done.text)
    return done.headers["location"]


async def prefix_id(database: Database, network: str) -> UUID | None:
    async with database.snapshot() as tx:
        found: UUID | None = await tx.fetchval("SELECT id FROM prefix WHERE network = $1", network)
        return found


async def test_a_tree_is_built_split_and_merged(stage: Stage, owner: Browser) -> None:
    await add(owner, network="192.0.0.0/16", status="container", gateway="")
    page = await add(owner, vlan_group="ams1-access", vid="7", note="Front racks")
    tree = (await owner.get(PREFIXES)).text
    assert "192.0.0.0 – 192.0.1.255" in tree
    assert f'{PREFIXES}/new?network=192.0.128.0%2F17"' in tree
    shown = (await owner.get(page)).text
    assert "The prefix is added." not in shown  # told once, by the tree
    assert "192.0.2.77: free" in shown
    assert "192.0.2.1: reserved, gateway" in shown

    refused = await owner.send_form(f"{page}/split", f"{page}/split", {"length": "30"})
    assert refused.status_code == 303
    parts = (await owner.get(page)).text
    assert "It is a container of 64 prefixes now." in parts
    inner = f"{PREFIXES}/{await prefix_id(stage.database, '192.0.2.4/30')}"
    merged = await owner.send_form(f"{inner}/merge", f"{inner}/merge", {"length": "24"})
    assert merged.status_code == 303
    whole = merged.headers["location"]
    assert "64 prefixes are one now" in (await owner.get(whole)).text

    changed = LEAF | {"gateway": "192.0.2.254", "purpose": "extra", "reserved": "192.0.2.9"}
    changed["check_first"] = "on"
    done = await owner.send_form(f"{whole}/change", f"{whole}/change", changed)
    assert done.status_code == 303
    shown = (await owner.get(f"{whole}/now")).text
    assert "192.0.2.254: reserved, gateway" in shown
    assert "not looked at" not in shown
    assert "192.0.2.9: reserved" in shown
    assert "192.0.2.1: free" in shown
    removed = await owner.send_form(whole, f"{whole}/remove")
    assert removed.headers["location"] == PREFIXES
    assert (await owner.get(whole)).status_code == 404


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"network": "ten", "vid": "9999", "cooldown_s": "soon"}, {"vid", "cooldown_s"}),
        ({"network": "ten"}, {"network"}),
        ({"gateway": "192.0.2.255"}, {"gateway"}),
        ({"status": "", "datacentre": "", "purpose": ""}, {"status", "datacentre", "purpose"}),
        ({"vid": "7"}, {"vlan_group"}),
    ],
    ids=["numbers", "network", "gateway", "choices", "vlan"],
)
async def test_faults_of_a_prefix_stand_beside_their_fields(
    stage: Stage, owner: Browser, typed: dict[str, str], fields: set[str]
) -> None:
    sent = await owner.send_form(f"{PREFIXES}/new", f"{PREFIXES}/new", LEAF | typed)
    assert sent.status_code == 422
    assert set(errors_of(sent.text)) == fields
    overlap = LEAF | {"network": "198.51.100.0/24", "gateway": ""}
    sent = await owner.send_form(f"{PREFIXES}/new", f"{PREFIXES}/new", overlap)
    assert sent.status_code == 422
    assert "overlaps 198.51.100.0/25" in sent.text


async def test_an_address_is_claimed_released_and_its_history_told(
    stage: Stage, owner: Browser
) -> None:
    page = await add(owner)
    leaf = page.rpartition("/")[2]
    new = f"/admin/addresses/new?prefix={leaf}"
    assert 'value="192.0.2.2"' in (await owner.get(new)).text
    email = "client1@example.org"
    claim = {"address": "192.0.2.2", "reason": "monitoring", "client": email, "purpose": "probe"}
    for bad, fields in (
        ({"reason": ""}, {"reason"}),
        ({"client": "nobody@example.org"}, {"client"}),
        ({"expires_at": "tomorrow"}, {"expires_at"}),
        ({"address": "203.0.114.9"}, {"address"}),
        ({"address": "192.0.2.0-192.0.3.1"}, {"address"}),
    ):
        sent = await owner.send_form(new, "/admin/addresses/new", claim | bad)
        assert (sent.status_code, set(errors_of(sent.text))) == (422, fields)
    done = await owner.send_form(new, "/admin/addresses/new", claim)
    assert done.headers["location"] == "/admin/addresses/192.0.2.2"
    again = await owner.send_form(new, "/admin/addresses/new", claim)
    assert "192.0.2.2 cannot be had" in again.text
    shown = (await owner.get("/admin/addresses/192.0.2.2")).text
    assert "monitoring" in shown
    assert email in shown
    [name] = re.findall(r'href="(/admin/reverse-dns\?address=192.0.2.2)#set"', shown)
    assert 'value="192.0.2.2"' in (await owner.get(name)).text
    named = {"address": "192.0.2.2", "hostname": "probe.example.org"}
    assert (await owner.send_form(name, "/admin/reverse-dns", named)).status_code == 303
    assert "monitoring" in (await owner.get("/admin/reverse-dns/rows")).text
    [change] = re.findall(r'href="(/admin/addresses/claims/\d+/change)"', shown)
    asked = (await owner.get(change)).text
    assert "monitoring</textarea>" in asked
    wanted = {"seq": "1", "reason": "", "purpose": "probe", "expires_at": "2031-01-01"}
    refused = await owner.send_form(change, change, wanted)
    assert (refused.status_code, set(errors_of(refused.text))) == (422, {"reason"})
    done = await owner.send_form(change, change, wanted | {"reason": "monitoring, anew"})
    assert done.headers["location"] == "/admin/addresses/192.0.2.2"
    again = wanted | {"seq": "2", "reason": "monitoring"}
    assert (await owner.send_form(change, change, again)).status_code == 303
    shown = (await owner.get("/admin/addresses/192.0.2.2")).text
    assert "probe.example.org" in shown
    [release] = re.findall(r'href="(/admin/addresses/claims/\d+/release)"', shown)
    seq = re.search(r'name="seq" value="(\d+)"', (await owner.get(release)).text)
    assert seq is not None
    sent = await owner.send_form(release, release, {"seq": seq[1], "reason": ""})
    assert sent.status_code == 422
    done = await owner.send_form(release, release, {"seq": seq[1], "reason": "retired"})
    assert done.status_code == 303
    late = await owner.send_form(release, release, {"seq": seq[1], "reason": "retired"})
    assert late.status_code == 404

    shown = (await owner.get("/admin/addresses/192.0.2.2")).text
    assert "released by hand: retired" in shown
    async with stage.database.snapshot() as tx:
        today = (await tx.fetchval("SELECT now() AT TIME ZONE 'UTC'")).date()
    told = (await owner.get(f"/admin/addresses/192.0.2.2?day={today}")).text
    assert "monitoring" in told
    before = (await owner.get(f"/admin/addresses/192.0.2.2?day={today - timedelta(days=2)}")).text
    assert "Nobody had it on this day." in before
    assert (await owner.get("/admin/addresses/nowhere")).status_code == 404


async def test_search_finds_by_address_client_order_and_reason(
    stage: Stage, owner: Browser
) -> None:
    order = await stage.order(host="shop.example.org")
    [primary] = [
        str(row["network"].network_address + row["position"])
        for row in await _claims(stage.database, order.id, "ip4:primary")
    ]
    exact = await owner.get(f"/admin/addresses?q={primary}")
    assert exact.headers["location"] == f"/admin/addresses/{primary}"
    assert f"#{order.number}" in (await owner.get(exact.headers["location"])).text
    for words in ("client1@", f"%23{order.number}", "shop.ex"):
        assert primary in (await owner.get(f"/admin/addresses?q={words}")).text
    assert primary in (await owner.get("/admin/addresses/rows?state=held")).text

    kept = {"address": "198.51.100.64/28", "reason": "growth", "client": "client1@example.org"}
    new = "/admin/reservations/new"
    assert (await owner.send_form(new, new, kept)).status_code == 303
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE account SET name = 'Ada Byron' WHERE id = $1", stage.clients[0])
    for page in ("/admin/addresses", "/admin/addresses/rows"):
        found = (await owner.get(f"{page}?q=ada+byr")).text
        leaf = f"{PREFIXES}/{await prefix_id(stage.database, '198.51.100.0/25')}"
        for words in ("Ada Byron", primary, "198.51.100.64/28", "growth", f'href="{leaf}"'):
            assert words in found, words
    assert "Ada Byron" in (await owner.get("/admin/addresses?q=client")).text
    assert "Ada Byron" not in (await owner.get("/admin/addresses?q=client2@")).text
    assert "198.51.100.0/25" in (await owner.get(f"{PREFIXES}?q=ada")).text
    assert "2001:db8:18::/48" not in (await owner.get(f"{PREFIXES}?q=ada")).text
    assert "198.51.100.64/28" in (await owner.get("/admin/reservations?q=ada")).text
    assert primary not in (await owner.get("/admin/addresses?state=quarantined")).text


async def _claims(database: Database, holder: UUID, item: str) -> list[dict[str, object]]:
    async with database.snapshot() as tx:
        return [
            dict(row)
            for row in await tx.fetch(
                "SELECT p.network, c.position FROM address_claim c JOIN prefix p ON p.id = c.scope "
                "WHERE c.holder = $1 AND c.item = $2",
                holder,
                item,
            )
        ]


async def test_reservations_vlans_vrfs_and_audits(stage: Stage, owner: Browser) -> None:
    new = "/admin/reservations/new"
    kept = {
        "address": "198.51.100.8-198.51.100.15",
        "reason": "by contract",
        "client": "client2@example.org",
    }
    refused = await owner.send_form(new, new, kept | {"client": ""})
    assert set(errors_of(refused.text)) == {"client"}
    assert (await owner.send_form(new, new, kept)).status_code == 303
    assert "End that reservation first" in (await owner.send_form(new, new, kept)).text
    listed = (await owner.get("/admin/reservations?q=client2")).text
    assert "198.51.100.8/29" in listed
    leaf = f"{PREFIXES}/{await prefix_id(stage.database, '198.51.100.0/25')}"
    page = (await owner.get(leaf)).text
    assert "198.51.100.9: kept for client2@example.org" in page
    # Both pages say the same of what is free for anyone.
    [free] = set(re.findall(r"(\d+) free, 8 kept", (await owner.get(PREFIXES)).text))
    assert f"{free} addresses" in page
    assert "8 addresses" in page
    [end] = re.findall(r'href="(/admin/reservations/[^/"]+/end)"', listed)
    assert (await owner.send_form(end, end, {"reason": ""})).status_code == 422
    assert (await owner.send_form(end, end, {"reason": "contract ended"})).status_code == 303
    assert "198.51.100.9: free" in (await owner.get(leaf)).text

    vlans = "/admin/vlans"
    group = {"name": "oob", "datacentre": "ams1", "first_vid": "10", "last_vid": "5"}
    refused = await owner.send_form(f"{vlans}/new", f"{vlans}/new", group)
    assert set(errors_of(refused.text)) == {"last_vid"}
    done = await owner.send_form(f"{vlans}/new", f"{vlans}/new", group | {"last_vid": "20"})
    oob = done.headers["location"]
    claim = {"vid": "12", "reason": "switch management"}
    assert (await owner.send_form(f"{oob}/claim", f"{oob}/claim", claim)).status_code == 303
    taken = await owner.send_form(f"{oob}/claim", f"{oob}/claim", claim)
    assert "VLAN 12 cannot be had" in taken.text
    assert "switch management" in (await owner.get(f"{oob}/now")).text
    wider = await owner.send_form(f"{oob}/change", f"{oob}/change", group | {"last_vid": "40"})
    assert wider.status_code == 303
    assert "10 – 40" in (await owner.get(f"{vlans}/rows")).text

    vrf = {"name": "mgmt", "note": "Switches"}
    vrfs = "/admin/vrfs"
    new = f"{vrfs}/new"
    assert (await owner.send_form(new, new, vrf)).status_code == 303
    assert set(errors_of((await owner.send_form(new, new, vrf)).text)) == {"name"}
    in_vrf = await add(owner, network="198.51.100.0/24", gateway="", vrf="mgmt")
    assert "VRF mgmt" in (await owner.get(f"{PREFIXES}?vrf=mgmt")).text
    assert "VRF mgmt" not in (await owner.get(f"{PREFIXES}?vrf=global")).text
    [remove] = re.findall(rf'action="({vrfs}/[^/"]+/remove)"', (await owner.get(vrfs)).text)
    assert (await owner.send_form(vrfs, remove)).headers["location"] == vrfs
    assert "The VRF mgmt still has 1 prefix." in (await owner.get(vrfs)).text
    await owner.send_form(in_vrf, f"{in_vrf}/remove")
    await owner.send_form(vrfs, remove)
    assert "mgmt" not in (await owner.get(vrfs)).text
    assert (await owner.send_form(oob, f"{oob}/remove")).headers["location"] == oob
    assert "oob still has 1 id that is taken." in (await owner.get(oob)).text

    audits = "/admin/address-audits"
    assert (await owner.send_form(audits, audits)).status_code == 303
    assert "Nothing contradicts" in (await owner.get(audits)).text
    async with stage.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO address_claim (kind, scope, position, state, holder, claimed_at) "
            "SELECT 'ip4', id, 9, 'held', gen_random_uuid(), now() FROM prefix "
            "WHERE network = '198.51.100.0/25'"
        )
    assert (await owner.send_form(audits, audits)).status_code == 303
    [first, *_] = re.findall(rf'href="({audits}/[^"]+)"', (await owner.get(audits)).text)
    told = (await owner.get(first)).text
    assert "198.51.100.9/32" in told
    assert "which is no order" in told


async def test_the_trail_is_in_words(stage: Stage, owner: Browser) -> None:
    """Networks, addresses and people are named; no ids, and no list as a program writes it."""
    page = await add(owner, reserved="192.0.2.8, 192.0.2.9", network="192.0.2.0/24")
    for path, sent in {
        "/admin/addresses/new": {
            "address": "192.0.2.20-192.0.2.21", "reason": "probes", "client": "client1@example.org",
            "expires_at": "2031-01-31",
        },
        "/admin/reservations/new": {
            "address": "192.0.2.64/28", "reason": "by contract", "client": "client2@example.org",
        },
        "/admin/reverse-dns": {"address": "192.0.2.20", "hostname": "probe.example.org"},
    }.items():  # fmt: skip
        assert (await owner.send_form(path, path, sent)).status_code == 303
    [end] = re.findall(
        r'href="(/admin/reservations/[^/"]+/end)"', (await owner.get("/admin/reservations")).text
    )
    await owner.send_form(end, end, {"reason": "over"})
    await owner.send_form(f"{page}/split", f"{page}/split", {"length": "26"})
    trail = (await owner.get(page)).text.partition("Audit trail")[2]
    for words in (
        "network 192.0.2.0/24", "kept back 192.0.2.8, 192.0.2.9", "cool-down in s 600",
        "addresses 192.0.2.20, 192.0.2.21", "client client1@example.org",
        "until 2031-01-31 00:00 UTC", "kept 192.0.2.64/28", "client client2@example.org",
        "End a reservation", "address 192.0.2.20; host name probe.example.org",
        "parts 192.0.2.0/26, 192.0.2.64/26, 192.0.2.128/26, 192.0.2.192/26",
    ):  # fmt: skip
        assert words in trail, words
    assert not re.search(r">[^<]*([0-9a-f]{8}-[0-9a-f]{4}-|\[&#39;|\[\]|None|True)", trail)


async def test_a_large_map_leads_to_an_address(stage: Stage, owner: Browser) -> None:
    page = await add(owner, network="2001:db8:70::/48", gateway="")
    there = await owner.get(f"{page}?address=2001:db8:70:a701::9")
    assert there.headers["location"] == f"{page}?at={0xA701}#cells"
    assert "2001:db8:70:a701::/64: free" in (await owner.get(f"{page}?at={0xA701}")).text
    for bad, says in (("ten", "is no address"), ("2001:db9::", "does not lie in")):
        refused = await owner.get(f"{page}?address={bad}")
        assert refused.status_code == 422
        assert says in errors_of(refused.text)["address"]


async def test_who_may_only_read_is_shown_no_deed(stage: Stage, enter: Enter) -> None:
    designer = await enter(Role.DESIGNER)
    leaf = f"{PREFIXES}/{await prefix_id(stage.database, '198.51.100.0/25')}"
    for place in (PREFIXES, leaf, "/admin/addresses/198.51.100.9", "/admin/vlans"):
        page = (await designer.get(place)).text
        assert not re.search(r">(Add|Claim|Change|Remove|Split)\b", page), place
    for deed in ("change", "split", "remove"):
        sent = await designer.send_form(leaf, f"{leaf}/{deed}", LEAF)
        assert sent.status_code == 403


async def test_a_file_is_looked_at_taken_in_and_given_out(stage: Stage, owner: Browser) -> None:
    here = f"{PREFIXES}/import"
    bad = "prefix,site\n192.0.2.0/24,ams1\n192.0.2.9/24,nyc1\n"
    looked = await owner.send_form(here, here, {"document": bad})
    assert looked.status_code == 422
    assert "1 row cannot be taken in" in looked.text
    assert "There is no datacentre nyc1" in looked.text
    assert set(errors_of((await owner.send_form(here, here, {"document": ""})).text)) == {
        "document"
    }
    odd = await owner.send_form(here, here, {"document": "a,b\n1,2"})
    assert "no column is named network" in odd.text
    good = {"document": "prefix\n192.0.0.0/16\n192.0.2.0/24\n", "datacentre": "ams1"}
    looked = await owner.send_form(here, here, good)
    assert looked.status_code == 200
    assert "2 prefixes and 0 addresses can be taken in" in looked.text
    assert "becomes a container" in looked.text
    assert await prefix_id(stage.database, "192.0.2.0/24") is None
    refused = await owner.send_form(here, f"{here}/confirm", {"document": bad})
    assert refused.status_code == 422
    done = await owner.send_form(here, f"{here}/confirm", good)
    assert (done.status_code, done.headers["location"]) == (303, PREFIXES)
    assert "192.0.2.0/24" in (await owner.get(PREFIXES)).text
    as_csv = await owner.get(f"{PREFIXES}/export/csv")
    assert as_csv.headers["content-type"].startswith("text/csv")
    assert len(as_csv.text.splitlines()) == 9
    as_json = await owner.get(f"{PREFIXES}/export/json")
    assert len(as_json.json()["prefixes"]) == 8
    again = await owner.send_form(here, here, {"document": as_json.text})
    assert "8 prefixes and 0 addresses can be taken in" in again.text
    assert (await owner.get(f"{PREFIXES}/export/xls")).status_code == 404
