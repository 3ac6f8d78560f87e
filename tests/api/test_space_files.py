"""The address space as files over the API, its audits, and what a client has of it."""

import csv
import io
from typing import Any

from app.domain.accounts.roles import Role
from app.domain.accounts.scopes import Scope
from tests.admin.stage import Stage
from tests.api.conftest import Call, Program
from tests.api.test_address_space import PREFIXES, V1, make

SPACE = f"{V1}/address-space"
AUDITS = f"{V1}/address-audits"
NETBOX = (
    "ID,Prefix,Status,VRF,Site,VLAN,Role,Description\n"
    "1,10.0.0.0/16,Active,blue (65000:1),AMS1,,,All of it\n"
    "2,10.0.1.0/24,Active,blue (65000:1),{site},,Customer,Offices\n"
)
PHPIPAM = (
    "Section;Subnet;Description;VLAN;VLAN Domain;VRF;Master Subnet\n"
    "Main;Offices (folder);;NA;;;/\n"
    "Main;10.7.1.0/24;office;;;default;/\n"
)


async def sent(program: Program, way: str, content: str, **more: Any) -> Any:
    return await program.post(f"{SPACE}/{way}", json={"content": content, **more})


async def test_what_is_exported_is_as_it_is_when_it_is_looked_at(
    stage: Stage, owner: Program
) -> None:
    await make(owner, description="=1+1", vlan_group="ams1-access", vid=7)
    whole = await owner.get(SPACE)
    table = await owner.get(f"{SPACE}/prefixes.csv")
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text, newline="")))
    networks = [one["network"] for one in whole.json()["prefixes"]]
    assert [one["network"] for one in rows] == networks
    assert "192.0.2.0/24" in networks
    assert whole.json()["vlan_groups"]
    for text in (whole.text, table.text):
        looked = await sent(owner, "preview", text)
        assert looked.json() == {
            "prefixes": len(networks), "addresses": 0, "faults": [], "new": [], "changed": [],
            "unchanged": len(networks), "notes": [],
        }  # fmt: skip


async def test_a_file_of_netbox_is_looked_at_refused_by_row_and_column_and_taken_in(
    stage: Stage, owner: Program, call: Call
) -> None:
    bad = NETBOX.format(site="nyc1")
    faults = [
        {
            "row": 3,
            "text": "10.0.1.0/24",
            "field": "site",
            "message": "There is no datacentre nyc1. Register it, or change the row.",
        }
    ]
    looked = await sent(owner, "preview", bad)
    assert (looked.status_code, looked.json()["faults"]) == (200, faults)
    refused = await sent(owner, "import", bad)
    assert (refused.status_code, refused.json()["code"]) == (422, "ipam.file_refused")
    assert refused.json()["rows"] == faults
    assert (await owner.get(f"{PREFIXES}?vrf=blue")).json()["items"] == []
    nothing = await sent(owner, "import", "a,b\n1,2\n")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "unreadable_file")

    good = NETBOX.format(site="")
    assert len((await sent(owner, "preview", good)).json()["faults"]) == 1  # no place is named
    key = {"Idempotency-Key": "netbox"}
    body = {"content": good, "datacentre": "ams1"}
    taken = await owner.post(f"{SPACE}/import", json=body, headers=key)
    assert taken.status_code == 200, taken.text
    said = taken.json()
    assert (said["prefixes"], said["new"], said["changed"], said["unchanged"]) == (2, 2, 0, 0)
    assert [(one["row"], one["note"]) for one in said["notes"]] == [
        (2, "It holds other prefixes, and becomes a container.")
    ]
    again = await owner.post(f"{SPACE}/import", json=body, headers=key)
    assert (again.json(), again.headers["idempotency-replayed"]) == (said, "true")
    listed = (await owner.get(f"{PREFIXES}?vrf=blue")).json()["items"]
    assert [one["prefix"] for one in listed] == ["10.0.1.0/24", "10.0.0.0/16"]
    homes = good.replace("Offices", "Homes")
    [changed] = (await sent(owner, "preview", homes, datacentre="ams1")).json()["changed"]
    assert (changed["row"], changed["changes"]) == (3, ["note: Offices → Homes"])

    reader = await call(Role.OWNER, Scope.ADDRESSES_READ)
    assert (await sent(reader, "preview", PHPIPAM, datacentre="ams1")).status_code == 200
    denied = await sent(reader, "import", PHPIPAM, datacentre="ams1")
    assert (denied.status_code, denied.json()["code"]) == (403, "security.scope_missing")
    subnets = await sent(owner, "import", PHPIPAM, datacentre="ams1")
    assert subnets.json()["new"] == 1
    ips = await sent(owner, "import", '{"data": [{"ip": "10.7.1.9", "hostname": "web"}]}')
    assert (ips.json()["addresses"], ips.json()["new"]) == (1, 1)


