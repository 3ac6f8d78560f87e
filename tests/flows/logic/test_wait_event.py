"""logic.wait_event: the event of this run, or its time-out."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given

from app.flows.nodes.wait_event import node
from tests.flows.hand import NOW, again, do, enter, output, wait
from tests.flows.values import json_values

DNS = {"event": "dns.delegated", "correlation": "example.com", "timeout": "7d"}


def test_it_waits_for_the_event_and_correlation() -> None:
    waited = wait(node, DNS)
    assert waited.signal == "event:dns.delegated:example.com"
    assert waited.until == NOW + timedelta(days=7)
    assert waited.says == "waiting for dns.delegated"


@given(json_values)
def test_the_payload_is_the_output(payload) -> None:
    done = do(node, DNS, again(wait(node, DNS), now=NOW, signals=(payload,)))
    assert done.port == "out"
    assert output(done) == payload


def test_of_several_events_the_first_is_taken() -> None:
    entry = again(wait(node, DNS), now=NOW, signals=({"n": 1}, {"n": 2}))
    assert output(do(node, DNS, entry)) == {"n": 1}


def test_when_nothing_comes_it_leaves_by_timeout() -> None:
    waited = wait(node, DNS)
    early = again(waited, now=waited.until - timedelta(seconds=1))
    assert wait(node, DNS, early).until == waited.until
    done = do(node, DNS, again(waited, now=waited.until))
    assert (done.port, done.output) == ("timeout", None)


def test_an_event_that_came_at_the_last_moment_counts() -> None:
    waited = wait(node, DNS)
    late = again(waited, now=waited.until + timedelta(days=1), signals=({"ok": True},))
    assert do(node, DNS, late).port == "out"


def test_without_a_timeout_it_waits_on() -> None:
    endless = {"event": "paid", "correlation": 1042}
    waited = wait(node, endless)
    assert waited.signal == "event:paid:1042"
    for _ in range(24):
        assert waited.memo == {}
        waited = wait(node, endless, again(waited, now=waited.until))
    assert waited.until - NOW > timedelta(days=700)


@pytest.mark.parametrize(
    "change",
    [
        {"event": "a:b"},
        {"event": ""},
        {"correlation": ""},
        {"correlation": "a\x00"},
        {"timeout": "x"},
    ],
)
def test_what_could_mean_another_signal_is_refused(change) -> None:
    with pytest.raises(msgspec.ValidationError):
        enter(node, DNS | change)
