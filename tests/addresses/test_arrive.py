"""Whole files of prefixes and addresses: taken in as a whole or not at all, and given out again."""

import csv
import io
import json
from typing import Any

import msgspec
import pytest

from app.core.database import Tx
from app.domain.addresses.add import add_vrf
from app.domain.addresses.arrive import Arrival, export_space, import_space
from app.domain.addresses.seed import VrfSeed
from app.domain.addresses.seeds import prefix_seeds
from app.domain.addresses.sheet import Unreadable, csv_of
from app.domain.addresses.states import PrefixStatus
from tests.addresses.site import V6, lay_out, prefix, vlans
from tests.addresses.test_by_hand import STAFF
from tests.inventory.hall import furnish

NETBOX = """\
ID,Prefix,Status,VRF,Site,VLAN,Role,Description
1,10.0.0.0/16,Active,Global,AMS1,,,All of it
2,10.0.1.0/24,Active,Global,ams1,Office (100),Customer,=cmd()
3,10.0.0.0/24,Reserved,blue (65000:1),,,,
4,2001:db8::/32,Container,Global,,,,
5,2001:db8:1::/48,Deprecated,Global,,,,
"""
PHPIPAM = """\
Section;Subnet;Description;VLAN;VLAN Domain;VRF;Master Subnet
Main;Offices (folder);;NA;;;/
Main;10.0.0.0/16;whole;NA;;default;/
Main;10.0.1.0/24;office;7;ams1;default;10.0.0.0/16
"""
PHPIPAM_IPS = """\
Section,IP Address,Hostname,Description,VRF,Subnet,Gateway
Main,10.0.1.1,gw,,default,10.0.1.0/24,Yes
Main,10.0.1.9,web,Front page,default,10.0.1.0/24,No
Main,10.0.1.255,,,default,10.0.1.0/24,No
"""


async def take(tx: Tx, text: str, *, datacentre: str = "ams1", dry_run: bool = False) -> Arrival:
    return await import_space(tx, text.encode(), datacentre=datacentre, dry_run=dry_run, **STAFF)


async def test_what_is_exported_is_read_back_to_the_letter(tx: Tx) -> None:
    await furnish(tx)
    await add_vrf(tx, VrfSeed(name="mgmt (old)", note="Switches"), **STAFF)
    await lay_out(
        tx,
        prefix("10.0.0.0/16", status=PrefixStatus.container, note="=HYPERLINK(1)"),
        prefix("10.0.1.0/24", gateway="10.0.1.1", reserved=("10.0.1.8/30", "10.0.1.200"),
               vlan_group="ams1", vid=7, rack="R1", forward_zone="example.net", check_first=True),
        prefix(V6, purpose="ipv6", auto_allocatable=False, cooldown_s=60),
        prefix("10.0.1.0/24", vrf="mgmt (old)"),
        groups=[vlans()],
    )  # fmt: skip
    space = await export_space(tx)
    for text in (msgspec.json.encode(space).decode(), csv_of(space.prefixes)):
        await tx.execute("DELETE FROM address_claim")
        await tx.execute("DELETE FROM prefix")
        arrival = await take(tx, text)
        assert (arrival.prefixes, arrival.rows, arrival.is_kept) == (4, (), True)
        assert await export_space(tx) == space


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"], ids=repr)
def test_no_cell_is_a_formula_to_a_spreadsheet(first: str) -> None:
    [cell] = csv.DictReader(io.StringIO(csv_of([prefix(note=f"{first}1+1")]), newline=""))
    assert cell["note"] == f"'{first}1+1"


async def test_netboxs_prefixes_become_ours_and_wait_for_our_word(tx: Tx) -> None:
    await furnish(tx)
    looked = await take(tx, NETBOX, dry_run=True)
    assert (looked.prefixes, looked.is_kept, looked.faults) == (5, False, ())
    assert await prefix_seeds(tx) == []
    assert (await take(tx, NETBOX)).is_kept
    seeds = {(seed.vrf, seed.network): seed for seed in await prefix_seeds(tx)}
    assert {key: seed.status.value for key, seed in seeds.items() if seed.status} == {
        ("", "10.0.0.0/16"): "container",
        ("", "10.0.1.0/24"): "active",
        ("", "2001:db8::/32"): "container",
        ("", "2001:db8:1::/48"): "deprecated",
        ("blue", "10.0.0.0/24"): "reserved",
    }
    office = seeds["", "10.0.1.0/24"]
    assert (office.purpose, office.auto_allocatable) == ("customer", False)
    assert office.note == "=cmd() (VLAN 100)"
    api = {"count": 1, "results": [{
        "prefix": "172.16.0.0/24", "vrf": {"name": "blue"}, "scope": {"name": "AMS1"},
        "status": {"value": "active", "label": "Active"}, "role": {"name": "Front end"},
        "vlan": {"vid": 9, "name": "x"}, "description": "by API", "is_pool": True,
    }]}  # fmt: skip
    assert (await take(tx, json.dumps(api), datacentre="")).is_kept
    (made,) = [seed for seed in await prefix_seeds(tx) if seed.network == "172.16.0.0/24"]
    assert (made.vrf, made.purpose, made.note) == ("blue", "front-end", "by API (VLAN 9)")
    ips = {"results": [{"address": "172.16.0.9/24", "vrf": {"name": "blue"}, "dns_name": "a.test"}]}
    assert (await take(tx, json.dumps(ips))).addresses == 1


