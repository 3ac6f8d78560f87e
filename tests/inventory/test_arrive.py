"""A file of servers: looked at, taken in whole or not at all, and out again."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.secrets import Vault
from app.core.sheets import Unreadable, read_raw
from app.domain.audit.find import trail
from app.domain.inventory.arrive import ServersArrived, import_servers
from app.domain.inventory.find import bmc_of, find_server
from app.domain.inventory.seed import DiskSeed
from app.domain.inventory.seeds import server_seed, server_seeds
from app.domain.inventory.server_sheet import (
    BMC_COLUMNS,
    COLUMNS,
    csv_of,
    disk_text,
    disks_of,
    read_row,
)
from app.solver.want import DiskKind
from tests.inventory.hall import furnish, machine

HEAD = "name,serial,datacentre,rack,u_position,cpu_model,ram_gb,mac"
NEW = "n1,N1,ams1,R2,4,Xeon,128,02:00:00:00:cc:01"


async def take(tx: Tx, vault: Vault, *lines: str, **terms: Any) -> ServersArrived:
    raw = "\n".join(lines).encode()
    facts = {"dry_run": False, "actor": None, "actor_label": "ops@slipway.test"} | terms
    return await import_servers(tx, vault, raw, **facts)


async def test_what_is_new_changed_and_unchanged_is_told_before_anything_is_written(
    tx: Tx, vault: Vault
) -> None:
    ids = await furnish(tx, machine(1), machine(2), vault=vault)
    sheet = (
        f"{HEAD},disks,raid_controller,warranty_ends_on,note",
        f"{NEW},2 x 1.92 TB nvme; 4x8000 hdd,yes,2030-01-31,",
        "m001,S00001,,,,,128,,,,,spare part",
        "m002,S00002,ams1,R1,2,Xeon,64,02-00-00-00-00-02,,,,",
    )
    seen = await take(tx, vault, *sheet, dry_run=True)
    assert [(line.number, line.text, line.note) for line in seen.new] == [
        (2, "n1", "ams1, rack R2, unit 4")
    ]
    assert [(line.number, line.note) for line in seen.changed] == [(3, "ram gb, note")]
    assert (seen.unchanged, seen.faults, seen.is_kept) == (1, (), False)
    assert await tx.fetchval("SELECT count(*) FROM server") == 2
    assert (await take(tx, vault, *sheet)).is_kept
    made = await tx.fetchval("SELECT id FROM server WHERE serial = 'N1'")
    seed = await server_seed(tx, made)
    assert (seed.ram_gb, seed.raid_controller, str(seed.warranty_ends_on)) == (
        128,
        True,
        "2030-01-31",
    )
    assert disk_text(seed.disks) == "4 x 8000 hdd; 2 x 1920 nvme"
    view = await find_server(tx, ids["m001"])
    assert (view.ram_gb, view.note, len(view.disks)) == (128, "spare part", 1)
    (line, *_) = await trail(tx, [ids["m001"]])
    assert (line.actor_label, line.after) == (
        "import by ops@slipway.test",
        {"ram_gb": 128, "note": "spare part"},
    )
    again = await take(tx, vault, *sheet)
    assert (again.new, again.changed, again.unchanged) == ((), (), 3)
    # A dash empties what is there.
    assert (await take(tx, vault, "serial,note", "S00001,-")).changed
    assert (await find_server(tx, ids["m001"])).note == ""


async def test_one_bad_row_keeps_all_out_and_every_bad_row_is_named(tx: Tx, vault: Vault) -> None:
    await furnish(tx, machine(1), vault=vault)
    seen = await take(
        tx,
        vault,
        f"{HEAD},disks,side",
        f"{NEW},,",
        "n2,N2,ams1,R2,4,Xeon,64,02:00:00:00:cc:02,,",
        "n3,N3,ams1,R9,5,Xeon,64,02:00:00:00:cc:03,,",
        "n4,N4,ams1,R2,6,6502,64,02:00:00:00:cc:04,,",
        "n5,N5,ams1,R2,0,Xeon,64,02:00:00:00:cc:05,,",
        "n6,N6,ams1,R2,7,Xeon,lots,02:00:00:00:cc:06,,",
        "n7,N7,ams1,R2,8,Xeon,64,here,,",
        "n8,N8,ams1,R2,9,Xeon,64,02:00:00:00:cc:08,two big,",
        "n9,N9,ams1,R2,10,Xeon,64,02:00:00:00:cc:09,,left",
        "n1,N1,ams1,R2,11,Xeon,64,02:00:00:00:cc:10,,",
        ",N11,ams1,R2,12,Xeon,64,02:00:00:00:cc:11,,",
        "m001,N12,ams1,R2,4,6502,lots,02:00:00:00:00:01,two big,left",
        "n13,N13,ams1,R1,1,6502,lots,here,two big,",
        "n14,N1,ams1,R9,few,6502,,,2 x 960 nvme,",
    )
    assert not seen.is_kept
    assert await tx.fetchval("SELECT count(*) FROM server") == 1
    assert {line.number: line.fault for line in seen.faults} == {
        3: "u_position: n1 stands at unit 4.",
        4: "rack: There is no rack R9 in ams1.",
        5: "cpu_model: There is no CPU model 6502. Write it down first.",
        6: "u_position: At least 1.",
        7: "ram_gb: Type a whole number.",
        8: "mac: Write it as 02:00:5e:10:00:01.",
        9: "disks: two big is no disk. Write them as 2 x 960 nvme; 4 x 8 TB hdd.",
        10: "side: 'left' is none of these: both, front, rear.",
        11: "serial: Row 2 is of this serial number too.",
        12: "name: Fill it in.",
        13: "name: Another server has this name.\n"
        "side: 'left' is none of these: both, front, rear.\n"
        "cpu_model: There is no CPU model 6502. Write it down first.\n"
        "ram_gb: Type a whole number.\n"
        "mac: Another server has this network card.\n"
        "disks: two big is no disk. Write them as 2 x 960 nvme; 4 x 8 TB hdd.",
        14: "u_position: m001 stands at unit 1.\n"
        "cpu_model: There is no CPU model 6502. Write it down first.\n"
        "ram_gb: Type a whole number.\n"
        "mac: Write it as 02:00:5e:10:00:01.\n"
        "disks: two big is no disk. Write them as 2 x 960 nvme; 4 x 8 TB hdd.",
        15: "serial: Row 2 is of this serial number too.\n"
        "rack: There is no rack R9 in ams1.\n"
        "u_position: Type a whole number.\n"
        "cpu_model: There is no CPU model 6502. Write it down first.\n"
        "ram_gb: Fill it in.\n"
        "mac: Fill it in.",
    }


async def test_a_unit_that_is_written_with_a_point_is_the_number_that_it_is(
    tx: Tx, vault: Vault
) -> None:
    """Spreadsheets do so."""
    await furnish(tx, machine(1), vault=vault)
    seen = await take(
        tx,
        vault,
        f"{HEAD},u_height",
        "n1,N1,ams1,R2,4.0,6502,64,02:00:00:00:cc:01,2.0",
        "n2,N2,ams1,R1,1.0,Xeon,lots,02:00:00:00:cc:02,1.0",
    )
    assert [line.fault for line in seen.faults] == [
        "cpu_model: There is no CPU model 6502. Write it down first.",
        "u_position: m001 stands at unit 1.\nram_gb: Type a whole number.",
    ]


async def test_the_documentation_names_every_column_as_it_is_read(tx: Tx, vault: Vault) -> None:
    """Each, in its order, with what it is where left out, and an example that is taken in."""
    page = (Path(__file__).parents[2] / "docs" / "dcim.md").read_text()
    rows = re.findall(
        r"^\| `(\w+)` \| (required|none|`\w+`) \| .+ \| `(.+)` \|$", page, re.MULTILINE
    )
    assert [name for name, _, _ in rows] == list(COLUMNS)
    required = {name: text for name, kind, text in rows if kind == "required"}
    least = read_row(required)
    for name in required:
        with pytest.raises(Invalid, match=name):
            read_row(required | {name: ""})
    said = {name: kind.strip("`") for name, kind, _ in rows if kind.startswith("`")}
    spelt = {name: _spelt(getattr(least, name)) for name in said}
    assert said == spelt
    empty = {name for name, kind, _ in rows if kind == "none"} - set(BMC_COLUMNS)
    assert not any(getattr(least, name) for name in empty)
    await furnish(tx, vault=vault)
    examples = {name: text for name, _, text in rows}
    seen = await take(tx, vault, ",".join(examples), ",".join(examples.values()))
    assert (len(seen.new), seen.faults) == (1, ())
    server = await tx.fetchval("SELECT id FROM server WHERE serial = $1", examples["serial"])
    assert (await find_server(tx, server)).state == "enrolled"
    assert (await bmc_of(tx, vault, server))[0].password.reveal() == examples["bmc_password"]


def _spelt(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


async def test_a_bmc_is_spoken_to_as_its_address_says(tx: Tx, vault: Vault) -> None:
    ids = await furnish(tx, machine(1), vault=vault)
    for url, protocol in {"ipmi://10.0.0.9": "ipmi", "https://10.0.0.9": "redfish"}.items():
        head = "serial,bmc_url,bmc_username,bmc_password"
        assert (await take(tx, vault, head, f"S00001,{url},admin,secret")).changed
        assert (await bmc_of(tx, vault, ids["m001"]))[0].protocol == protocol


@pytest.mark.parametrize(
    ("bmc", "fault"),
    [
        ("10.0.0.9,root,secret", "bmc_url: Give scheme and host, such as https://10.0.0.7."),
        ("ftp://10.0.0.9,root,secret", "bmc_url: Give scheme and host, such as https://10.0.0.7."),
        ("https://a@b,root,secret", "bmc_url: Give scheme and host, such as https://10.0.0.7."),
        ("ipmi://a/b,root,secret", "bmc_url: Give scheme and host, such as ipmi://10.0.0.7."),
        ("https://10.0.0.9,,secret", "bmc_username: Name the account to sign in with."),
        (
            "ipmi://10.0.0.9,seventeen-letters,secret",
            "bmc_username: IPMI knows names of up to 16 bytes.",
        ),
        (
            "ipmi://10.0.0.9,root,more-than-twenty-letters",
            "bmc_password: IPMI knows passwords of up to 20 bytes.",
        ),
    ],
)
async def test_a_bmc_that_its_form_would_refuse_is_refused_by_line_and_column(
    tx: Tx, vault: Vault, bmc: str, fault: str
) -> None:
    await furnish(tx, machine(1), vault=vault)
    head = "serial,bmc_url,bmc_username,bmc_password"
    (line,) = (await take(tx, vault, head, f"S00001,{bmc}")).faults
    assert (line.number, line.fault) == (2, fault)


async def test_rows_without_a_filled_cell_are_passed_over(tx: Tx, vault: Vault) -> None:
    await furnish(tx, machine(1), vault=vault)
    seen = await take(tx, vault, "serial,note", ",", "S00001,seen", "", " , ", "X", ",")
    assert [line.text for line in seen.changed] == ["S00001"]
    assert [line.number for line in seen.faults] == [6]
    with pytest.raises(Unreadable, match="it has no rows"):
        await take(tx, vault, "serial,note", ",")
    with pytest.raises(Unreadable, match="it has no rows"):
        await take(tx, vault, "serial,note")


async def test_a_file_says_how_systems_get_onto_a_server(tx: Tx, vault: Vault) -> None:
    ids = await furnish(tx, machine(1), vault=vault)
    head = "serial,bmc_url,bmc_username,bmc_password,bmc_boot_method"
    row = "S00001,{}://10.0.0.9,root,secret,{}"
    for method in ("http", "virtual-media", "network"):
        assert (await take(tx, vault, head, row.format("https", method))).changed
        assert (await bmc_of(tx, vault, ids["m001"]))[1] == method
    for url, method, words in (
        ("ipmi", "http", "IPMI has no UEFI HTTP boot: choose the network, or Redfish"),
        ("ipmi", "virtual-media", "IPMI has no virtual media: choose the network, or Redfish"),
        ("https", "tape", "tape is none of network, virtual-media, http."),
    ):
        (fault,) = (await take(tx, vault, head, row.format(url, method))).faults
        assert fault.fault.startswith(f"bmc_boot_method: {words}")
    (fault,) = (await take(tx, vault, "serial,bmc_boot_method", "S00001,http")).faults
    assert fault.fault.startswith("bmc_url: Missing")


def test_a_row_is_at_its_line_whatever_the_cells_above_hold() -> None:
    sheet = read_raw(b'serial,note\nS1,"two\nlines"\nS2,\n', lists=("servers",))
    assert sheet.numbers == [3, 4]


async def test_draw_and_weight_are_taken_from_their_columns(tx: Tx, vault: Vault) -> None:
    ids = await furnish(tx, machine(1), vault=vault)
    head = "serial,power_draw_watts,weight_kg"
    (fault,) = (await take(tx, vault, head, "S00001,-5,18")).faults
    assert fault.fault == "power_draw_watts: At least 0."
    (fault,) = (await take(tx, vault, head, "S00001,450,heavy")).faults
    assert fault.fault == "weight_kg: Type a whole number."
    (line,) = (await take(tx, vault, head, "S00001,450,18", dry_run=True)).changed
    assert line.note == "power draw watts, weight kg"
    await take(tx, vault, head, "S00001,450,18")
    seen = await find_server(tx, ids["m001"])
    assert (seen.power_draw_watts, seen.weight_kg) == (450, 18)


async def test_what_a_rack_cannot_carry_is_refused_by_line_and_column(tx: Tx, vault: Vault) -> None:
    """Each row counts beside those above it; what takes less is taken in even where all is full."""
    await furnish(tx, machine(1, power_draw_watts=600, weight_kg=20), vault=vault)
    await tx.execute(
        "UPDATE rack SET feed_a_watts = 1000, weight_kg = 50, u_height = 10 WHERE name = 'R1'"
    )
    head = f"{HEAD},power_draw_watts,weight_kg,feeds,u_height"
    sheet = (
        head,
        "n1,N1,ams1,R1,4,Xeon,64,02:00:00:00:cc:01,400,20,A,1",
        "n2,N2,ams1,R1,5,Xeon,64,02:00:00:00:cc:02,1,20,AB,1",
        "n3,N3,ams1,R1,5,Xeon,64,02:00:00:00:cc:03,300,10,B,1",
        "n4,N4,ams1,R1,10,Xeon,64,02:00:00:00:cc:04,0,0,A,2",
        "m001,S00001,ams1,R1,1,Xeon,64,02:00:00:00:00:01,601,20,AB,1",
    )
    seen = await take(tx, vault, *sheet, dry_run=True)
    assert {line.number: line.fault for line in seen.faults} == {
        3: "power_draw_watts: Feed A: 0 W left, the machine needs 1.\n"
        "weight_kg: Weight: 10 kg left, the machine needs 20.",
        5: "u_position: The rack ends at unit 10.",
        6: "power_draw_watts: Feed A: 600 W left, the machine needs 601.",
    }
    assert (await take(tx, vault, head, sheet[1], sheet[3])).is_kept
    await tx.execute("UPDATE rack SET feed_a_watts = 500, weight_kg = 5 WHERE name = 'R1'")
    less = await take(tx, vault, "serial,power_draw_watts,note", "S00001,550,frugal")
    assert less.is_kept
    assert [line.note for line in less.changed] == ["power draw watts, note"]


async def test_an_export_taken_in_again_changes_nothing(tx: Tx, vault: Vault) -> None:
    await furnish(tx, machine(1), machine(2, note="=1+1", feeds="A"), vault=vault)
    sheet = csv_of(list((await server_seeds(tx)).values()))
    assert "'=1+1" in sheet
    assert "calvin" not in sheet
    seen = await take(tx, vault, sheet)
    assert (seen.new, seen.changed, seen.unchanged, seen.faults) == ((), (), 2, ())


async def test_a_bmc_comes_with_its_password_and_is_sealed(tx: Tx, vault: Vault) -> None:
    ids = await furnish(tx, machine(1, bmc=None), vault=vault)
    head, row = "serial,bmc_url,bmc_username,bmc_password", "S00001,https://10.1.1.1,root,pearl"
    (line,) = (await take(tx, vault, head, row)).changed
    assert line.note == "bmc"
    for half, missing in {"https://10.1.1.2,root,": "password", ",root,pearl": "url"}.items():
        (fault,) = (await take(tx, vault, head, f"S00001,{half}")).faults
        assert fault.fault.startswith(f"bmc_{missing}: Missing")
    address, _ = await bmc_of(tx, vault, ids["m001"])
    assert (address.url, address.password.reveal()) == ("https://10.1.1.1", "pearl")
    assert "pearl" not in repr(await trail(tx, [ids["m001"]]))


@pytest.mark.parametrize(
    ("raw", "why"),
    [(b"", "empty"), (b"name,rack\na,b", "named serial"), (b"\xff", "UTF-8"), (b"[1]", "list of servers"),
     (b"serial\n" + b"x\n" * 5_001, "5,001 servers"),
     (b"serial,waranty_ends_on,colour\nS1,,red", "no column colour, waranty_ends_on here")],
    ids=["empty", "no-serial", "binary", "no-objects", "too-long", "unknown-columns"],
)  # fmt: skip
async def test_a_file_that_is_none_is_refused(tx: Tx, vault: Vault, raw: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        await import_servers(tx, vault, raw, dry_run=True, actor=None, actor_label="x")


@pytest.mark.parametrize(
    ("text", "disks"),
    [
        ("2 x 960 nvme", [(DiskKind.nvme, 960, 2)]),
        ("480 SSD, 4×8TB hdd", [(DiskKind.hdd, 8000, 4), (DiskKind.ssd, 480, 1)]),
        ("", []),
    ],
)
def test_disks_are_read_as_people_write_them(text: str, disks: list[Any]) -> None:
    assert disks_of(text) == tuple(
        DiskSeed(kind=kind, capacity_gb=size, quantity=count) for kind, size, count in disks
    )
    with pytest.raises(Invalid):
        disks_of(f"{text}; 3 floppies")
