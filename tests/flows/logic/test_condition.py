"""logic.if: one way or the other, and nothing in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.node import StepFailed
from app.flows.nodes.condition import node
from tests.flows.hand import do, output
from tests.flows.values import json_values


@pytest.mark.parametrize(("condition", "port"), [(True, "true"), (False, "false")])
def test_it_leaves_by_the_port_of_its_condition(condition: bool, port: str) -> None:
    done = do(node, {"condition": condition})
    assert done.port == port
    assert output(done) == {"condition": condition}


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("yes", 'the text "yes"'),
        (1, "the number 1"),
        (None, "null"),
        ([True], r"the list \[true\]"),
        ({"a": 1}, 'the object {"a":1}'),
    ],
)
def test_what_is_no_truth_is_an_error_that_says_what_it_was(condition, said) -> None:
    with pytest.raises(StepFailed, match=f"true or false, it is {said}"):
        do(node, {"condition": condition})


@given(json_values.filter(lambda value: not isinstance(value, bool)))
def test_only_truths_pass(value) -> None:
    with pytest.raises(StepFailed) as failed:
        do(node, {"condition": value})
    assert len(failed.value.message) < 200


@given(st.booleans())
def test_the_ports_are_those_of_the_type(condition: bool) -> None:
    assert do(node, {"condition": condition}).port in node.all_ports({})