async def test_phpipams_subnets_and_addresses_become_ours(tx: Tx) -> None:
    await lay_out(tx, groups=[vlans()])
    arrival = await take(tx, PHPIPAM)
    assert [(row.number, row.note) for row in arrival.rows] == [
        (2, "A folder is no network; left out."),
        (3, "It holds other prefixes, and becomes a container."),
    ]
    (whole, office) = await prefix_seeds(tx)
    assert (whole.status, office.vid, office.vlan_group) == ("container", 7, "ams1")
    ips = await take(tx, PHPIPAM_IPS)
    assert [(row.text, row.note) for row in ips.rows] == [
        ("10.0.1.255", "It is taken or kept already, and stays as it is."),
    ]
    claims = await tx.fetch(
        "SELECT position, purpose, reason FROM address_claim WHERE reason <> '' ORDER BY 1"
    )
    assert [tuple(row) for row in claims] == [(1, "gateway", "gw"), (9, "", "Front page, web")]
    api = {"code": 200, "data": [{"subnet": "10.9.0.0", "mask": "24", "description": "by API"}]}
    assert (await take(tx, json.dumps(api))).prefixes == 1


async def test_every_bad_row_is_named_and_nothing_is_written(tx: Tx) -> None:
    await furnish(tx)
    text = (
        "prefix,site,status,vlan_group,vlan\n"
        "10.0.0.0/24,ams1,active,,\n"
        "10.0.0.9/24,ams1,active,,\n"
        "10.1.0.0/24,nyc1,active,,\n"
        ",ams1,active,,\n"
        "10.2.0.0/24,ams1,shiny,,\n"
        "10.3.0.0/24,ams1,active,none such,7\n"
        "2001:db8::/96,ams1,active,,\n"
        "10.0.0.128/25,ams1,active,,\n"
    )
    arrival = await take(tx, text)
    assert not arrival.is_kept
    faults = {row.number: row.fault for row in arrival.faults}
    assert set(faults) == {3, 4, 5, 6, 7, 8}
    assert "There is no datacentre nyc1" in faults[4]
    assert "names no network" in faults[5]
    assert "There is no VLAN group none such." in faults[7]
    assert await prefix_seeds(tx) == []
    without = await take(tx, "prefix\n10.0.0.0/24\n", datacentre="")
    assert "names no datacentre" in without.faults[0].fault
    stray = await take(tx, "address,description\n10.0.0.1,lost\nten,odd\n")
    assert [row.text for row in stray.faults] == ["10.0.0.1", "ten"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "it is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a,b\n1,2\n", "no column is named"),
        (b"[1, 2]", "a list of prefixes"),
        (b"{}", "a list of prefixes"),
        (b"{", "truncated"),
        (b'{"prefixes": [{"network": "10.0.0.0/8"}], "vlan_groups": [{"name": 7}]}', "Expected"),
        (
            b'{"prefixes": [{"network": "::/64"}], "vlan_groups": [{"name": "core", "datacentre": ""}]}',
            "VLAN group core: There is no datacentre",
        ),
        (b"[" * 100_000, "nested too deeply"),
        (b'[{"prefix": ' + b'{"name": ' * 3_000 + b"1" + b"}" * 3_000 + b"}]", "nested too deeply"),
        (b"prefix\n" + b"10.0.0.0/24\n" * 20_001, "at most 20,000"),
        (b"x" * 4_000_001, "larger than"),
    ],
    ids=[
        "empty",
        "bytes",
        "columns",
        "numbers",
        "object",
        "broken",
        "group",
        "site",
        "lists",
        "objects",
        "rows",
        "size",
    ],
)
async def test_what_is_no_such_file_is_refused(tx: Tx, raw: bytes, why: str) -> None:
    facts: dict[str, Any] = {"datacentre": "ams1", "dry_run": False}
    with pytest.raises(Unreadable, match=why):
        await import_space(tx, raw, **facts, **STAFF)
