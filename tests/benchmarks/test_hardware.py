"""What the hardware took of a delivery: overlaps count once, and waiting for HTTP does not."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.hardware import Busy, Gap, busy_s, gaps, union, waited_s

DELIVERY = [
    Busy("power-on", 101.0, 102.0),
    Busy("post", 101.5, 104.0),  # the BMC still calls it powering on
    Busy("boot", 104.0, 105.0, waited_s=0.2),
    Busy("install", 105.5, 109.0, waited_s=0.5),
]


def test_union_joins_what_overlaps_or_touches_and_drops_what_is_empty() -> None:
    assert union([(5, 6), (1, 3), (2, 4), (4, 4.5), (7, 7), (9, 8)]) == [(1, 4.5), (5, 6)]


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda ends: (min(ends), max(ends)))
    )
)
def test_union_covers_exactly_the_same_seconds(intervals: list[tuple[int, int]]) -> None:
    seconds = {second for began, ended in intervals for second in range(began, ended)}
    joined = union(intervals)
    assert {
        second for began, ended in joined for second in range(int(began), int(ended))
    } == seconds
    assert sum(ended - began for began, ended in joined) == len(seconds)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(joined))


def test_hardware_is_the_union_less_what_waited_for_answers() -> None:
    # 101 to 105 and 105.5 to 109, less 0.7 s of waiting.
    assert busy_s(DELIVERY, 100.0, 110.0) == pytest.approx(7.5 - 0.7)


def test_only_what_lies_in_the_window_counts() -> None:
    assert busy_s(DELIVERY, 101.75, 103.0) == pytest.approx(1.25)
    assert busy_s(DELIVERY, 110.0, 120.0) == 0
    # Of the install's last tenth at most that tenth can have been waiting.
    assert waited_s(DELIVERY, 108.9, 110.0) == pytest.approx(0.1)
    assert busy_s(DELIVERY, 108.9, 110.0) == pytest.approx(0)


def test_what_has_not_ended_lasts_to_the_end_of_the_window() -> None:
    assert busy_s([Busy("boot", 5.0)], 0.0, 8.0) == 3.0


def test_gaps_name_what_was_before_and_after() -> None:
    assert gaps(DELIVERY, 100.0, 110.0) == [
        Gap("paid", "power-on", 1.0),
        Gap("boot", "install", 0.5),
        Gap("install", "mailed", 1.0),
    ]
    assert gaps([], 100.0, 110.0) == [Gap("paid", "mailed", 10.0)]


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 60)).map(
            lambda ends: Busy("x", float(min(ends)), float(max(ends)))
        )
    )
)
def test_gaps_and_hardware_make_up_the_whole(events: list[Busy]) -> None:
    idle_s = sum(gap.length_s for gap in gaps(events, 10.0, 50.0))
    assert idle_s + busy_s(events, 10.0, 50.0) == pytest.approx(40.0)
