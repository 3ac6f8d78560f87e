"""Whole files of prefixes and addresses: taken in as a whole or not at all, and given out again."""

import asyncio
import csv
import io
import json
from contextvars import Context
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from app.core.database import Database, Tx
from app.core.ids import new_id
from app.core.sheets import Unreadable
from app.domain.addresses import arrive
from app.domain.addresses.add import add_vrf
from app.domain.addresses.arrive import Arrival, export_space, import_space
from app.domain.addresses.seed import VrfSeed
from app.domain.addresses.seeds import prefix_seeds
from app.domain.addresses.sheet import csv_of
from app.domain.addresses.sheet_row import Outcome, Sheet
from app.domain.addresses.states import PrefixStatus
from tests.addresses.site import V6, ask, lay_out, prefix, texts, vlans
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
        assert (arrival.prefixes, arrival.is_kept) == (4, True)
        assert (len(arrival.of(Outcome.new)), arrival.faults, arrival.notes) == (4, (), ())
        assert await export_space(tx) == space
        again = await take(tx, text)
        assert (len(again.of(Outcome.same)), again.is_kept) == (4, True)


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
    assert [(row.number, row.note) for row in arrival.notes] == [
        (2, "A folder is no network; left out."),
        (3, "It holds other prefixes, and becomes a container."),
    ]
    (whole, office) = await prefix_seeds(tx)
    assert (whole.status, office.vid, office.vlan_group) == ("container", 7, "ams1")
    ips = await take(tx, PHPIPAM_IPS)
    assert [(row.text, row.note) for row in ips.notes] == [
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
    assert "10.0.0.9/24 is an address in 10.0.0.0/24; write the network." in faults[3]
    assert "There is no datacentre nyc1" in faults[4]
    assert "names no network" in faults[5]
    assert "There is no VLAN group none such." in faults[7]
    assert await prefix_seeds(tx) == []
    without = await take(tx, "prefix\n10.0.0.0/24\n", datacentre="")
    assert "names no datacentre" in without.faults[0].fault
    stray = await take(tx, "address,description\n10.0.0.1,lost\nten,odd\n")
    assert [row.text for row in stray.faults] == ["10.0.0.1", "ten"]


async def test_all_that_is_wrong_with_a_row_is_told_at_once(tx: Tx) -> None:
    await lay_out(tx, prefix("10.9.0.0/16"))
    foreign = "prefix,site,status,vlan_group,vlan\n10.0.0.1/24,nyc1,shiny,nowhere,7\n"
    (row,) = (await take(tx, foreign)).faults
    site, status = row.faults
    assert site == ("site", "There is no datacentre nyc1. Register it, or change the row.")
    assert status.field == "status"
    assert status.says.startswith("There is no status shiny; there are container, active, reserved")
    ours = (
        "network,datacentre,rack,gateway,vlan_group,vid,cooldown_s,forward_zone\n"
        "10.0.0.0/24,ams1,R9,10.0.1.1,nowhere,7,soon,no zone\n"
        "10.1.0.0/24,ams1,R9,10.0.1.1,nowhere,7,60,no zone\n"
        "10.9.3.0/24,ams1,,,,,,\n"
        "10.2.0.0/24,ams1,,,,,,\n"
        "10.2.0.0/24,ams1,,,,,,\n"
    )
    cooldown, many, inside, twice = (await take(tx, ours)).faults
    assert cooldown.faults == (("cooldown_s", "Expected `int`, got `str`. Change the row."),)
    assert many.faults == (
        ("gateway", "10.0.1.1 does not lie in 10.1.0.0/24."),
        ("rack", "There is no rack R9 in ams1."),
        ("vlan_group", "There is no VLAN group nowhere."),
        ("forward_zone", "no zone is no DNS zone, such as example.net."),
    )
    assert "10.9.3.0/24 overlaps 10.9.0.0/16" in inside.fault
    assert twice.faults == (("network", "Row 5 is of it too. Leave one of them out."),)


async def test_what_is_wrong_is_named_by_the_lines_and_columns_of_the_file(tx: Tx) -> None:
    await lay_out(tx, prefix("10.9.0.0/24", gateway="10.9.0.1"))
    csv_text = (
        "Section;Subnet;Description;VLAN;VLAN Domain;VRF\n"
        'Main;10.0.0.0/24;"two\nlines";;;\n'
        "\n"
        "Main;ten;;7;nowhere;\n"
        "Main;10.1.0.0/24;;5000;nowhere;\n"
    )
    found = [(row.number, fault.field) for row in (await take(tx, csv_text)).faults
             for fault in row.faults]  # fmt: skip
    assert found == [(5, "subnet"), (5, "vlan_domain"), (6, "vlan")]
    addresses = [{"ip_addr": "10.8.0.1"}, {"ip_addr": "10.9.0.1"}, {"ip_addr": "ten"}]
    stray = (await take(tx, json.dumps(addresses))).faults
    assert [(row.number, row.faults[0].field) for row in stray] == [(1, "ip_addr"), (3, "ip_addr")]


async def test_a_row_is_new_differs_or_is_there_already(tx: Tx) -> None:
    """Of what is there, a file of another system changes what it speaks of, and no more."""
    known = prefix("10.0.0.0/24", gateway="10.0.0.1", cooldown_s=60, note="old")
    await lay_out(tx, known, prefix("10.0.1.0/24"))
    text = (
        "Prefix,Status,Description\n"
        "10.0.0.0/24,Deprecated,new\n10.0.1.0/24,Active,\n10.0.2.0/24,Active,\n"
    )
    looked = await take(tx, text, dry_run=True)
    assert [(row.text, row.outcome.value) for row in looked.rows] == [
        ("10.0.0.0/24", "differs"), ("10.0.1.0/24", "same"), ("10.0.2.0/24", "new"),
    ]  # fmt: skip
    assert looked.rows[0].changes == ("status: active → deprecated", "note: old → new")
    assert (await take(tx, text)).is_kept
    seeds = {seed.network: seed for seed in await prefix_seeds(tx)}
    changed = replace(known, status=PrefixStatus.deprecated, note="new")
    assert seeds["10.0.0.0/24"] == changed
    assert (await take(tx, text)).of(Outcome.same) == (await take(tx, text)).rows
    # What holds a prefix of the file becomes a container, whatever was in it is refused.
    inner = "prefix,status\n10.0.1.0/24,active\n10.0.1.0/26,active\n"
    assert (await take(tx, inner, dry_run=True)).faults == ()
    order = new_id()
    assert texts(await ask(tx, order)) == ["10.0.1.1"]
    (fault,) = (await take(tx, inner)).faults
    assert "10.0.1.0/24 cannot be changed so: it has 1 claims" in fault.fault
    ours = "network,datacentre,gateway\n10.0.1.0/24,ams1,10.0.1.1\n"
    (fault,) = (await take(tx, ours)).faults
    assert "orders have 10.0.1.1" in fault.fault


async def test_a_look_at_a_file_writes_nothing_and_waits_for_nobody(database: Database) -> None:
    """Neither does a file with faults. An order that is claiming has the tree locked meanwhile."""
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/24"))
    text = "prefix\n10.0.0.0/24\n10.1.0.0/24\n"
    is_claiming, is_done = asyncio.Event(), asyncio.Event()

    async def order() -> None:
        async with database.transaction() as tx:
            await ask(tx, new_id())
            is_claiming.set()
            await is_done.wait()

    claiming = asyncio.create_task(order(), context=Context())
    await is_claiming.wait()
    async with asyncio.timeout(5), database.snapshot() as tx:
        assert (await take(tx, text, dry_run=True)).faults == ()
    async with asyncio.timeout(5), database.transaction() as tx:
        assert (await take(tx, f"{text}ten\n")).faults
        assert not await tx.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' "
            "AND pid = pg_backend_pid())"
        )
    is_done.set()
    await claiming


