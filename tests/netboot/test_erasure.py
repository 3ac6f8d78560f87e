"""A server that came back is erased: what its live system says, and what becomes of the server."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.secrets import Vault, new_key
from app.domain.inventory.errors import ServerHasServed
from app.domain.inventory.maintain import begin_maintenance
from app.domain.inventory.power import note_power
from app.domain.inventory.put_back import await_erasure
from app.domain.inventory.quarantine import due_rechecks, quarantine
from app.domain.inventory.remove import remove_server
from app.domain.services.prepare_live import NotToBeErased, prepare_erase
from app.domain.services.report_erasure import erasures_of
from app.drivers.errors import Busy
from app.drivers.power import Power
from app.flows.node import Done, StepFailed, Wait
from app.flows.nodes import erase_disks
from app.jobs.recheck_servers import recheck_due
from tests.services.hall import SITE, Hall

KEY = "run:/:erase#1"


@pytest.fixture
async def came_back(hall: Hall) -> Hall:
    """The order is done with its server, which has two disks."""
    async with hall.database.transaction() as tx:
        await tx.execute("DELETE FROM disk WHERE server = $1", hall.server)
        await tx.execute(
            "INSERT INTO disk (id, server, kind, capacity_gb, quantity) "
            "VALUES (gen_random_uuid(), $1, 'nvme', 960, 2)",
            hall.server,
        )
        await tx.execute(
            "UPDATE server SET state = 'releasing', may_hold_data = true WHERE id = $1", hall.server
        )
        await await_erasure(tx, hall.server)
    return hall


async def enter(hall: Hall, **memo: object) -> Done | Wait:
    return await erase_disks.do(
        hall.step(node="erase", **memo), erase_disks.Params(server=hall.server)
    )


async def script_of(machine: httpx.AsyncClient, mac: str) -> str:
    return (await machine.get("/netboot/ipxe", params={"mac": mac})).text


def base_in(script: str) -> str:
    (base,) = [line.split()[2] for line in script.splitlines() if line.startswith("set base ")]
    return base


async def tell(machine: httpx.AsyncClient, base: str, disk: str, **more: str) -> int:
    said = {
        "disk": disk, "kind": "nvme", "model": "PM9A3", "serial": f"S-{disk}",
        "bytes": "960197124096", "method": "nvme format, user data erase", "result": "erased",
        "words": "",
    }  # fmt: skip
    return (await machine.post(f"{base}/disk", data=said | more)).status_code


async def state_of(database: Database, server: UUID) -> tuple[str, bool]:
    async with database.snapshot() as tx:
        row = await tx.fetchrow("SELECT state, may_hold_data FROM server WHERE id = $1", server)
    return row["state"], row["may_hold_data"]


async def test_a_server_that_came_back_is_erased_and_sold_again(
    machine: httpx.AsyncClient, came_back: Hall
) -> None:
    hall = came_back
    wait = await enter(hall)
    assert isinstance(wait, Wait)
    assert hall.bmc.told == ["power off", "boot pxe", "power on"]
    script = await script_of(machine, hall.mac)
    base = base_in(script)
    assert "boot=live" in script
    assert (await machine.get(f"{base}/erase.sh")).text.startswith("#!/bin/bash")
    assert await tell(machine, base, "nvme0n1", result="failed", words="busy") == 204
    assert await tell(machine, base, "nvme0n1") == 204
    assert await tell(machine, base, "nvme1n1") == 204
    assert (await machine.post(f"{base}/done", data={"percent": "100"})).status_code == 204
    done = await enter(hall, **wait.memo)
    assert isinstance(done, Done)
    assert done.output.disks == 2
    assert await state_of(hall.database, hall.server) == ("available", False)
    async with hall.database.snapshot() as tx:
        erased = await erasures_of(tx, hall.server)
        trail = await tx.fetchval(
            "SELECT reason FROM audit_entry WHERE action = 'inventory.finish_cleaning'"
        )
    assert [(one.disk, one.serial, one.error) for one in erased] == [
        ("nvme0n1", "S-nvme0n1", ""), ("nvme1n1", "S-nvme1n1", ""),
    ]  # fmt: skip
    assert trail == "2 disks were erased: nvme format, user data erase"
    assert isinstance(await enter(hall, **wait.memo), Done), "after a crash, the same again"
    assert (await machine.get(f"{base}/erase.sh")).status_code == 404


async def test_a_bmc_that_is_away_as_it_begins_or_ends_has_nothing_erased_twice(
    machine: httpx.AsyncClient, came_back: Hall
) -> None:
    hall = came_back
    hall.bmc.is_away = True
    waits = await enter(hall)
    assert isinstance(waits, Wait)
    assert waits.says == "waiting for the BMC"
    hall.bmc.is_away = False
    booted = await enter(hall, **waits.memo)
    assert isinstance(booted, Wait)
    base = base_in(await script_of(machine, hall.mac))
    for disk in ("nvme0n1", "nvme1n1"):
        assert await tell(machine, base, disk) == 204
    assert (await machine.post(f"{base}/done", data={"percent": "100"})).status_code == 204
    hall.bmc.is_away = True
    waits = await enter(hall, **booted.memo)
    assert isinstance(waits, Wait)
    assert await state_of(hall.database, hall.server) == ("cleaning", True)
    hall.bmc.is_away = False
    assert isinstance(await enter(hall, **waits.memo), Done)
    assert hall.bmc.told.count("power on") == 1
    assert await state_of(hall.database, hall.server) == ("available", False)


async def test_a_disk_that_was_not_heard_of_keeps_the_server_out_of_stock(
    machine: httpx.AsyncClient, came_back: Hall
) -> None:
    hall = came_back
    await enter(hall)
    base = base_in(await script_of(machine, hall.mac))
    assert await tell(machine, base, "nvme0n1") == 204
    await machine.post(f"{base}/done")
    with pytest.raises(StepFailed, match="1 disks were erased; 2 are written down"):
        await enter(hall)
    assert await state_of(hall.database, hall.server) == ("cleaning", True)
    assert hall.bmc.told[-1] == "power off"


async def test_a_machine_that_lacks_what_was_sold_is_not_sold_again(
    machine: httpx.AsyncClient, came_back: Hall
) -> None:
    hall = came_back
    await enter(hall)
    base = base_in(await script_of(machine, hall.mac))
    seen = {
        "memory_kib": "8000000", "cores": "999", "sockets": "2",
        "disks": "nvme0n1|1875385008|0|PASSED|A;nvme1n1|1875385008|0|FAILED!|B;",
    }  # fmt: skip
    assert (await machine.post(f"{base}/hardware", data=seen)).status_code == 204
    for disk in ("nvme0n1", "nvme1n1"):
        assert await tell(machine, base, disk) == 204
    await machine.post(f"{base}/done")
    with pytest.raises(StepFailed, match="it is erased, but it has 8 GB of memory") as failed:
        await enter(hall)
    assert "disk nvme1n1 (B) says: FAILED!" in failed.value.message
    assert await state_of(hall.database, hall.server) == ("cleaning", True)


async def test_a_disk_that_fails_is_named_with_its_own_words(
    machine: httpx.AsyncClient, came_back: Hall
) -> None:
    hall = came_back
    await enter(hall)
    base = base_in(await script_of(machine, hall.mac))
    assert await tell(machine, base, "nvme1n1", result="failed", words="Input/output\nerror") == 204
    assert await tell(machine, base, "../x") == 422
    assert await tell(machine, base, "sda", kind="tape") == 422
    await machine.post(f"{base}/failed", data={"message": "not every disk could be erased"})
    with pytest.raises(
        StepFailed, match=r"nvme1n1 \(S-nvme1n1\) could not be erased: Input/output error"
    ):
        await enter(hall)


async def test_only_what_waits_for_it_is_erased(
    machine: httpx.AsyncClient, hall: Hall, came_back: Hall
) -> None:
    await enter(came_back)
    base = base_in(await script_of(machine, hall.mac))
    async with hall.database.transaction() as tx:
        await quarantine(tx, hall.server, "smells burnt")
    assert (await machine.get(f"{base}/erase.sh")).status_code == 404
    with pytest.raises(StepFailed, match="left cleaning"):
        await enter(hall)
    async with hall.database.transaction() as tx:
        with pytest.raises(NotToBeErased):
            await prepare_erase(
                tx, hall.vault, server=hall.server, step_key="run:/:other#1", site=SITE
            )


def later(hall: Hall, *, minutes: float) -> None:
    clock = hall.database.clock
    assert isinstance(clock, SetClock)
    clock.advance(minutes=minutes)


async def test_what_a_delivered_service_ran_on_is_not_erased_by_itself(
    hall: Hall, vault: Vault
) -> None:
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE server SET state = 'active' WHERE id = $1", hall.server)
        await quarantine(tx, hall.server, "smells burnt")
    later(hall, minutes=60 * 24 * 30)
    assert await recheck_due(hall.database, vault, hall.bmc) == []
    assert await state_of(hall.database, hall.server) == ("quarantined", True)


async def test_a_bmc_that_was_away_costs_no_server(came_back: Hall, vault: Vault) -> None:
    """Quarantined for a BMC, it is looked at again, less and less often, and goes to be erased."""
    hall = came_back
    async with hall.database.transaction() as tx:
        await quarantine(tx, hall.server, "no answer")
        assert await due_rechecks(tx) == []
    hall.bmc.is_away = True
    for minutes in (15, 30, 60):
        later(hall, minutes=minutes)
        assert await recheck_due(hall.database, vault, hall.bmc) == [hall.server]
        assert await recheck_due(hall.database, vault, hall.bmc) == []
        assert await state_of(hall.database, hall.server) == ("quarantined", True)
    hall.bmc.is_away = False
    later(hall, minutes=120)
    assert await recheck_due(hall.database, vault, hall.bmc) == [hall.server]
    assert await state_of(hall.database, hall.server) == ("cleaning", True)
    async with hall.database.snapshot() as tx:
        events = await tx.fetchval("SELECT count(*) FROM outbox WHERE topic = 'server.cleaning'")
        looked = await tx.fetchval(
            "SELECT count(*) FROM audit_entry WHERE action = 'inventory.recheck'"
        )
    assert (events, looked) == (2, 3)


async def test_what_was_not_asked_has_not_failed(
    came_back: Hall, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten looks are all that there are, and then a person has to."""
    hall = came_back
    async with hall.database.transaction() as tx:
        await quarantine(tx, hall.server, "no answer")

    async def busy(*_: object, **__: object) -> None:
        raise Busy("bmc", "an earlier call has not ended")

    with monkeypatch.context() as patch:
        patch.setattr(hall.bmc, "ensure", busy)
        for key in (vault, Vault([new_key()])):
            later(hall, minutes=15)
            assert await recheck_due(hall.database, key, hall.bmc) == [hall.server]
    async with hall.database.snapshot() as tx:
        assert await tx.fetchval("SELECT rechecks FROM server WHERE id = $1", hall.server) == 0
    later(hall, minutes=15)
    assert await recheck_due(hall.database, vault, hall.bmc) == [hall.server]
    assert await state_of(hall.database, hall.server) == ("cleaning", True)


