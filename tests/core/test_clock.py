"""The server's clock, carried on by a monotonic one, whatever this machine's own clock does."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core import clock as clocks
from app.core.clock import ServerClock
from app.core.database import Database

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


class Machine:
    """A machine's two clocks; stands in for the module `time`."""

    def __init__(self) -> None:
        self.monotonic_s = 1_000.0

    def monotonic(self) -> float:
        return self.monotonic_s


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(clocks, "time", machine)
    return machine


def told(clock: ServerClock, at: datetime, *, asked_s: float, took_s: float) -> None:
    clock.heed(at, asked_s=asked_s, answered_s=asked_s + took_s)


def test_it_is_the_machine_s_own_until_the_server_was_asked() -> None:
    clock = ServerClock()
    assert clock.is_stale
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)


def test_it_goes_on_from_what_the_server_told(machine: Machine) -> None:
    clock = ServerClock()
    told(clock, NOON, asked_s=999.0, took_s=2.0)  # read in the middle, at 1,000
    machine.monotonic_s = 1_007.0
    assert clock.now() == NOON + timedelta(seconds=7)
    assert not clock.is_stale
    machine.monotonic_s = 1_011.5
    assert clock.is_stale


@pytest.mark.parametrize("drift_s", [-0.5, 0.5])
def test_a_difference_within_the_answer_s_time_is_no_news(machine: Machine, drift_s: float) -> None:
    clock = ServerClock()
    told(clock, NOON, asked_s=1_000.0, took_s=0.0)
    told(clock, NOON + timedelta(seconds=20 + drift_s), asked_s=1_019.4, took_s=1.2)
    machine.monotonic_s = 1_020.0
    assert clock.now() == NOON + timedelta(seconds=20)
    told(clock, NOON + timedelta(seconds=20 + drift_s), asked_s=1_020.0, took_s=0.01)
    assert abs(clock.now() - NOON - timedelta(seconds=20 + drift_s)) < timedelta(seconds=0.02)


async def test_a_database_s_clock_is_the_server_s(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database()
    await database.open(dsn)

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=2)

    monkeypatch.setattr(clocks, "datetime", Wrong)
    assert database.clock.now() > datetime.now(UTC) + timedelta(hours=1), "nothing to go by yet"
    async with database.transaction() as tx:
        server = await tx.fetchval("SELECT clock_timestamp()")
        assert abs(tx.now() - server) < timedelta(minutes=1)
    monkeypatch.setattr(ServerClock, "ASK_EVERY_S", 0.0)
    monkeypatch.setattr(Wrong, "now", lambda tz=None: datetime.now(tz) - timedelta(hours=2))
    async with database.snapshot() as tx:
        assert abs(tx.now() - await tx.fetchval("SELECT clock_timestamp()")) < timedelta(minutes=1)
    await database.close()
