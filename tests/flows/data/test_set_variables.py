"""data.set: variables of the run."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.json_schema import mismatch
from app.flows.node import StepFailed
from app.flows.nodes.set_variables import node
from tests.flows.hand import do, enter, output
from tests.flows.values import json_values, names


@given(st.dictionaries(names, json_values, min_size=1, max_size=5))
def test_what_is_set_is_the_output_too(variables) -> None:
    done = do(node, {"variables": variables})
    assert done.variables == variables == output(done)
    assert done.port == "out"


@pytest.mark.parametrize(
    "variables", [{}, {"a-b": 1}, {"1a": 1}, {"a.b": 1}, {"": 1}, {"x" * 65: 1}]
)
def test_a_variable_has_a_name_that_expressions_can_say(variables) -> None:
    with pytest.raises(msgspec.ValidationError):
        enter(node, {"variables": variables})


def test_variables_are_bounded() -> None:
    with pytest.raises(StepFailed, match=r"what is set is 1,000,..."):
        do(node, {"variables": {"big": "x" * 1_000_000}})


def test_the_editor_knows_what_is_set() -> None:
    assert node.output_of is not None
    schema = node.output_of({"variables": {"tries": 1, "who": "${input.name}", "x": "=vars.x"}})
    assert schema["properties"] == {
        "tries": {"type": "integer"},
        "who": {"type": "string"},
        "x": {},
    }
    assert node.output_of({"variables": "=input"}) == {"type": "object"}


@given(st.dictionaries(names, json_values, min_size=1, max_size=5))
def test_the_output_is_as_the_editor_was_told(variables) -> None:
    assert node.output_of is not None
    told = node.output_of({"variables": variables})
    assert mismatch(output(do(node, {"variables": variables})), told) is None
