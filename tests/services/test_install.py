"""Installations: written down once, sealed; the machine is only touched while the order has it."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from app.core.clock import SetClock
from app.core.errors import NotFound
from app.domain.services.report_install import (
    find_open,
    find_open_for_mac,
    report_boot,
    report_failed,
    report_progress,
)
from app.drivers.errors import Unreachable
from app.flows import answering
from app.flows.booting import BMC_AGAIN
from app.flows.node import Done, StepFailed, Wait
from app.flows.nodes import install_os, quarantine_server
from tests.orders.world import a_client, an_order
from tests.services.hall import Hall

KEY = "run:/:install#1"
LOOK_AGAIN = timedelta(minutes=1)
"""When it is looked again what is usual, a sixtieth of the longest silence."""


def token_of(callback_base: str) -> str:
    return callback_base.rpartition("/")[2]


async def test_two_calls_at_once_write_one_installation_down(hall: Hall) -> None:
    made = await asyncio.gather(*(hall.installation() for _ in range(6)))
    assert len({one.id for one in made}) == 1
    assert len({one.spec.callback_base for one in made}) == 1


async def test_two_steps_at_once_leave_one_installation_open(hall: Hall) -> None:
    await asyncio.gather(*(hall.installation(f"run:/:install#{n}") for n in range(6)))
    async with hall.database.snapshot() as tx:
        states = await tx.fetch("SELECT state FROM installation ORDER BY state")
    assert [row["state"] for row in states] == ["abandoned"] * 5 + ["prepared"]


async def test_what_is_written_down_is_sealed(hall: Hall) -> None:
    prepared = await hall.installation()
    secrets = [token_of(prepared.spec.callback_base), prepared.spec.root_password_hash]
    async with hall.database.snapshot() as tx:
        row = await tx.fetchval(
            "SELECT convert_from(sealed_spec, 'LATIN1') || installation::text || credential::text "
            "FROM installation JOIN credential ON credential.service = installation.service"
        )
    assert all(secret and secret not in row for secret in secrets)


async def test_an_installation_that_was_replaced_is_not_found_any_more(hall: Hall) -> None:
    first = await hall.installation()
    second = await hall.installation("run:/:install#2")
    async with hall.database.snapshot() as tx:
        with pytest.raises(NotFound):
            await find_open(tx, hall.vault, token=token_of(first.spec.callback_base))
        found = await find_open_for_mac(tx, hall.vault, hall.mac)
    assert found.id == second.id


async def test_nothing_is_served_to_a_machine_that_the_order_lost(hall: Hall) -> None:
    """A repaired server that boots from the network must not install the old order's system."""
    prepared = await hall.installation()
    await hall.take_the_server_away()
    async with hall.database.snapshot() as tx:
        with pytest.raises(NotFound):
            await find_open_for_mac(tx, hall.vault, hall.mac)
        with pytest.raises(NotFound):
            await find_open(tx, hall.vault, token=token_of(prepared.spec.callback_base))


async def test_a_late_boot_report_does_not_turn_the_progress_back(hall: Hall) -> None:
    prepared = await hall.installation()
    token = token_of(prepared.spec.callback_base)
    async with hall.database.transaction() as tx:
        early = await find_open(tx, hall.vault, token=token)
        await report_progress(tx, early, stage="packages", percent=40)
        assert not await report_boot(tx, early), "read before the progress was written"
    assert await hall.state() == ("installing", "packages", 40, "")


async def test_what_a_machine_says_is_kept_whatever_it_is(hall: Hall) -> None:
    prepared = await hall.installation()
    async with hall.database.transaction() as tx:
        found = await find_open(tx, hall.vault, token=token_of(prepared.spec.callback_base))
        await report_progress(tx, found, stage="disk\x00" * 50, percent=7)
        await report_failed(tx, found, "no \x00 space \udcff" + "x" * 10_000)
    state, stage, _, error = await hall.state()
    assert (state, len(stage), len(error)) == ("failed", 80, 2_000)


# The step


async def enter(hall: Hall, **memo: object) -> Done | Wait:
    params = install_os.Params(hall.service, hall.server)
    return await install_os.do(hall.step(**memo), params)


async def reported(hall: Hall, state: str) -> None:
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE installation SET state = $1, updated_at = $2", state, tx.now())


async def test_a_machine_is_booted_once(hall: Hall) -> None:
    first = await enter(hall)
    assert isinstance(first, Wait)
    assert hall.bmc.told == ["power off", "boot pxe", "power on"]
    assert await enter(hall, **first.memo) == first
    assert len(hall.bmc.told) == 3


