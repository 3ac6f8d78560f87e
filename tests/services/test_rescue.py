"""A client's server that is to be rescued or installed anew, by a BMC that fails meanwhile."""

import asyncio
import re
from dataclasses import replace
from types import ModuleType
from typing import Any

import msgspec
import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.secrets import Vault
from app.domain.services.untouched import AWAITED, BOOTS, UNTOUCHED
from app.drivers.boot import BootDevice
from app.drivers.errors import NotReached, Refused, Unreachable
from app.flows.booting import BMC_AGAIN, BMC_PATIENCE, switch_off
from app.flows.node import Done, StepFailed, Wait
from app.flows.nodes import reinstall_os, rescue, unrescue
from tests.services.hall import SITE, Hall, open_hall


async def enter(hall: Hall, node: ModuleType, **memo: Any) -> Done | Wait:
    found: Done | Wait = await node.do(hall.step(node="node", **memo), node.Params())
    return found


@pytest.mark.parametrize("node", [rescue, reinstall_os], ids=["rescue", "reinstall"])
async def test_a_bmc_that_is_away_for_a_while_is_waited_for(
    hall: Hall, clock: SetClock, node: ModuleType
) -> None:
    """It may restart: the machine is the client's, and no other can stand in for it."""
    hall.bmc.is_away = True
    wait = await enter(hall, node)
    assert isinstance(wait, Wait)
    assert (wait.until, wait.says) == (clock.now() + BMC_AGAIN, "waiting for the BMC")
    clock.advance(minutes=4)
    hall.bmc.is_away, hall.bmc.refuses = False, "HTTP 503: it restarts"
    wait = await enter(hall, node, **wait.memo)
    assert isinstance(wait, Wait)
    assert wait.says == "waiting for the BMC"
    hall.bmc.refuses = ""
    hall.bmc.told.clear()
    booted = await enter(hall, node, **wait.memo)
    assert isinstance(booted, Wait)
    assert booted.signal.startswith("installation:")
    assert hall.bmc.told == ["power off", "boot pxe", "power on"]
    assert "away" not in booted.memo, "the next time is counted anew"

    hall.bmc.is_away = True
    clock.advance(seconds=BMC_PATIENCE.total_seconds())
    with pytest.raises(Unreachable):
        await enter(hall, node, **wait.memo)


async def stages(hall: Hall) -> list[tuple[str, str]]:
    async with hall.database.snapshot() as tx:
        rows = await tx.fetch("SELECT state, stage FROM installation ORDER BY id")
    return [(row["state"], row["stage"]) for row in rows]


@pytest.mark.parametrize("node", [rescue, reinstall_os], ids=["rescue", "reinstall"])
async def test_a_machine_whose_bmc_is_never_reached_is_left_alone(
    hall: Hall, clock: SetClock, node: ModuleType
) -> None:
    """At both tries, and when the run is cancelled then; what is told of it is so."""
    hall.bmc.is_away = True
    for attempt in (1, 2):
        step = hall.step(node="node", attempt=attempt)
        wait = await node.do(step, node.Params())
        assert isinstance(wait, Wait)
        assert (await stages(hall))[-1] == ("prepared", UNTOUCHED)
        clock.advance(seconds=BMC_PATIENCE.total_seconds())
        with pytest.raises(Unreachable):
            await node.do(hall.step(node="node", attempt=attempt, **wait.memo), node.Params())
        assert await stages(hall) == [("failed", UNTOUCHED)] * attempt
    hall.bmc.is_away = False
    with pytest.raises(StepFailed):  # a worker that died just then
        await node.do(hall.step(node="node", attempt=2), node.Params())
    await node.undo(hall.step(node="node", attempt=2), None)
    assert hall.bmc.told == []


