"""Samples, percentiles and billing months, held against plain models. Pure."""

import math
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.usage.months import month_begin, months_between, number_of
from app.domain.usage.percentile import percentile
from app.domain.usage.samples import (
    EMPTY,
    NOTHING,
    RATES,
    SLOT_S,
    Slot,
    hours_of,
    join,
    merge,
    pack,
    slots_of,
    totals_of,
    unpack,
)
from app.drivers.hypervisor.contract import Usage

numbers = st.lists(st.integers(0, 10**12), min_size=1, max_size=400)
moments = st.integers(1_577_836_800, 2_051_222_400).map(
    lambda at_s: datetime.fromtimestamp(at_s, UTC)
)


def sample(at_s: int, rate: float = 100.0, *, period_s: int = 60) -> Usage:
    return Usage(
        at_s=at_s, period_s=period_s, cpu=0.5, memory_bytes=1_000, disk_read_bytes_s=rate,
        disk_write_bytes_s=rate, net_in_bytes_s=rate, net_out_bytes_s=2 * rate,
    )  # fmt: skip


@given(numbers, st.integers(1, 100))
def test_the_percentile_is_the_least_value_that_so_many_do_not_exceed(
    values: list[int], percent: int
) -> None:
    found = percentile(values, percent)
    assert found in values
    share = Fraction(percent, 100)
    assert Fraction(sum(value <= found for value in values), len(values)) >= share
    below = [value for value in values if value < found]
    assert Fraction(len(below), len(values)) < share
    assert percentile(sorted(values, reverse=True), percent) == found


@given(numbers, st.integers(0, 10**12))
def test_the_percentile_follows_its_values(values: list[int], more: int) -> None:
    found = percentile(values)
    assert percentile([value + more for value in values]) == found + more
    assert percentile([*values, max(values) + more]) >= found
    free = len(values) // 20  # so many are billed for nothing
    top = sorted(values)[len(values) - free :]
    kept = sorted(values)[: len(values) - free]
    assert percentile([*kept, *(10**15 for _ in top)]) == found


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_no_percentage_has_no_percentile(percent: int) -> None:
    assert percentile([]) is None
    with pytest.raises(ValueError, match="no percentage"):
        percentile([1], percent)


@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(1, 900), st.integers(0, 10**6)), min_size=1, max_size=60),
)
def test_nothing_is_lost_or_made_in_slots(begin: int, parts: Sequence[tuple[int, int]]) -> None:
    samples, at_s = [], begin
    for period_s, rate in parts:
        samples.append(sample(at_s, rate, period_s=period_s))
        at_s += period_s
    slots = slots_of(samples)
    assert sum(slot.seconds for slot in slots.values()) == at_s - begin
    assert all(at % SLOT_S == 0 and 0 < slot.seconds <= SLOT_S for at, slot in slots.items())
    flowed = sum(period_s * rate for period_s, rate in parts)
    whole = totals_of(list(slots.values()))
    assert math.isclose(whole.net_in_bytes, flowed, rel_tol=1e-9, abs_tol=1)
    assert math.isclose(whole.net_out_bytes, 2 * flowed, rel_tol=1e-9, abs_tol=1)
    assert slots_of([*samples, *samples]) == slots, "twice the same is the same"
    again = hours_of(slots)
    assert {at: merge(hour, hour) for at, hour in again.items()} == again
    assert sum(slot.seconds for hour in again.values() for slot in hour) == at_s - begin


@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(1, 900), st.integers(0, 10**6)), min_size=1, max_size=30),
)
def test_parts_that_follow_each_other_are_joined(
    begin: int, parts: Sequence[tuple[int, int]]
) -> None:
    """Kept one by one as they are read, they come to what they come to together."""
    kept: dict[datetime, tuple[Slot, ...]] = {}
    samples, at_s = [], begin
    for period_s, rate in parts:
        samples.append(sample(at_s, rate, period_s=period_s))
        at_s += period_s
        for at, hour in hours_of(slots_of(samples[-1:])).items():
            kept[at] = join(kept.get(at, EMPTY), hour)
    whole = hours_of(slots_of(samples))
    assert kept.keys() == whole.keys()
    for at, hour in whole.items():
        assert [slot.seconds for slot in kept[at]] == [slot.seconds for slot in hour]
        for one, other in zip(kept[at], hour, strict=True):
            assert math.isclose(one.net_in, other.net_in, rel_tol=1e-9, abs_tol=1e-6)


def test_what_covers_more_takes_the_place_of_less() -> None:
    little, much = Slot(seconds=60, cpu=0.1), Slot(seconds=240, cpu=0.9)
    kept = (little, much, NOTHING, little, *EMPTY[4:])
    read = (much, little, little, NOTHING, *EMPTY[4:])
    assert merge(kept, read)[:4] == (much, much, little, little)
    assert merge(merge(kept, read), read) == merge(kept, read)
    overlapping = slots_of([sample(0, period_s=300), sample(60, 200.0)])
    assert overlapping[0].seconds == SLOT_S


@given(st.lists(st.floats(0, 2.0**40, width=32), min_size=7, max_size=7), st.integers(0, 300))
def test_an_hour_is_stored_as_it_is(rates: list[float], seconds: int) -> None:
    hour = (Slot(seconds=seconds, **dict(zip(RATES, rates, strict=True))), *EMPTY[1:])
    stored = pack(hour)
    assert len(stored) == 360
    assert unpack(stored) == hour
    earlier = b"".join(struct.pack("<H6f", seconds, *rates[:6]) for _ in hour)
    assert unpack(earlier) == (msgspec.structs.replace(hour[0], disk_used=0.0),) * 12


@given(moments, st.integers(-30, 200), st.integers(0, 10**6))
def test_each_moment_is_in_one_billing_month(anchor: datetime, number: int, into_s: int) -> None:
    begin, end = month_begin(anchor, number), month_begin(anchor, number + 1)
    assert timedelta(days=28) <= end - begin <= timedelta(days=31)
    at = min(begin + timedelta(seconds=into_s), end - timedelta(microseconds=1))
    assert number_of(anchor, at) == number
    found = list(months_between(anchor, begin, end))
    assert [month.number for month in found] == ([number] if number >= 0 else [])


def test_a_month_that_is_too_short_moves_no_other() -> None:
    anchor = datetime(2026, 1, 31, 12, tzinfo=UTC)
    days = [(month_begin(anchor, n).month, month_begin(anchor, n).day) for n in range(4)]
    assert days == [(1, 31), (2, 28), (3, 31), (4, 30)]
