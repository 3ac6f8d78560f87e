"""The gate before a delivery: fit servers pass, others are switched off with what is wrong."""

import msgspec
import pytest

from app.core.clock import SetClock
from app.core.secrets import Vault
from app.domain.inventory.fitness import Seen, SeenDisk
from app.domain.inventory.quarantine import quarantine
from app.drivers.bmc.contract import Drive
from app.drivers.errors import Unauthorised, Unreachable
from app.flows import answering
from app.flows.node import Done, StepFailed, Wait
from app.flows.nodes import health_gate
from app.jobs.recheck_servers import recheck_due
from tests.services.hall import Hall, finish_installation

NVME = SeenDisk(name="nvme0n1", kind="nvme", capacity_gb=960, smart="PASSED", serial="S1")
FIT = Seen(
    memory_mib=65_536, sockets=1, cores=8, cpu_model="Intel(R) Xeon(R) E-2388G CPU @ 3.20GHz",
    disks=(NVME, msgspec.structs.replace(NVME, name="nvme1n1", smart="", serial="")),
)  # fmt: skip


@pytest.fixture
async def installed(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> Hall:
    """A server of 64 GB, eight cores and two disks, whose system answers."""

    async def banner(*_: object, **__: object) -> str:
        return "SSH-2.0-OpenSSH"

    monkeypatch.setattr(answering, "ssh_banner", banner)
    made = await hall.installation()
    async with hall.database.transaction() as tx:
        await finish_installation(tx, made.id)
        await tx.execute(
            "UPDATE cpu_model SET name = 'Intel Xeon E-2388G', cores = 8, threads = 16 "
            "WHERE id = (SELECT cpu_model FROM server WHERE id = $1)",
            hall.server,
        )
        await tx.execute(
            "UPDATE server SET ram_gb = 64, cpu_count = 1, raid_controller = false WHERE id = $1",
            hall.server,
        )
        await tx.execute("DELETE FROM disk WHERE server = $1", hall.server)
        await tx.execute(
            "INSERT INTO disk (id, server, kind, capacity_gb, quantity) "
            "VALUES (gen_random_uuid(), $1, 'nvme', 960, 2)",
            hall.server,
        )
    await see(hall, FIT)
    return hall


async def see(hall: Hall, seen: Seen) -> None:
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE installation SET seen = $1", msgspec.json.encode(seen).decode())


async def enter(
    hall: Hall, *, memo: dict[str, object] | None = None, **params: bool
) -> Done | Wait:
    step = hall.step(node="health", **(memo or {}))
    return await health_gate.do(step, health_gate.Params(server=hall.server, **params))


async def refusal(hall: Hall, **params: bool) -> str:
    hall.bmc.told.clear()
    with pytest.raises(StepFailed) as failed:
        await enter(hall, **params)
    assert not failed.value.transient, "the machine is off: looking again is of no use"
    assert hall.bmc.told == ["power off"]
    return failed.value.message


async def test_a_fit_server_passes_with_what_was_looked_at(installed: Hall) -> None:
    done = await enter(installed)
    assert isinstance(done, Done)
    assert done.output.checked == (
        "SSH", "memory", "processors", "disks", "SMART", "BMC: sensors",
    )  # fmt: skip
    assert installed.bmc.told == [], "it only looks"


@pytest.mark.usefixtures("installed")
async def test_what_is_missing_or_failing_is_told_at_once(hall: Hall) -> None:
    failing = msgspec.structs.replace(NVME, smart="FAILED!")
    await see(
        hall,
        msgspec.structs.replace(
            FIT, memory_mib=57_344, cores=6, cpu_model="Intel Xeon E-2386G", disks=(failing,)
        ),
    )
    hall.bmc.critical = ("CPU 1 reads 104 °C",)
    assert await refusal(hall) == (
        "it is not fit to be delivered: it has 56 GB of memory instead of 64 GB; "
        "it has 6 cores instead of 8; "
        "its processor is Intel Xeon E-2386G instead of Intel Xeon E-2388G; "
        "it has 1 nvme of 960 GB instead of 2; disk nvme0n1 (S1) says: FAILED!; "
        "CPU 1 reads 104 °C"
    )
    assert "CPU 1" not in await refusal(hall, asks_bmc=False)
    assert await refusal(hall, asks_hardware=False) == (
        "it is not fit to be delivered: CPU 1 reads 104 °C"
    )
    assert isinstance(await enter(hall, asks_bmc=False, asks_hardware=False), Done)


@pytest.mark.usefixtures("installed")
async def test_what_the_system_did_not_tell_the_bmc_is_asked(hall: Hall) -> None:
    await see(hall, Seen())
    assert isinstance(await enter(hall), Done), "nobody tells of it"
    drive = Drive(kind="nvme", capacity_gb=960, serial="S1")
    hall.bmc.hardware = msgspec.structs.replace(
        hall.bmc.hardware, memory_gib=32, cpu_count=1, drives=(drive,)
    )
    assert await refusal(hall) == (
        "it is not fit to be delivered: it has 32 GB of memory instead of 64 GB; "
        "it has 1 nvme of 960 GB instead of 2"
    )
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE server SET raid_controller = true WHERE id = $1", hall.server)
    await see(hall, msgspec.structs.replace(FIT, disks=(NVME,)))
    assert "1 nvme of 960 GB instead of 2" in await refusal(hall), "behind its controller"
    hall.bmc.hardware = msgspec.structs.replace(hall.bmc.hardware, drives=None)
    assert isinstance(await enter(hall), Done), "one volume of two disks"


@pytest.mark.usefixtures("installed")
async def test_a_bmc_that_is_away_is_waited_for_and_one_that_rejects_us_is_not(
    hall: Hall, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.bmc.is_away = True
    wait = await enter(hall)
    assert isinstance(wait, Wait)
    assert wait.says == "waiting for the BMC"
    clock.advance(minutes=5, seconds=1)
    with pytest.raises(StepFailed, match="its BMC does not answer: no answer"):
        await enter(hall, memo=wait.memo)
    hall.bmc.is_away = False
    assert isinstance(await enter(hall, memo=wait.memo), Done)

    async def reject(*_: object, **__: object) -> None:
        raise Unauthorised("bmc", "wrong password")

    monkeypatch.setattr(hall.bmc, "health", reject)
    assert await refusal(hall) == "wrong password"


@pytest.mark.usefixtures("installed")
async def test_a_machine_that_does_not_answer_is_not_delivered(
    hall: Hall, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object, **__: object) -> str:
        raise Unreachable("ssh", "refused")

    monkeypatch.setattr(answering, "ssh_banner", nothing)
    wait = await enter(hall)
    assert isinstance(wait, Wait)
    clock.advance(minutes=5, seconds=1)
    with pytest.raises(StepFailed, match="its system was installed, but does not answer"):
        await enter(hall, memo=wait.memo)
    assert hall.bmc.told == ["power off"]


async def test_neither_an_empty_server_nor_anothers_is_touched(hall: Hall) -> None:
    assert "no system was installed" in await refusal(hall)
    await hall.take_the_server_away()
    hall.bmc.told.clear()
    with pytest.raises(StepFailed, match="taken away"):
        await enter(hall)
    assert hall.bmc.told == []


async def test_a_server_that_is_critical_stays_in_quarantine(
    hall: Hall, vault: Vault, clock: SetClock
) -> None:
    async with hall.database.transaction() as tx:
        await quarantine(tx, hall.server, "CPU 1 reads 104 °C")
    hall.bmc.critical = ("CPU 1 reads 104 °C",)
    for minutes, state in ((15, "quarantined"), (30, "available")):
        clock.advance(minutes=minutes)
        await recheck_due(hall.database, vault, hall.bmc)
        async with hall.database.snapshot() as tx:
            assert state == await tx.fetchval("SELECT state FROM server WHERE id = $1", hall.server)
        hall.bmc.critical = ()