async def test_what_is_critical_when_it_is_looked_at_again_stays_aside(
    came_back: Hall, vault: Vault
) -> None:
    """Its BMC obeys; yet what it says of the machine would be sold."""
    hall = came_back
    async with hall.database.transaction() as tx:
        await quarantine(tx, hall.server, "no word from the machine")
    hall.bmc.critical = ("PSU 2 has failed", "CPU 1 reads 104 °C")
    later(hall, minutes=15)
    assert await recheck_due(hall.database, vault, hall.bmc) == [hall.server]
    assert hall.bmc.told == ["power off", "boot disk"]
    assert await state_of(hall.database, hall.server) == ("quarantined", True)
    async with hall.database.snapshot() as tx:
        told = await tx.fetchval(
            "SELECT reason FROM audit_entry WHERE action = 'inventory.recheck'"
        )
    assert told == "PSU 2 has failed; CPU 1 reads 104 °C"


async def test_a_power_state_change_triggers_no_second_cleaning(
    machine: httpx.AsyncClient, came_back: Hall
) -> None:
    """baremetal-operator#883."""
    hall = came_back
    wait = await enter(hall)
    assert isinstance(wait, Wait)
    base = base_in(await script_of(machine, hall.mac))
    for disk in ("nvme0n1", "nvme1n1"):
        await tell(machine, base, disk)
    await machine.post(f"{base}/done", data={"percent": "100"})
    assert isinstance(await enter(hall, **wait.memo), Done)
    hall.bmc.told.clear()
    for power in (Power.ON, Power.OFF, Power.UNKNOWN, Power.ON):
        async with hall.database.transaction() as tx:
            await note_power(tx, hall.server, power)
        assert await state_of(hall.database, hall.server) == ("available", False)
    async with hall.database.snapshot() as tx:
        asked = await tx.fetchval("SELECT count(*) FROM outbox WHERE topic = 'server.cleaning'")
    assert (asked, hall.bmc.told) == (1, []), "it was erased once, for the order that was over"
    boots = await machine.get("/netboot/ipxe", params={"mac": hall.mac})
    assert "boot=live" not in boots.text


