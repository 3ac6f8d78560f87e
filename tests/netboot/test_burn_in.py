"""A server is burned in: what its live system says, and what becomes of the server."""

import asyncio
import contextvars
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.domain.inventory.burn_in import BurnIn, begin_burn_in, burn_ins_of
from app.domain.inventory.quarantine import quarantine
from app.domain.services.report_burn_in import report_heat
from app.domain.services.report_install import find_open, report_progress
from app.flows.node import Done, Step, StepFailed, Wait
from app.flows.nodes import burn_in
from app.flows.nodes.quarantine_server import Params as Aside
from app.flows.nodes.quarantine_server import do as put_aside
from app.flows.stop_burn_in import stop
from tests.locks import until_someone_waits
from tests.netboot.test_erasure import base_in, script_of, state_of
from tests.services.hall import SITE, Hall

STAFF: dict[str, Any] = {"actor": None, "actor_label": "staff@slipway.test"}
METRICS = "stress-ng: metrc: [812] {}  36000  60.00  1  0  600  600\n"
PARTS: dict[str, dict[str, str]] = {
    "cpu": {"tool": "stress-ng --cpu", "status": "0", "words": METRICS.format("cpu")},
    "memory": {"tool": "stress-ng --vm", "status": "0", "words": METRICS.format("vm")},
    "nvme0n1": {"status": "124", "words": "4 bytes (960 GB) copied, 60 s, 3.0 GB/s"},
    "nvme1n1": {"status": "0", "words": "4 bytes (960 GB) copied, 60 s, 3.0 GB/s"},
    "network": {},
    "kernel": {},
}


@pytest.fixture
async def spare(hall: Hall) -> Hall:
    """A server that nobody has, with two disks, is to be burned in for an hour."""
    async with hall.database.transaction() as tx:
        row = await tx.fetchrow("SELECT id, mac FROM server WHERE state = 'available'")
        assert row is not None
        await tx.execute("DELETE FROM disk WHERE server = $1", row["id"])
        await tx.execute(
            "INSERT INTO disk (id, server, kind, capacity_gb, quantity) "
            "VALUES (gen_random_uuid(), $1, 'nvme', 960, 2)",
            row["id"],
        )
        await begin_burn_in(tx, row["id"], minutes=60, reason="new", **STAFF)
    return replace(hall, server=row["id"], mac=str(row["mac"]))


async def burn_in_of(hall: Hall) -> BurnIn:
    async with hall.database.snapshot() as tx:
        return (await burn_ins_of(tx, hall.server))[0]


async def step_of(hall: Hall, *, attempt: int = 1, **memo: object) -> Step:
    """The step of a run that is about nobody."""
    burning = await burn_in_of(hall)
    step = hall.step(node="burn", attempt=attempt, **memo)
    return msgspec.structs.replace(step, about=None, input={"burn_in": str(burning.id)})


async def enter(hall: Hall, *, attempt: int = 1, **memo: object) -> Done | Wait:
    step = await step_of(hall, attempt=attempt, **memo)
    return await burn_in.do(step, burn_in.Params(burn_in=(await burn_in_of(hall)).id))


async def under_load(machine: httpx.AsyncClient, hall: Hall) -> tuple[str, dict[str, Any]]:
    """Boot the machine; return where it reports, and what the step remembers."""
    wait = await enter(hall)
    assert isinstance(wait, Wait)
    base = base_in(await script_of(machine, hall.mac))
    said = {"stage": "under load", "percent": "20", "millicelsius": "61500"}
    assert (await machine.post(f"{base}/progress", data=said)).status_code == 204
    return base, wait.memo


async def tell(machine: httpx.AsyncClient, base: str, **more: dict[str, str]) -> None:
    for part, said in (PARTS | more).items():
        answer = await machine.post(f"{base}/burn-in", data={"part": part} | said)
        assert answer.status_code == 204
    assert (await machine.post(f"{base}/done", data={"percent": "100"})).status_code == 204


async def aside(hall: Hall, reason: str) -> None:
    """Go on by the error port, as the shipped flow does."""
    step = await step_of(hall)
    async with hall.database.transaction() as tx:
        await put_aside(tx, step, Aside(server=hall.server))
        row = await tx.fetchrow("SELECT state, recheck_at FROM server WHERE id = $1", hall.server)
    assert (row["state"], row["recheck_at"]) == ("quarantined", None), reason


