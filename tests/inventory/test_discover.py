"""What a BMC says against what is written down; accepted one by one."""

from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from app.core.database import Database, Tx
from app.core.errors import Invalid, NotFound
from app.core.outbox import claim_due
from app.core.secrets import Vault
from app.domain.audit.find import trail
from app.domain.inventory.cabling import ports_of
from app.domain.inventory.discover import (
    ASKED,
    accept_difference,
    ask_hardware,
    compare,
    keep_report,
)
from app.domain.inventory.errors import NoBmc
from app.domain.inventory.find import find_server
from app.drivers.bmc.contract import BmcAddress, Drive, Inventory, Nic
from app.drivers.bmc.redfish import RedfishFleet
from app.drivers.errors import Unreachable
from app.jobs.discover_hardware import discover_hardware
from tests.drivers.bmc.test_emulator import emulator
from tests.inventory.hall import furnish, machine

__all__ = ["emulator"]  # a fixture
STAFF: dict[str, Any] = {"actor": None, "actor_label": "ops@slipway.test"}
SAYS = Inventory(
    uuid=None,
    manufacturer="Acme",
    model="R1",
    serial="S00001",
    bios_version=None,
    memory_gib=128,
    cpu_count=None,
    cpu_model="Intel(R) Xeon(R) CPU @ 3.2GHz",
    nics=(Nic(name="NIC.1", mac="02:00:00:00:00:01"), Nic(name="NIC.2", mac="02:00:00:00:00:77")),
)
NVME = Drive(kind="nvme", capacity_gb=960, serial="A1")


async def test_differences_are_shown_and_accepted_one_by_one(tx: Tx) -> None:
    server = (await furnish(tx, machine(1), machine(2)))["m001"]
    assert await compare(tx, server) is None
    await ask_hardware(tx, server)
    asked = await compare(tx, server)
    assert asked is not None
    assert (asked.is_waiting, asked.found, asked.differences) == (True, None, ())
    await keep_report(tx, server, SAYS)
    seen = await compare(tx, server)
    assert seen is not None
    # The CPU is the same under another spelling, the serial number is what is written down.
    assert [(one.fact, one.written, one.found) for one in seen.differences] == [
        ("model", "", "Acme R1"),
        ("ram_gb", "64", "128"),
        ("nic:02:00:00:00:00:01", "none", "NIC.1"),
        ("nic:02:00:00:00:00:77", "none", "NIC.2"),
    ]
    for fact in ("ram_gb", "nic:02:00:00:00:00:77"):
        await accept_difference(tx, server, fact, **STAFF)
    view = await find_server(tx, server)
    assert (view.ram_gb, view.model) == (128, "")
    (port,) = await ports_of(tx, server=server)
    assert (port.name, port.mac) == ("NIC.2", "02:00:00:00:00:77")
    (_, line, *_) = await trail(tx, [server])
    assert (line.action, line.after) == ("inventory.accept_difference", {"Memory, GB": "128"})
    with pytest.raises(NotFound):
        await accept_difference(tx, server, "ram_gb", **STAFF)


async def test_disks_are_compared_by_kind_size_and_number(tx: Tx) -> None:
    """A size in the other unit, or rounded, is the same disk; one more, or of a kind, is not."""
    server = (await furnish(tx, machine(1)))["m001"]
    await ask_hardware(tx, server)
    same = (NVME, replace(NVME, capacity_gb=1000))
    for drives, found in (
        (None, None),
        (same, None),
        ((NVME,), "1 x 960 nvme"),
        ((NVME, replace(NVME, kind="ssd")), "1 x 960 nvme; 1 x 960 ssd"),
        ((NVME, replace(NVME, capacity_gb=1920)), "1 x 960 nvme; 1 x 1920 nvme"),
        ((NVME, NVME, replace(NVME, kind="hdd", capacity_gb=8001)), "1 x 8001 hdd; 2 x 960 nvme"),
    ):
        await keep_report(tx, server, replace(SAYS, drives=drives))
        seen = await compare(tx, server)
        assert seen is not None
        told = [(one.written, one.found) for one in seen.differences if one.fact == "disks"]
        assert told == ([] if found is None else [("2 x 960 nvme", found)])
    await accept_difference(tx, server, "disks", **STAFF)
    rows = await tx.fetch("SELECT kind, capacity_gb, quantity FROM disk WHERE server = $1", server)
    assert sorted(map(tuple, rows)) == [("hdd", 8001, 1), ("nvme", 960, 2)]
    (line, *_) = await trail(tx, [server])
    assert line.before == {"Disks, GB": "2 x 960 nvme"}
    seen = await compare(tx, server)
    assert seen is not None
    assert "disks" not in {one.fact for one in seen.differences}