@pytest.mark.parametrize("has_served", [False, True], ids=["new", "served"])
async def test_a_server_whose_bmc_is_gone_for_good_is_removed_or_retired(
    hall: Hall, vault: Vault, *, has_served: bool
) -> None:
    """ConvoyPanel/panel#26: nothing of this asks it."""
    if has_served:
        await hall.installation()
    async with hall.database.transaction() as tx:
        await quarantine(tx, hall.server, "no answer")
    hall.bmc.is_away = True
    for number in range(10):
        later(hall, minutes=15 * 2**number)
        assert await recheck_due(hall.database, vault, hall.bmc) == [hall.server]
    later(hall, minutes=60 * 24 * 30)
    assert await recheck_due(hall.database, vault, hall.bmc) == [], "a person was told"
    staff: dict[str, Any] = {"actor": None, "actor_label": "staff", "reason": "scrapped"}
    async with hall.database.transaction() as tx:
        if has_served:
            with pytest.raises(ServerHasServed, match="maintenance for good"):
                await remove_server(tx, hall.server, **staff)
            await begin_maintenance(tx, hall.server, **staff)
        else:
            await remove_server(tx, hall.server, **staff)
        state = await tx.fetchval("SELECT state FROM server WHERE id = $1", hall.server)
    assert state == ("maintenance" if has_served else None)