async def test_a_server_that_bore_it_is_for_sale(machine: httpx.AsyncClient, spare: Hall) -> None:
    hall = spare
    base, memo = await under_load(machine, hall)
    assert hall.bmc.told == ["power off", "boot pxe", "power on"]
    script = (await machine.get(f"{base}/burn-in.sh")).text
    assert script.startswith("#!/bin/bash")
    assert "seconds=3600" in script
    said = {"stage": "under load", "percent": "20", "millicelsius": "73000"}
    await machine.post(f"{base}/progress", data=said)
    await machine.post(f"{base}/progress", data=said | {"millicelsius": "70000"})
    burning = await burn_in_of(hall)
    assert (burning.celsius, burning.hottest_celsius, burning.stage) == (70, 73, "under load")
    assert burning.loaded_at == hall.database.clock.now()
    assert isinstance(await enter(hall, **memo), Wait)
    assert await state_of(hall.database, hall.server) == ("inspecting", False)
    await tell(machine, base)
    done = await enter(hall, **memo)
    assert isinstance(done, Done)
    assert (done.port, done.output.parts, done.output.hottest_celsius) == ("out", 6, 73)
    assert hall.bmc.told[-1] == "power off"
    assert await state_of(hall.database, hall.server) == ("available", False)
    kept = await burn_in_of(hall)
    assert (kept.state, kept.error) == ("passed", "")
    assert [part.part for part in kept.parts] == list(PARTS)
    again = await enter(hall, **memo)
    assert again == done, "after a crash, the same again"
    assert (await machine.get(f"{base}/burn-in.sh")).status_code == 404
    assert hall.bmc.told.count("power off") == 2, "it may be another's by then"


@pytest.mark.parametrize("word", ["burn-in", "done"])
async def test_it_tells_how_hot_it_is_while_it_tells_of_its_parts(
    machine: httpx.AsyncClient, spare: Hall, word: str
) -> None:
    """Each waited for what the other had locked, and PostgreSQL ended one of them."""
    base, _ = await under_load(machine, spare)
    said = {"part": "cpu"} | PARTS["cpu"]
    async with spare.database.transaction() as tx:
        installation = await find_open(tx, spare.vault, token=base.rsplit("/", 1)[-1])
        await report_progress(tx, installation, stage="under load", percent=20)
        telling = asyncio.create_task(
            machine.post(f"{base}/{word}", data=said), context=contextvars.Context()
        )
        await until_someone_waits(spare.database)
        await report_heat(tx, installation, {"millicelsius": "73000"})
    assert (await telling).status_code == 204
    assert (await burn_in_of(spare)).hottest_celsius == 73


async def test_a_bmc_that_is_away_as_it_begins_or_ends_costs_no_server_and_no_test(
    machine: httpx.AsyncClient, spare: Hall, clock: SetClock
) -> None:
    """From quarantine it would come back by a person only, and what was tested is not told twice."""
    hall = spare
    hall.bmc.is_away = True
    waits = await enter(hall)
    assert isinstance(waits, Wait)
    clock.advance(minutes=30)
    waits = await enter(hall, **waits.memo)
    assert isinstance(waits, Wait)
    assert waits.until == clock.now() + timedelta(minutes=3), "it is asked less and less often"
    hall.bmc.is_away = False
    base, memo = await under_load(machine, hall)
    await tell(machine, base)
    hall.bmc.is_away = True
    waits = await enter(hall, **memo)
    assert isinstance(waits, Wait)
    hall.bmc.is_away = False
    done = await enter(hall, **waits.memo)
    assert isinstance(done, Done)
    assert (done.port, hall.bmc.told.count("power on")) == ("out", 1)
    assert await state_of(hall.database, hall.server) == ("available", False)


