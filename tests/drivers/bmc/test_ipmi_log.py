"""A BMC's event log by IPMI, against OpenIPMI's simulator; ipmitool writes it and tells it too."""

import struct
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pyghmi.exceptions import IpmiException

from app.drivers.bmc.contract import Health
from app.drivers.bmc.ipmi.event_log import (
    BEING_ERASED,
    GET_SEL_ENTRY,
    GET_SEL_INFO,
    LOOK_S,
    MOST_ENTRIES,
    event_log,
)
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
ENTRY_BYTES = 16
"""Some BMCs number an entry by where it lies."""

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
    for _ in range(ENTRY_BYTES):
        log.add(WARM)
    log.clock(BEFORE_CLOCK_S)
    log.add(ECC)
    log.clock(NOON_S + AN_HOUR_S)
    log.add(ECC)
    log.clock(NOON_S)
    log.add(NOT_REDUNDANT)
    log.write()
    numbers = [int(line.split("|")[0], 16) for line in sim.says("sel", "list").splitlines()]
    sim.says("sel", "delete", *(str(number) for number in numbers[1 : ENTRY_BYTES + 1]))
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


class Slow:
    """A BMC that takes a second for each answer; of its many entries none can be dated."""

    def __init__(self, code: int = 0) -> None:
        self.now_s = 0.0
        self.entries = 0
        self._code = code

    def raw_command(self, *, command: int, data: tuple[int, ...], **_: Any) -> dict[str, Any]:
        self.now_s += 1
        if command == GET_SEL_INFO:
            return {"code": self._code, "data": struct.pack("<BH11x", 0x51, MOST_ENTRIES)}
        if command != GET_SEL_ENTRY:
            return {"code": 0, "data": struct.pack("<I", NOON_S)}
        self.entries += 1
        number = 1_000 - self.entries
        return {"code": 0, "data": struct.pack("<HHBI9x", 0xFFFF, number, 2, 0xFFFF_FFFF)}


async def test_one_that_is_slow_is_asked_for_as_much_as_there_is_time_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = Slow()
    clock = SimpleNamespace(monotonic=lambda: slow.now_s)
    monkeypatch.setattr("app.drivers.bmc.ipmi.event_log.time", clock)
    assert event_log(slow, AN_HOUR_S) == []
    assert slow.entries == LOOK_S


async def test_one_that_is_not_for_us_is_let_be_and_one_being_erased_is_read_later() -> None:
    assert event_log(Slow(0xD4), AN_HOUR_S) is None
    with pytest.raises(IpmiException, match="is being erased"):
        event_log(Slow(BEING_ERASED), AN_HOUR_S)
