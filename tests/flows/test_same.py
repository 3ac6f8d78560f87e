"""Equal as JSON, strictly by kind; and the same answer from a set."""

import pytest
from hypothesis import given

from app.flows.same import TooDeep, identity, same
from tests.flows.values import json_values


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (1, "1", False),
        (None, False, False),
        ([1], (1.0,), True),
        ([1, 2], [1], False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": [True]}, {"a": [1]}, False),
        ([], {}, False),
        (["truth", True], True, False),
    ],
)
def test_equal_is_meant_strictly(one, other, equal: bool) -> None:
    assert same(one, other) is equal
    assert (identity(one) == identity(other)) is equal


@given(json_values, json_values)
def test_a_set_agrees(one, other) -> None:
    assert same(one, one)
    assert identity(one) == identity(one)
    assert same(one, other) == same(other, one) == (identity(one) == identity(other))


def test_what_is_nested_too_deeply_is_refused() -> None:
    one: list = []
    other: list = []
    for _ in range(2_000):
        one, other = [one], [other]
    with pytest.raises(TooDeep):
        same(one, other)
    with pytest.raises(TooDeep):
        identity(one)