async def test_a_part_that_failed_puts_it_aside_with_the_tools_words(
    machine: httpx.AsyncClient, spare: Hall
) -> None:
    hall = spare
    base, memo = await under_load(machine, hall)
    words = "stress-ng: fail: [9] vm: detected 3 bit errors\n" + METRICS.format("vm")
    await tell(machine, base, memory={"tool": "stress-ng --vm", "status": "2", "words": words})
    with pytest.raises(StepFailed, match="Memory: stress-ng --vm ended with status 2") as failed:
        await enter(hall, **memo)
    assert not failed.value.transient, "what failed once is not tried until it passes"
    assert hall.bmc.told[-1] == "power off"
    await aside(hall, failed.value.message)
    assert (await burn_in_of(hall)).state == "failed"
    with pytest.raises(StepFailed):
        await enter(hall, **memo)


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("nvme1n1", "1 disks were read; 2 are written down"),
        ("cpu", "nothing was told of its processors"),
    ],
)
async def test_what_was_not_heard_of_has_not_passed(
    machine: httpx.AsyncClient, spare: Hall, missing: str, says: str
) -> None:
    base, memo = await under_load(machine, spare)
    for part, said in PARTS.items():
        if part != missing:
            await machine.post(f"{base}/burn-in", data={"part": part} | said)
    await machine.post(f"{base}/done")
    with pytest.raises(StepFailed, match=says):
        await enter(spare, **memo)


async def test_what_was_sold_and_is_not_there_is_told(
    machine: httpx.AsyncClient, spare: Hall
) -> None:
    base, memo = await under_load(machine, spare)
    await machine.post(f"{base}/hardware", data={"memory_kib": "8000000"})
    await tell(machine, base)
    with pytest.raises(StepFailed, match="it has 8 GB of memory instead of"):
        await enter(spare, **memo)


async def test_silence_under_load_puts_it_aside_and_is_not_tried_again(
    machine: httpx.AsyncClient, spare: Hall, clock: SetClock
) -> None:
    hall = spare
    _, memo = await under_load(machine, hall)
    clock.advance(minutes=59)
    assert isinstance(await enter(hall, **memo), Wait)
    clock.advance(minutes=1)
    with pytest.raises(StepFailed, match="under load: no word from the machine") as failed:
        await enter(hall, **memo)
    assert not failed.value.transient
    await aside(hall, failed.value.message)


async def test_a_machine_that_does_not_come_up_is_tried_again(
    machine: httpx.AsyncClient, spare: Hall, clock: SetClock
) -> None:
    hall = spare
    wait = await enter(hall)
    assert isinstance(wait, Wait)
    clock.advance(minutes=60)
    with pytest.raises(StepFailed, match="no word") as failed:
        await enter(hall, **wait.memo)
    assert failed.value.transient
    again = await enter(hall, attempt=2)
    assert isinstance(again, Wait)
    base = base_in(await script_of(machine, hall.mac))
    await tell(machine, base)
    assert isinstance(await enter(hall, attempt=2, **again.memo), Done)
    assert await state_of(hall.database, hall.server) == ("available", False)


async def test_a_person_stops_it(machine: httpx.AsyncClient, spare: Hall) -> None:
    hall = spare
    base, memo = await under_load(machine, hall)
    before = await hall.signals()
    async with hall.database.transaction() as tx:
        await stop(tx, hall.server, reason="needed now", **STAFF)
    assert await hall.signals() == before + 1, "its run is woken"
    assert (await machine.post(f"{base}/done")).status_code == 404
    assert await state_of(hall.database, hall.server) == ("inspecting", False), "it is on still"
    hall.bmc.is_away = True
    wait = await enter(hall, **memo)
    assert isinstance(wait, Wait)
    assert wait.says == "waiting for the BMC"
    hall.bmc.is_away = False
    done = await enter(hall, **wait.memo)
    assert isinstance(done, Done)
    assert (done.port, hall.bmc.told[-1]) == ("stopped", "power off")
    assert await state_of(hall.database, hall.server) == ("available", False)
    assert (await burn_in_of(hall)).error == "needed now"


async def test_a_run_that_is_cancelled_leaves_nothing_under_load(
    machine: httpx.AsyncClient, spare: Hall
) -> None:
    hall = spare
    base, _ = await under_load(machine, hall)
    for _ in range(2):
        await burn_in.undo(await step_of(hall), None)
    assert hall.bmc.told.count("power off") == 2
    assert await state_of(hall.database, hall.server) == ("available", False)
    assert (await burn_in_of(hall)).error == "its run was cancelled"
    assert (await machine.get(f"{base}/burn-in.sh")).status_code == 404


async def test_a_live_system_that_cannot_test_says_nothing_of_the_server(
    machine: httpx.AsyncClient, spare: Hall
) -> None:
    hall = spare
    base, memo = await under_load(machine, hall)
    lacks = {"part": "tools", "status": "127", "words": "the live system has no stress-ng"}
    await machine.post(f"{base}/burn-in", data=lacks)
    await machine.post(f"{base}/done")
    done = await enter(hall, **memo)
    assert isinstance(done, Done)
    assert done.port == "stopped"
    assert await state_of(hall.database, hall.server) == ("available", False)
    await told_staff(hall.database, "the live system has no stress-ng")