async def test_a_bmc_that_is_away_for_a_while_does_not_begin_the_installation_anew(
    hall: Hall, clock: SetClock
) -> None:
    first = await enter(hall)
    assert isinstance(first, Wait)
    await reported(hall, "installing")
    hall.bmc.is_away = True
    second = await enter(hall, **first.memo)
    assert isinstance(second, Wait)
    assert second.until == clock.now() + BMC_AGAIN
    hall.bmc.is_away = False
    third = await enter(hall, **second.memo)
    assert isinstance(third, Wait)
    assert third.until == clock.now() + LOOK_AGAIN
    assert hall.bmc.told[3:] == ["boot disk"]


async def test_a_silent_machine_is_switched_off_and_its_installation_ended(
    hall: Hall, clock: SetClock
) -> None:
    first = await enter(hall)
    assert isinstance(first, Wait)
    clock.advance(hours=1)
    with pytest.raises(StepFailed, match="no word from the machine") as failed:
        await enter(hall, **first.memo)
    assert failed.value.transient
    assert (await hall.state())[0] == "failed"
    assert hall.bmc.told[3:] == ["power off"]


async def test_hours_in_which_no_worker_lived_are_not_the_machines_silence(
    hall: Hall, clock: SetClock
) -> None:
    await hall.installation(KEY)  # written down by a worker that died before it booted anything
    clock.advance(hours=2)
    first = await enter(hall)
    assert isinstance(first, Wait)
    assert hall.bmc.told == ["power off", "boot pxe", "power on"]
    assert first.until == clock.now() + LOOK_AGAIN
    clock.advance(minutes=59)
    assert isinstance(await enter(hall, **first.memo), Wait)
    assert isinstance(await enter(hall, booted=True), Wait)  # as an earlier release wrote it


async def test_a_machine_that_does_not_answer_is_switched_off(
    hall: Hall, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not answer later, on an address that the next machine has by then."""

    async def nothing(*_: object, **__: object) -> str:
        raise Unreachable("ssh", "refused")

    monkeypatch.setattr(answering, "ssh_banner", nothing)
    first = await enter(hall)
    assert isinstance(first, Wait)
    await reported(hall, "installed")
    waiting = await enter(hall, **first.memo)
    assert isinstance(waiting, Wait)
    clock.advance(minutes=5, seconds=1)
    hall.bmc.is_away = True
    with pytest.raises(StepFailed, match="does not answer"):
        await enter(hall, **waiting.memo)
    hall.bmc.is_away = False
    with pytest.raises(StepFailed, match="does not answer"):
        await enter(hall, **waiting.memo)
    assert hall.bmc.told[3:] == ["power off"]


async def test_a_bmc_that_stays_away_after_the_installation_is_waited_for(
    hall: Hall, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def banner(*_: object, **__: object) -> str:
        return "SSH-2.0-OpenSSH"

    monkeypatch.setattr(answering, "ssh_banner", banner)
    await enter(hall)
    await reported(hall, "installed")
    hall.bmc.is_away = True
    waiting = await enter(hall)
    assert isinstance(waiting, Wait)
    assert waiting.says == "waiting for the BMC"
    hall.bmc.is_away = False
    clock.advance(seconds=15)
    assert isinstance(await enter(hall, **waiting.memo), Done)
    assert hall.bmc.told[3:] == ["boot disk"]


async def test_a_server_that_was_taken_away_is_not_touched_any_more(hall: Hall) -> None:
    """Not by the step, not by its retry, not by its undoing: it may be another client's."""
    first = await enter(hall)
    assert isinstance(first, Wait)
    await hall.take_the_server_away()
    before = list(hall.bmc.told)
    for attempt in (1, 2):
        with pytest.raises(StepFailed, match="taken away") as failed:
            await install_os.do(
                hall.step(attempt=attempt), install_os.Params(hall.service, hall.server)
            )
        assert not failed.value.transient
    assert (await hall.state())[0] == "abandoned"
    await install_os.undo(hall.step(), None)
    assert hall.bmc.told == before


async def test_a_server_of_another_order_is_not_put_aside(hall: Hall) -> None:
    await hall.take_the_server_away()
    async with hall.database.transaction() as tx:
        other = await an_order(tx, await a_client(tx, "other@example.org"))
        await tx.execute(
            "UPDATE server SET state = 'available', holder = NULL, hold_expires_at = NULL "
            "WHERE holder = $1",
            other.id,
        )
        await tx.execute(
            "UPDATE server SET state = 'active', state_reason = '', holder = $2 WHERE id = $1",
            hall.server,
            other.id,
        )
        done = await quarantine_server.do(
            tx, hall.step(node="aside"), quarantine_server.Params(hall.server)
        )
        state = await tx.fetchval("SELECT state FROM server WHERE id = $1", hall.server)
    assert state == "active"
    assert "no more" in msgspec.json.encode(done).decode()


async def test_undoing_ends_the_installation_and_switches_the_machine_off(hall: Hall) -> None:
    await enter(hall)
    await install_os.undo(hall.step(), None)
    assert (await hall.state())[0] == "abandoned"
    assert hall.bmc.told[3:] == ["power off"]
