"""How large things may be, how long waits, and how a value is shown in an error."""

from datetime import timedelta

import pytest
from hypothesis import given

from app.flows.bounds import bounded_text, bounded_value, shown
from app.flows.node import StepFailed
from app.flows.patience import LOOK_AGAIN, gives_up_at, moment_after, sleep
from tests.flows.hand import NOW, step
from tests.flows.values import json_values


def test_a_text_has_a_million_characters_at_most() -> None:
    assert bounded_text("x" * 1_000_000, "it") == "x" * 1_000_000
    with pytest.raises(StepFailed, match="it has 1,000,001 characters; a text may have 1,000,000"):
        bounded_text("x" * 1_000_001, "it")


def test_a_value_has_a_million_bytes_at_most() -> None:
    assert bounded_value(["x"], "it") == ["x"]
    with pytest.raises(StepFailed, match="it is 1,000,002 bytes as JSON; it may be 1,000,000"):
        bounded_value("x" * 1_000_000, "it")
    with pytest.raises(StepFailed, match="it cannot be kept as JSON"):
        bounded_value({1: object()}, "it")


@given(json_values)
def test_what_is_shown_is_short(value) -> None:
    assert len(shown(value, longest=20)) < 40


def test_what_json_cannot_say_is_shown_too() -> None:
    assert shown(1 + 2j) == "the value (1+2j)"


def test_a_moment_is_at_most_ten_years_away() -> None:
    assert moment_after(NOW, "1.5h") == NOW + timedelta(minutes=90)
    for wait in ("3651d", "soon"):
        with pytest.raises(StepFailed, match="no time to wait for"):
            moment_after(NOW, wait)


def test_a_wait_without_an_end_is_looked_at_again() -> None:
    assert gives_up_at(step(), None) is None
    assert sleep(step(), until=None, signal="s").until == NOW + LOOK_AGAIN
