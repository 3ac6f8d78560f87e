"""What flowed between two readings of counters that begin anew with every start. Pure."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from app.domain.usage.counters import MOST, counted, sample_since
from app.drivers.game.contract import GamePower, GameUsage
from tests.conftest import START

RUNS = GameUsage(
    power=GamePower.RUNNING, cpu_percent=50.0, memory_bytes=2_000, disk_bytes=3_000,
    net_in_bytes=10_000, net_out_bytes=40_000, uptime_s=1_000.0,
)  # fmt: skip
LATER_S = 300
STOPPED = replace(RUNS, power=GamePower.STOPPED, net_in_bytes=0, net_out_bytes=0, uptime_s=0.0)
RISEN = replace(RUNS, net_in_bytes=13_000, net_out_bytes=46_000, uptime_s=1_300.0)
MUCH = replace(RISEN, uptime_s=100.0)


@pytest.mark.parametrize(
    ("before", "now", "flowed"),
    [
        (RUNS, RISEN, (3_000, 6_000)),
        (RUNS, replace(RISEN, uptime_s=1_280.0), (3_000, 6_000)),  # the panel's answer is old
        (RUNS, replace(RUNS, uptime_s=1_300.0), (0, 0)),
        (RUNS, replace(RISEN, net_in_bytes=9_000, uptime_s=0.0), (9_000, 46_000)),
        (RUNS, MUCH, (13_000, 46_000)),  # started anew, and more than before by now
        (RUNS, STOPPED, (0, 0)),
        (STOPPED, MUCH, (13_000, 46_000)),
        (replace(RUNS, uptime_s=0.0), replace(RISEN, uptime_s=0.0), (3_000, 6_000)),
    ],
)
def test_counters_that_begin_anew_count_from_nothing(
    before: GameUsage, now: GameUsage, flowed: tuple[int, int]
) -> None:
    at = START + timedelta(seconds=LATER_S)
    found = sample_since(counted(before, START), now, at, cpu_percent=200)
    assert found is not None
    assert (found.at_s, found.period_s) == (int(START.timestamp()), LATER_S)
    assert (found.net_in_bytes_s * LATER_S, found.net_out_bytes_s * LATER_S) == pytest.approx(
        flowed
    )
    assert (found.cpu, found.memory_bytes, found.disk_used_bytes) == (0.25, 2_000, 3_000)


def test_the_first_reading_and_one_after_a_long_silence_say_nothing_of_before() -> None:
    assert sample_since(None, RUNS, START, cpu_percent=0) is None
    before = counted(RUNS, START)
    assert sample_since(before, RISEN, START, cpu_percent=0) is None
    assert sample_since(before, RISEN, START + 2 * MOST, cpu_percent=0) is None
    found = sample_since(before, RISEN, START + MOST, cpu_percent=0)
    assert found is not None
    assert found.cpu == 0.5, "without a limit, of one thread"