async def test_what_cannot_be_accepted_says_what_to_do(tx: Tx) -> None:
    ids = await furnish(tx, machine(1), machine(2, bmc=None))
    server = ids["m001"]
    await ask_hardware(tx, server)
    odd = {
        "cpu_model": "Intel(R) Pentium(R)",
        "serial": "S00002",
        "nics": (Nic(name="a", mac="02:00:00:00:00:02"),),
    }
    facts = {name: getattr(SAYS, name) for name in SAYS.__struct_fields__} | odd
    await keep_report(tx, server, Inventory(**facts))
    for fact, words in (
        ("cpu_model", "is not written down. Add it first"),
        ("serial", "has this serial number"),
        ("mac", "has this network card"),
    ):
        with pytest.raises(Invalid, match=words):
            await accept_difference(tx, server, fact, **STAFF)
    with pytest.raises(NoBmc):
        await ask_hardware(tx, ids["m002"])


async def test_a_real_bmc_is_read_by_the_worker(
    database: Database, vault: Vault, emulator: BmcAddress
) -> None:
    """Against the sushy-emulator: asked on a page, read by the worker, compared with the record."""
    async with database.transaction() as tx:
        server = (await furnish(tx, machine(1), vault=vault))["m001"]
        await tx.execute(
            "UPDATE bmc SET url = $1, username = $2, sealed_password = $3, system_path = $4, "
            "tls_mode = 'ca', ca_pem = $5",
            emulator.url,
            emulator.username,
            vault.seal(emulator.password.reveal()),
            emulator.system_path,
            emulator.tls.pem,
        )
        await ask_hardware(tx, server)
        (parcel,) = [one for one in await claim_due(tx) if one.topic == ASKED]
    fleet = RedfishFleet()
    consume = partial(discover_hardware, database, vault, fleet)
    try:
        await consume(parcel)
    finally:
        await fleet.close()
    async with database.transaction() as tx:
        seen = await compare(tx, server)
        assert seen is not None
        assert (seen.error, seen.is_waiting) == ("", False)
        ways = await tx.fetchrow("SELECT vendor, serial FROM bmc WHERE server = $1", server)
        assert tuple(ways or ()) == ("generic", "none")
        macs = {one.fact for one in seen.differences if one.fact.startswith("nic:")}
        assert macs == {"nic:52:54:00:aa:00:01"}
        (disks,) = [one for one in seen.differences if one.fact == "disks"]
        assert disks.found == "1 x 4001 hdd; 2 x 960 nvme"
        await accept_difference(tx, server, "mac", **STAFF)
        assert (await find_server(tx, server)).mac == "52:54:00:aa:00:01"


class _Away:
    """A fleet whose BMCs do not answer."""

    def bmc(self, address: BmcAddress) -> "_Away":
        self.url = address.url
        return self

    async def inventory(self) -> Inventory:
        raise Unreachable(self.url, "no answer within 3 s")

    async def close(self) -> None: ...


async def test_a_bmc_that_does_not_answer_leaves_its_words(
    database: Database, vault: Vault
) -> None:
    async with database.transaction() as tx:
        server = (await furnish(tx, machine(1), vault=vault))["m001"]
        await ask_hardware(tx, server)
        (parcel,) = [one for one in await claim_due(tx) if one.topic == ASKED]
    await discover_hardware(database, vault, _Away(), parcel)  # type: ignore[arg-type]
    async with database.snapshot() as tx:
        seen = await compare(tx, server)
    assert seen is not None
    assert "no answer within 3 s" in seen.error
    assert not seen.is_waiting