async def test_what_is_done_under_the_lock_does_not_grow_with_the_file(
    tx: Tx, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lay_out(tx)
    statements: list[str] = []
    for name in ("execute", "fetch", "fetchrow", "fetchval"):
        plain = getattr(Tx, name)

        async def counted(self: Tx, sql: str, *args: Any, _plain: Any = plain) -> Any:
            statements.append(sql)
            return await _plain(self, sql, *args)

        monkeypatch.setattr(Tx, name, counted)
    counts = []
    for size in (2, 200):
        statements.clear()
        nets = "".join(f"10.{size}.{n}.0/24\n" for n in range(size))
        ips = "".join(f"10.{size}.{n}.9\n" for n in range(size))
        assert (await take(tx, f"prefix\n{nets}")).is_kept
        assert (await take(tx, f"address\n{ips}")).is_kept
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_what_changed_since_the_look_is_looked_at_again_under_the_lock(
    tx: Tx, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lay_out(tx)
    look = arrive.survey

    async def late(tx: Tx, sheet: Sheet) -> Any:
        found = await look(tx, sheet)
        await lay_out(tx, prefix("10.0.0.0/8"))
        return found

    monkeypatch.setattr(arrive, "survey", late)
    arrival = await take(tx, "prefix,vrf\n10.1.0.0/24,\n10.1.0.0/24,blue\n")
    assert not arrival.is_kept
    assert "overlaps 10.0.0.0/8" in arrival.faults[0].fault
    assert await tx.fetchval("SELECT count(*) FROM vrf") == 0


async def test_netboxs_own_columns_are_read(tx: Tx) -> None:
    """The heads of `PrefixTable` and `IPAddressTable`, as "All data (CSV)" writes them.

    Source: netbox-community/netbox, `netbox/ipam/tables/ip.py` (4.x: `Scope Type`, `Scope`, `VLAN
    Group` and `Prefix (Flat)`; `VRF` says `Global`, or name and route distinguisher; `Status` is
    the label), and `netbox/ipam/forms/bulk_import.py` for the names in lower case.
    """
    await lay_out(tx, groups=[vlans()])
    table = (
        "ID,Prefix,Prefix (Flat),Status,Depth,Children,VRF,Utilization,Tenant Group,Tenant,"
        "Scope Type,Scope,VLAN Group,VLAN,Role,Pool,Marked Utilized,Description,Comments,Contacts,"
        "Tags,Created,Last updated\n"
        "1,10.0.0.0/16,10.0.0.0/16,Container,0,1,Global,1.2,,,dcim.site,AMS1,,,,False,False,"
        "All of it,,,,2024-01-01,2024-01-01 10:00\n"
        "2,10.0.1.0/24,10.0.1.0/24,Active,1,0,Global,0.0,,,dcim.region,Europe,ams1,Office (100),"
        "Front End,True,False,,,,a;b,2024-01-01,2024-01-01 10:00\n"
        "3,10.0.0.0/24,10.0.0.0/24,Reserved,0,0,blue (65000:1),0.0,,,,,,,,False,False,,,,,,\n"
        "4,2001:DB8:1::/48,2001:DB8:1::/48,Deprecated,0,0,—,0.0,,,,,—,—,—,False,False,—,,,,,\n"
    )
    arrival = await take(tx, table)
    assert (arrival.is_kept, len(arrival.of(Outcome.new))) == (True, 4)
    assert [row.note for row in arrival.notes] == ["It is of the region Europe; it goes into ams1."]
    seeds = {(seed.vrf, seed.network): seed for seed in await prefix_seeds(tx)}
    office = seeds["", "10.0.1.0/24"]
    assert (office.vlan_group, office.vid, office.purpose) == ("ams1", 100, "front-end")
    assert seeds["blue", "10.0.0.0/24"].status is PrefixStatus.reserved
    assert seeds["", "2001:db8:1::/48"].note == ""
    ips = (
        "ID,IP Address,VRF,Status,Role,Tenant,Tenant Group,NAT (Inside),NAT (Outside),Assigned,"
        "DNS Name,Description,Comments,Tags,Created,Last updated\n"
        "1,10.0.1.9/24,Global,Active,VIP,,,,,True,www.example.net,Front page,,,,\n"
        "2,2001:DB8:1::9/64,Global,DHCP,,,,,,False,,,,,,\n"
    )
    assert len((await take(tx, ips)).of(Outcome.new)) == 2
    reason = await tx.fetchval("SELECT reason FROM address_claim WHERE purpose = 'vip'")
    assert reason == "Front page, www.example.net"
    form = (
        "prefix,vrf,tenant,vlan_group,vlan_site,vlan,status,role,scope_type,scope_id,is_pool,"
        "mark_utilized,description,comments,tags\n"
        "10.0.2.0/24,blue,,ams1,,107,active,,dcim.site,3,true,false,by form,,\n"
    )
    assert (await take(tx, form)).is_kept
    nowhere = (await take(tx, table.replace("AMS1", ""), datacentre="")).faults
    assert [row.number for row in nowhere] == [2, 3, 4, 5]
    assert nowhere[1].fault.startswith("It is of Europe, which is no site.")


async def test_netboxs_api_answers_are_read(tx: Tx) -> None:
    """The fields of `PrefixSerializer`, with their nested objects as NetBox 4 has them.

    Source: netbox-community/netbox, `netbox/ipam/api/serializers_/ip.py` and `field_serializers`.
    """
    await lay_out(tx)
    api = {"count": 1, "next": None, "previous": None, "results": [{
        "id": 7, "url": "https://netbox/api/ipam/prefixes/7/", "display_url": "https://netbox/7/",
        "display": "172.16.0.0/24", "aggregate": None, "rir": None,
        "family": {"value": 4, "label": "IPv4"}, "prefix": "172.16.0.0/24",
        "vrf": {"id": 1, "url": "", "display": "blue (65000:1)", "name": "blue", "rd": "65000:1",
                "description": ""},
        "scope_type": "dcim.site", "scope_id": 1,
        "scope": {"id": 1, "url": "", "display": "Amsterdam", "name": "AMS1", "slug": "ams1"},
        "tenant": None,
        "vlan": {"id": 5, "url": "", "display": "x (9)", "vid": 9, "name": "x", "description": ""},
        "status": {"value": "active", "label": "Active"},
        "role": {"id": 2, "url": "", "display": "Front end", "name": "Front end", "slug": "fe"},
        "is_pool": True, "mark_utilized": False, "description": "by API", "comments": "",
        "tags": [{"id": 1, "name": "a", "slug": "a"}], "custom_fields": {"x": 1},
        "created": "2024-01-01T00:00:00Z", "last_updated": None, "children": 0, "_depth": 0,
    }]}  # fmt: skip
    assert (await take(tx, json.dumps(api), datacentre="")).is_kept
    [seed] = await prefix_seeds(tx)
    assert (seed.vrf, seed.purpose, seed.note) == ("blue", "front-end", "by API (VLAN 9)")


async def test_phpipams_own_columns_are_read(tx: Tx) -> None:
    """The heads that its exports write, and the names of its file for imports and of its API.

    Source: phpipam/phpipam, `app/admin/import-export/export-subnets.php` and `export-ipaddr.php`
    (`NA` for no VLAN, `X (folder)`, `/` for no master), and `upload/data_import.csv`, in which the
    subnet has its mask, and `mask` once more.
    """
    await lay_out(tx, groups=[vlans()])
    subnets = (
        "Section,Subnet,Description,VLAN,VLAN Domain,VRF,Master Subnet,Requests,Host check,"
        "Discover,Customer\n"
        "IPv4,Offices (folder),Offices,NA,,,/,0,0,0,\n"
        "IPv4,77.242.128.0/20,All,NA,,,Offices [folder],0,0,0,\n"
        "IPv4,77.242.128.128/26,Hosting,107,ams1,,77.242.128.0/20,1,1,0,Ada\n"
        "IPv6,2001:db8::/48,,NA,,blue,/,0,0,0,\n"
    )
    assert (await take(tx, subnets)).is_kept
    seeds = {seed.network: seed for seed in await prefix_seeds(tx)}
    hosting = seeds["77.242.128.128/26"]
    assert (hosting.vlan_group, hosting.vid, hosting.note) == ("ams1", 107, "Hosting")
    assert seeds["77.242.128.0/20"].status is PrefixStatus.container
    assert seeds["2001:db8::/48"].vrf == "blue"
    ips = (
        "section,ip,hostname,description,vrf,subnet,mask,mac,owner,device,note,tag,gateway\n"
        "WIC,77.242.128.130, ,web.example.it,,77.242.128.128/26,26,,web.example.it,,,,\n"
        "WIC,77.242.128.129,gw,,default,77.242.128.128/26,26,,,,,,Yes\n"
    )
    assert len((await take(tx, ips)).of(Outcome.new)) == 2
    api = {"code": 200, "success": True, "time": 0.01, "data": [
        {"id": "3", "subnet": "10.9.0.0", "mask": "24", "sectionId": "1", "description": "by API",
         "vrfId": None, "masterSubnetId": "0", "vlanId": "5", "isFolder": "0"},
        {"id": "4", "subnet": "0.0.0.0", "mask": "", "description": "Offices", "isFolder": "1"},
    ]}  # fmt: skip
    arrival = await take(tx, json.dumps(api))
    assert [(row.text, row.outcome.value) for row in arrival.rows] == [
        ("10.9.0.0/24", "new"), ("0.0.0.0", "same"),
    ]  # fmt: skip
    api = {"code": 200, "data": [{"id": "1", "ip": "10.9.0.1", "is_gateway": "1", "hostname": ""}]}
    assert (await take(tx, json.dumps(api))).is_kept
    assert await tx.fetchval("SELECT count(*) FROM address_claim WHERE purpose = 'gateway'") == 2


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
