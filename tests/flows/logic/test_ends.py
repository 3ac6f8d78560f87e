"""logic.stop and logic.fail: the run ends by the flow's own word."""

import pytest
from hypothesis import given

from app.flows.node import RunEnds, StepFailed
from app.flows.nodes.fail import node as fail
from app.flows.nodes.stop import node as stop
from tests.flows.hand import enter
from tests.flows.values import json_values


@given(json_values)
def test_stop_ends_well_with_its_output(value) -> None:
    with pytest.raises(RunEnds) as ends:
        enter(stop, {"output": value, "message": "enough"})
    assert (ends.value.failed, ends.value.output, ends.value.message) == (False, value, "enough")


def test_fail_ends_badly_with_its_message() -> None:
    with pytest.raises(RunEnds, match="no product offers it") as ends:
        enter(fail, {"message": "no product offers it"})
    assert ends.value.failed


def test_nothing_comes_after_either() -> None:
    assert stop.all_ports({}) == fail.all_ports({}) == ()


def test_an_output_is_bounded() -> None:
    with pytest.raises(StepFailed, match=r"the run's output is 1,000,0.. bytes as JSON"):
        enter(stop, {"output": ["x" * 1_000_000]})
