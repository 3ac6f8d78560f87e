"""logic.wait: the moment is settled once, and months do not move it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.node import Done, StepFailed
from app.flows.nodes.wait import node
from tests.flows.hand import NOW, again, do, enter, output, wait


def test_it_waits_for_a_time_and_goes_on() -> None:
    waited = wait(node, {"for": "90d"})
    assert waited.until == NOW + timedelta(days=90)
    assert waited.says == "waiting until 2027-02-23 12:00 UTC"
    done = do(node, {"for": "90d"}, again(waited, now=waited.until))
    assert output(done) == {"until": "2027-02-23T12:00:00Z"}


def test_woken_too_early_it_waits_for_the_same_moment() -> None:
    waited = wait(node, {"for": "90d"})
    early = again(waited, now=NOW + timedelta(days=40))
    assert wait(node, {"for": "90d"}, early).until == waited.until


def test_an_expression_that_gives_another_moment_later_changes_nothing() -> None:
    waited = wait(node, {"until": "2026-12-24T18:00:00+01:00"})
    assert waited.until == datetime(2026, 12, 24, 17, tzinfo=UTC)
    assert waited.says == "waiting until 2026-12-24 17:00 UTC"
    later = again(waited, now=waited.until)
    done = do(node, {"until": "2030-01-01T00:00:00Z"}, later)
    assert output(done)["until"] == "2026-12-24T18:00:00+01:00"


def test_a_moment_that_is_past_goes_on_at_once() -> None:
    do(node, {"until": "2020-01-01T00:00:00Z"})
    do(node, {"for": "0s"})


@pytest.mark.parametrize("given", [{}, {"for": "1h", "until": "2027-01-01T00:00:00Z"}])
def test_it_takes_one_of_for_and_until(given) -> None:
    with pytest.raises(msgspec.ValidationError, match="either `for` or `until`"):
        enter(node, given)


@pytest.mark.parametrize(
    "given", [{"for": "5"}, {"for": "-5m"}, {"until": "2027-01-01T00:00:00"}, {"until": "soon"}]
)
def test_what_is_no_time_is_refused(given) -> None:
    with pytest.raises(msgspec.ValidationError):
        enter(node, given)


@pytest.mark.parametrize("given", [{"for": "3651d"}, {"until": "2036-12-01T00:00:00Z"}])
def test_ten_years_are_the_most(given) -> None:
    with pytest.raises(StepFailed, match=r"3650d|ten years"):
        enter(node, given)


@given(st.integers(0, 3_650 * 24), st.lists(st.integers(0, 3_650 * 24), max_size=6).map(sorted))
def test_it_goes_on_at_the_moment_and_never_before(hours: int, entries: list[int]) -> None:
    """However often and whenever it is entered."""
    result = enter(node, {"for": f"{hours}h"})
    for entry in entries:
        if isinstance(result, Done):
            break
        assert result.until == NOW + timedelta(hours=hours)
        at = again(result, now=NOW + timedelta(hours=entry))
        result = enter(node, {"for": f"{hours}h"}, at)
        assert isinstance(result, Done) == (entry >= hours)
    assert isinstance(result, Done) or hours > max(entries, default=0)
