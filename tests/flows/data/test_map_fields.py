"""data.map: an object field by field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.json_schema import mismatch
from app.flows.node import StepFailed
from app.flows.nodes.map_fields import node
from tests.flows.hand import do, output
from tests.flows.values import json_values, names

objects = st.dictionaries(names, json_values, max_size=5)


def test_fields_are_put_over_what_is_kept_of_the_base() -> None:
    given = {
        "base": {"id": 7, "password": "x", "net": {"a": 1, "b": 2}},
        "without": ["password", "nothing"],
        "fields": {"name": "web-1", "net": {"a": 3}},
    }
    assert output(do(node, given)) == {"id": 7, "name": "web-1", "net": {"a": 3}}


@given(objects, objects, st.lists(names, max_size=3))
def test_it_is_what_the_union_of_two_objects_is(base, fields, without) -> None:
    made = output(do(node, {"base": base, "fields": fields, "without": without}))
    kept = {name: value for name, value in base.items() if name not in without}
    assert made == kept | fields


@given(objects, objects, st.lists(names, max_size=3))
def test_the_output_is_as_the_editor_was_told(base, fields, without) -> None:
    assert node.output_of is not None
    given = {"base": base, "fields": fields, "without": without}
    assert mismatch(output(do(node, given)), node.output_of(given)) is None


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({"fields": {"a": 1}, "base": "=steps.call.body"}, ["a"]),
        ({"fields": {"a": 1}, "base": {"b": 2}, "without": "=input.secrets"}, ["a"]),
        ({"fields": "=input", "base": {"b": 2}}, ["b"]),
        ({"fields": {"a": 1}, "base": {"b": 2}, "without": ["b"]}, ["a"]),
        ({}, []),
    ],
)
def test_the_editor_knows_the_fields_that_are_written_down(given, known) -> None:
    assert node.output_of is not None
    assert node.output_of(given)["required"] == known


def test_an_object_is_bounded() -> None:
    with pytest.raises(StepFailed, match=r"the object is 1,000,... bytes"):
        do(node, {"fields": {"big": "x" * 1_000_000}})


def test_it_says_what_it_makes() -> None:
    assert node.says is not None
    assert node.says(node.params(fields={"a": 1}, base={"b": 1})) == "Makes an object of b, a"