async def test_audits_are_run_listed_and_shown(stage: Stage, owner: Program) -> None:
    clean = await owner.post(AUDITS)
    assert (clean.status_code, clean.json()["found"]) == (201, [])
    async with stage.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO address_claim (kind, scope, position, state, holder, claimed_at) "
            "SELECT 'ip4', id, 9, 'held', gen_random_uuid(), now() FROM prefix "
            "WHERE network = '198.51.100.0/25'"
        )
    key = {"Idempotency-Key": "monday"}
    found = await owner.post(AUDITS, headers=key)
    [drift] = found.json()["found"]
    assert (drift["kind"], drift["subject"]) == ("claim_without_order", "198.51.100.9/32")
    assert drift["message"].endswith(", which is no order")
    again = await owner.post(AUDITS, headers=key)
    assert (again.json(), again.headers["idempotency-replayed"]) == (found.json(), "true")
    shown = await owner.get(f"{AUDITS}/{found.json()['id']}")
    assert shown.json() == found.json()
    etag = {"If-None-Match": shown.headers["etag"]}
    assert (await owner.get(f"{AUDITS}/{found.json()['id']}", headers=etag)).status_code == 304
    first = (await owner.get(f"{AUDITS}?limit=1")).json()
    assert [one["drifts"] for one in first["items"]] == [1]
    rest = (await owner.get(f"{AUDITS}?cursor={first['next']}")).json()
    assert [one["id"] for one in rest["items"]] == [clean.json()["id"]]
    assert rest["next"] is None


async def test_what_a_client_has_is_listed_by_id_name_or_address(
    stage: Stage, owner: Program
) -> None:
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE account SET name = 'Ada Byron' WHERE id = $1", stage.clients[0])
    order = await stage.order(client=0)
    await stage.order(client=1)
    leaf = await make(owner)
    await make(owner, prefix="192.0.3.0/24", gateway=None)
    ada = {"client": "client1@example.org", "description": "by contract"}
    claim = {"address": "192.0.2.9", **ada}
    [by_hand] = (await owner.post(f"{V1}/address-claims", json=claim)).json()["items"]
    new = {"address": "192.0.3.8/29", **ada}
    kept = (await owner.post(f"{V1}/reservations", json=new)).json()
    for words in (str(stage.clients[0]), "ada BYRON", "client1@"):
        query = {"client": words, "limit": 200}
        claims = (await owner.get(f"{V1}/address-claims", params=query)).json()["items"]
        assert {one["order"] for one in claims} == {str(order.id), None}
        assert [one["id"] for one in claims if one["order"] is None] == [by_hand["id"]]
        reservations = (await owner.get(f"{V1}/reservations", params=query)).json()["items"]
        assert [one["id"] for one in reservations] == [kept["id"]]
        prefixes = (await owner.get(PREFIXES, params=query)).json()["items"]
        assert {leaf["id"], kept["prefix"]} < {one["id"] for one in prefixes}
        assert {one["pool"] for one in claims if one["vid"] is None} | {kept["prefix"]} == {
            one["id"] for one in prefixes
        }
    for place in ("address-claims", "reservations", "prefixes"):
        nobody = await owner.get(f"{V1}/{place}?client=nobody")
        assert nobody.json()["items"] == []