@pytest.mark.parametrize("node", [rescue, reinstall_os], ids=["rescue", "reinstall"])
async def test_a_machine_is_left_alone_where_a_worker_died_before_its_bmc_was_asked(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, node: ModuleType
) -> None:
    async def died(*_: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch, pytest.raises(asyncio.CancelledError):
        patch.setattr(hall.bmc, "read", died)
        await enter(hall, node)
    assert await stages(hall) == [("prepared", UNTOUCHED)]
    await node.undo(hall.step(node="node"), None)
    assert hall.bmc.told == []


@pytest.mark.parametrize("is_same_try", [True, False], ids=["in this try", "in the one before"])
async def test_a_machine_that_was_told_something_is_not_called_untouched(
    hall: Hall, is_same_try: bool
) -> None:
    hall.bmc.refuses = "HTTP 503: it restarts"
    assert isinstance(await enter(hall, rescue), Wait)
    assert await stages(hall) == [("prepared", AWAITED)]
    hall.bmc.is_away = True
    step = hall.step(node="node", attempt=1 if is_same_try else 2)
    assert isinstance(await rescue.do(step, rescue.Params()), Wait)
    assert (await stages(hall))[-1] == ("prepared", AWAITED)
    hall.bmc.is_away, hall.bmc.refuses = False, ""
    booted = await rescue.do(step, rescue.Params())
    assert isinstance(booted, Wait)
    assert booted.says == BOOTS
    assert (await stages(hall))[-1] == ("prepared", BOOTS)


@pytest.mark.parametrize("reverts", ["everything", "the installer alone"])
async def test_a_machine_whose_bmc_refuses_the_rescue_runs_again(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, reverts: str
) -> None:
    """It was switched off for it."""
    hall.bmc.reverts = True
    if reverts == "the installer alone":
        told = hall.bmc.set_once

        async def set_once(device: Any) -> None:
            hall.bmc.reverts = device == "pxe"
            await told(device)

        monkeypatch.setattr(hall.bmc, "set_once", set_once)
    with pytest.raises(Refused, match="it was reverted"):
        await enter(hall, rescue)
    assert hall.bmc.told[-1] == "power on"
    assert ("boot disk" in hall.bmc.told) is (reverts == "the installer alone")


async def test_a_machine_whose_boot_image_sticks_runs_again(
    database: Database, vault: Vault
) -> None:
    """It was switched off for it, and the drive gives the image back to nobody."""
    hall = await open_hall(database, vault, boot_method="virtual-media")
    hall.bmc.sticks = True
    with pytest.raises(NotReached, match=r"still holding boot\.iso"):
        await enter(hall, rescue)
    assert hall.bmc.told == ["power off", "power off", "power on"]


async def test_a_machine_whose_boot_device_does_not_follow_runs_again(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = hall.bmc.set_once

    async def set_once(device: BootDevice) -> None:
        if device is BootDevice.PXE:
            raise NotReached("bmc", wanted="pxe", seen="disk", deadline_s=1)
        await told(device)

    monkeypatch.setattr(hall.bmc, "set_once", set_once)
    with pytest.raises(NotReached, match="asked for pxe"):
        await enter(hall, rescue)
    assert hall.bmc.told[-2:] == ["boot disk", "power on"]


async def test_a_bmc_that_answers_and_does_not_obey_is_not_waited_for(hall: Hall) -> None:
    hall.bmc.on_after_s = 60
    with pytest.raises(NotReached):
        await enter(hall, rescue)


@pytest.mark.parametrize("node", [rescue, reinstall_os], ids=["rescue", "reinstall"])
async def test_a_machine_is_booted_by_http_once_and_from_its_disk_afterwards(
    database: Database, vault: Vault, node: ModuleType
) -> None:
    """A worker that died in between is followed by one that says the same again."""
    hall = await open_hall(database, vault, boot_method="http")
    for _ in range(2):
        booted = await enter(hall, node)
        assert isinstance(booted, Wait)
        off, told, on = hall.bmc.told
        assert (off, on) == ("power off", "power on")
        device, mode, where = told.removeprefix("boot ").split()
        assert (device, mode) == ("uefi_http", "uefi")
        assert re.fullmatch(r"http://slipway\.test/netboot/[\w-]{20,}/ipxe\.efi", where)
        assert hall.bmc.told == ["power off", told, "power on"]
        hall.bmc.told.clear()
    async with database.transaction() as tx:
        await tx.execute("UPDATE installation SET state = 'booted'")
    assert isinstance(await enter(hall, node, **booted.memo), Wait)
    assert hall.bmc.told == ["boot disk"]


@pytest.mark.parametrize("node", [rescue, reinstall_os], ids=["rescue", "reinstall"])
async def test_without_a_boot_file_no_machine_is_touched_and_a_person_is_asked(
    database: Database, vault: Vault, node: ModuleType
) -> None:
    hall = await open_hall(database, vault, boot_method="http")
    step = hall.step(node="node")
    tools = replace(step.tools, site=msgspec.structs.replace(SITE, has_boot_file=False))
    with pytest.raises(StepFailed, match="set SLIPWAY_IPXE_EFI_PATH, or have") as caught:
        await node.do(msgspec.structs.replace(step, tools=tools), node.Params())
    assert caught.value.stops is not None
    assert not caught.value.transient
    assert await stages(hall) == [("prepared", UNTOUCHED)]
    await node.undo(step, None)
    assert hall.bmc.told == [], "nor as it is cancelled"


async def test_a_boot_image_is_taken_away_while_the_machine_is_off(
    database: Database, vault: Vault
) -> None:
    """In whichever way it ends: a drive that is in use may not give it back."""
    hall = await open_hall(database, vault, boot_method="virtual-media")
    booted = await enter(hall, rescue)
    assert isinstance(booted, Wait)
    off, inserted, *rest = hall.bmc.told
    assert off == "power off"
    assert inserted.startswith("insert http://slipway.test/netboot/")
    assert rest == ["boot cd", "power on"]
    hall.bmc.told.clear()
    await enter(hall, unrescue)
    assert hall.bmc.told == ["power off", "eject", "boot disk", "power on"]
    hall.bmc.told.clear()
    await switch_off(hall.step(), hall.server)
    assert hall.bmc.told == ["power off", "eject"]