async def test_without_a_live_system_it_is_where_it_was(spare: Hall) -> None:
    hall = spare
    step = await step_of(hall)
    tools = replace(step.tools, site=msgspec.structs.replace(SITE, live=None))
    params = burn_in.Params(burn_in=(await burn_in_of(hall)).id)
    done = await burn_in.do(msgspec.structs.replace(step, tools=tools), params)
    assert isinstance(done, Done)
    assert (done.port, hall.bmc.told) == ("stopped", [])
    assert await state_of(hall.database, hall.server) == ("available", False)
    await told_staff(hall.database, "No live system is named")


async def test_without_a_boot_file_for_http_it_is_where_it_was(spare: Hall) -> None:
    hall = spare
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE bmc SET boot_method = 'http'")
    step = await step_of(hall)
    tools = replace(step.tools, site=msgspec.structs.replace(SITE, has_boot_file=False))
    params = burn_in.Params(burn_in=(await burn_in_of(hall)).id)
    done = await burn_in.do(msgspec.structs.replace(step, tools=tools), params)
    assert isinstance(done, Done)
    assert (done.port, hall.bmc.told) == ("stopped", ["power off"])
    assert await state_of(hall.database, hall.server) == ("available", False)
    await told_staff(hall.database, "set SLIPWAY_IPXE_EFI_PATH")
    async with hall.database.snapshot() as tx:
        left = await tx.fetchval(
            "SELECT state FROM installation WHERE burn_in = $1", params.burn_in
        )
    assert left == "abandoned"


async def told_staff(database: Database, words: str) -> None:
    async with database.snapshot() as tx:
        payload = await tx.fetchval("SELECT payload FROM outbox WHERE topic = 'admin.notice'")
    notice = msgspec.json.decode(payload)
    assert notice["kind"] == "server.not_burned_in"
    assert words in notice["text"]


async def test_what_no_live_system_of_ours_says_is_refused(
    machine: httpx.AsyncClient, hall: Hall, spare: Hall
) -> None:
    base, _ = await under_load(machine, spare)
    assert (await machine.post(f"{base}/burn-in", data={"part": "../x"})).status_code == 422
    assert (await machine.post(f"{base}/disk", data={"disk": "sda"})).status_code == 422
    await hall.installation()
    other = base_in(await script_of(machine, hall.mac))
    assert (await machine.post(f"{other}/burn-in", data={"part": "cpu"})).status_code == 422


async def test_a_late_run_puts_no_other_burn_in_aside(spare: Hall) -> None:
    hall = spare
    late = await step_of(hall)
    async with hall.database.transaction() as tx:
        await quarantine(tx, hall.server, "smells burnt")
        await begin_burn_in(tx, hall.server, reason="mended", **STAFF)
        await put_aside(tx, late, Aside(server=hall.server))
    assert await state_of(hall.database, hall.server) == ("inspecting", False)


async def test_a_stop_counts_while_a_machine_that_bore_it_is_switched_off(
    machine: httpx.AsyncClient, spare: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = spare
    base, memo = await under_load(machine, hall)
    await tell(machine, base)
    switch_off = burn_in.switch_off

    async def stopped_meanwhile(step: Step, server: Any) -> None:
        await switch_off(step, server)
        async with hall.database.transaction() as tx:
            await stop(tx, hall.server, reason="it is needed elsewhere", **STAFF)

    monkeypatch.setattr(burn_in, "switch_off", stopped_meanwhile)
    done = await enter(hall, **memo)
    assert isinstance(done, Done)
    assert (done.port, (await burn_in_of(hall)).state) == ("stopped", "stopped")


async def test_between_two_tries_a_stop_ends_it_at_once(
    machine: httpx.AsyncClient, spare: Hall
) -> None:
    hall = spare
    await enter(hall)
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE installation SET state = 'failed' WHERE server = $1", hall.server)
        await stop(tx, hall.server, reason="it is needed elsewhere", **STAFF)
    assert (await burn_in_of(hall)).state == "stopped"
    done = await enter(hall, attempt=2)
    assert isinstance(done, Done)
    assert done.port == "stopped"
