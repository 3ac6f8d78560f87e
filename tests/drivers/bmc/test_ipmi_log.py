"""A BMC's event log by IPMI, against OpenIPMI's simulator; ipmitool writes it and tells it too."""

import struct
from datetime import UTC, datetime

import pytest

from app.drivers.bmc.contract import Health
from app.drivers.bmc.ipmi.event_log import LONGEST_GAP, MOST_ENTRIES
from app.drivers.bmc.ipmi.fleet import IpmiBmc
from tests.drivers.bmc.ipmi_sim import Simulated
from tests.drivers.bmc.relay import Relay
from tests.drivers.bmc.test_ipmi import (
    address,
    bmc,
    far,
    flagged,
    fleet,
    kept_fleet,
    relay,
    sim,
    simulator,
)

__all__ = [
    "address", "bmc", "far", "flagged", "fleet", "kept_fleet", "relay", "sim", "simulator"
]  # fixtures  # fmt: skip

NOON_S = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())
BEFORE_CLOCK_S = 900
AN_HOUR_S = 3_600

# What an event is of: sensor type, sensor, event type, offset (IPMI 2.0, tables 42-1 to 42-3).
TOO_HOT = (0x01, 1, 0x01, 9)
WARM = (0x01, 1, 0x01, 7)
ECC = (0x0C, 9, 0x6F, 1)
NOT_REDUNDANT, REDUNDANT = (0x08, 5, 0x0B, 1), (0x08, 5, 0x0B, 0)
WRONG_PASSWORD = (0x06, 2, 0x6F, 5)
LAN_LOST = (0x05, 3, 0x6F, 4)
PXE_FAILED = (0x1E, 4, 0x6F, 2)
OVER = 0x80
"""In the event type: it has ceased."""


@pytest.fixture
def log(sim: Simulated) -> "Log":
    log = Log(sim)
    sim.says("sel", "clear")
    log.clock(NOON_S)
    return log


class Log:
    """Written as a machine writes its own: by Add SEL Entry, dated by the BMC."""

    def __init__(self, sim: Simulated) -> None:
        self._sim = sim
        self._script: list[str] = []

    def clock(self, now_s: int) -> None:
        self._raw(0x49, struct.pack("<I", now_s))

    def add(self, event: tuple[int, int, int, int], *, is_over: bool = False) -> None:
        sensor_type, sensor, event_type, offset = event
        kind = event_type | (OVER if is_over else 0)
        entry = (0, 0, 2, 0, 0, 0, 0, 0x20, 0, 4, sensor_type, sensor, kind, offset, 0xFF, 0xFF)
        self._raw(0x44, bytes(entry))

    def write(self) -> None:
        """Have it done, in one session of ipmitool."""
        path = self._sim.folder / "script"
        path.write_text("".join(f"{line}\n" for line in self._script))
        self._script.clear()
        self._sim.says("exec", str(path))

    def _raw(self, command: int, data: bytes) -> None:
        self._script.append(f"raw 0x0a {command:#x} {' '.join(f'{byte:#x}' for byte in data)}")


async def said(bmc: IpmiBmc, within_s: float = AN_HOUR_S) -> tuple[str, ...]:
    health = await bmc.health(within_s=within_s)
    assert health.told == ("sensors", "log")
    return tuple(words.removeprefix("its log says: ") for words in health.critical)


async def test_what_it_calls_critical_since_then_is_told_in_words(
    bmc: IpmiBmc, sim: Simulated, log: Log
) -> None:
    log.clock(NOON_S - 2 * AN_HOUR_S)
    log.add(ECC)
    log.clock(NOON_S - AN_HOUR_S // 2)
    for event in (WARM, TOO_HOT, TOO_HOT):
        log.add(event)
    log.clock(NOON_S)
    log.write()
    assert (await bmc.health(within_s=AN_HOUR_S)) == Health(
        critical=("its log says: CPU Temp: Upper critical",), told=("sensors", "log")
    )
    assert await said(bmc, 3 * AN_HOUR_S) == (
        "CPU Temp: Upper critical", "Memory: Uncorrectable error"
    )  # fmt: skip
    assert await said(bmc, 60) == ()
    listed = sim.says("sel", "elist").splitlines()
    assert len(listed) == 4
    assert "10:00:00" in listed[0]
    assert "Uncorrectable ECC" in listed[0]
    assert all("Upper Critical going high | Asserted" in line for line in listed[2:])


async def test_what_has_ceased_is_no_fault_until_it_comes_again(bmc: IpmiBmc, log: Log) -> None:
    log.add(TOO_HOT)
    log.add(ECC)
    log.add(TOO_HOT, is_over=True)
    log.write()
    assert await said(bmc) == ("Memory: Uncorrectable error",)
    log.add(TOO_HOT)
    log.write()
    assert await said(bmc) == ("CPU Temp: Upper critical", "Memory: Uncorrectable error")


async def test_a_sensor_with_one_state_is_well_again_by_entering_another(
    bmc: IpmiBmc, log: Log
) -> None:
    log.add(NOT_REDUNDANT)
    log.write()
    assert await said(bmc) == ("Power Supply: Not redundant",)
    log.add(REDUNDANT)
    log.write()
    assert await said(bmc) == ()
    log.add(REDUNDANT, is_over=True)
    log.write()
    assert await said(bmc) == ("Power Supply: Redundant lost",)


async def test_people_and_programs_are_no_fault_of_the_machine(
    bmc: IpmiBmc, sim: Simulated, log: Log
) -> None:
    for event in (WRONG_PASSWORD, LAN_LOST, PXE_FAILED):
        log.add(event)
    log.write()
    assert await said(bmc) == ()
    listed = sim.says("sel", "list")
    assert [words for words in ("password", "LAN", "PXE") if words not in listed] == [], listed


async def test_numbers_that_are_missing_and_times_before_the_clock_hide_nothing(
    bmc: IpmiBmc, sim: Simulated, log: Log
) -> None:
    log.add(TOO_HOT)
    for _ in range(LONGEST_GAP - 1):
        log.add(WARM)
    log.clock(BEFORE_CLOCK_S)
    log.add(ECC)
    log.clock(NOON_S + AN_HOUR_S)
    log.add(ECC)
    log.clock(NOON_S)
    log.add(NOT_REDUNDANT)
    log.write()
    numbers = [int(line.split("|")[0], 16) for line in sim.says("sel", "list").splitlines()]
    sim.says("sel", "delete", *(str(number) for number in numbers[1:LONGEST_GAP]))
    assert await said(bmc) == ("Power Supply: Not redundant", "CPU Temp: Upper critical")


async def test_it_is_read_no_further_back_than_is_asked_for_and_never_whole(
    far: IpmiBmc, relay: Relay, log: Log
) -> None:
    log.clock(NOON_S - 2 * AN_HOUR_S)
    log.add(ECC)
    log.add(TOO_HOT)
    for _ in range(MOST_ENTRIES - 1):
        log.add(WARM)
    log.clock(NOON_S)
    log.write()
    relay.slow_s = 0.0001
    await far.sensors()
    before = relay.answered
    assert await far._link.call("event_log", within_s=AN_HOUR_S) == []
    assert relay.answered - before == 3, "its size, its clock and the newest entry"
    before = relay.answered
    assert await said(far, 3 * AN_HOUR_S) == ("CPU Temp: Upper critical",)
    assert relay.answered - before < MOST_ENTRIES + 20


async def test_without_a_log_it_tells_of_none(
    flagged: IpmiBmc,
) -> None:
    assert await flagged.health(within_s=AN_HOUR_S) == Health(critical=(), told=())
