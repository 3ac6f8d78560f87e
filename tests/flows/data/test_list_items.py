"""data.list: sorted, without doubles, cut, added up."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.node import StepFailed
from app.flows.nodes.list_items import node
from app.flows.same import same
from tests.flows.hand import do, enter, output
from tests.flows.values import json_values, texts

SERVERS = [
    {"name": "c", "ram": 64, "disk": {"size": 2}},
    {"name": "a", "ram": 128, "disk": {"size": 1}},
    {"name": "b", "ram": 64},
    {"name": "a", "ram": 16, "disk": {"size": 3}},
]


def named(given) -> str:
    return "".join(item["name"] for item in output(do(node, {"items": SERVERS, **given}))["items"])


def test_items_are_sorted_by_several_fields() -> None:
    assert named({"sort": [{"by": "name"}]}) == "aabc"
    assert named({"sort": [{"by": "ram", "descending": True}, {"by": "name"}]}) == "abca"


def test_what_lacks_the_field_comes_last() -> None:
    assert named({"sort": [{"by": "disk.size"}]}) == "acab"
    assert named({"sort": [{"by": "disk.size", "descending": True}]}) == "acab"


def test_of_items_that_are_the_same_the_first_is_kept() -> None:
    assert named({"unique_by": ["name"]}) == "cab"
    assert named({"unique_by": ["name", "ram"]}) == "caba"
    assert output(do(node, {"items": [1, "1", True, 1.0, None, None], "unique_by": [""]}))[
        "items"
    ] == [1, "1", True, None]


def test_a_part_is_taken_and_the_whole_counted() -> None:
    cut = output(do(node, {"items": [3, 1, 2], "sort": [{}], "skip": 1, "limit": 1, "total": ""}))
    assert cut == {
        "items": [2], "count": 1, "found": 3, "first": 2, "sum": 2, "smallest": 2, "largest": 2,
    }  # fmt: skip
    empty = output(do(node, {"items": [], "total": "", "sort": [{}]}))
    assert (empty["first"], empty["sum"], empty["smallest"]) == (None, 0, None)


def test_numbers_are_added_up() -> None:
    added = output(do(node, {"items": SERVERS, "total": "ram"}))
    assert (added["sum"], added["smallest"], added["largest"]) == (272, 16, 128)
    with pytest.raises(StepFailed, match=r"disk.size of item 2 is no number, it is null"):
        do(node, {"items": SERVERS, "total": "disk.size"})
    with pytest.raises(StepFailed, match="item of item 0 is no number, it is true"):
        do(node, {"items": [True], "total": ""})
    for numbers in ([1e308, 1e308], [10**400, 1.5]):
        with pytest.raises(StepFailed, match="larger than a number"):
            do(node, {"items": numbers, "total": ""})


@pytest.mark.parametrize("items", [[1, "a"], [True, 1], [[1], [2]], [{"a": 1}]])
def test_mixed_kinds_are_not_sorted(items) -> None:
    with pytest.raises(StepFailed, match="the items cannot be sorted: "):
        do(node, {"items": items, "sort": [{}]})


def test_a_list_is_bounded() -> None:
    with pytest.raises(msgspec.ValidationError, match="length <= 100000"):
        enter(node, {"items": [0] * 100_001})


@given(st.lists(st.integers() | st.floats(allow_nan=False, allow_infinity=False)), st.booleans())
def test_sorting_is_pythons(items, descending: bool) -> None:
    made = do(node, {"items": items, "sort": [{"descending": descending}]})
    assert made.output.items == sorted(items, reverse=descending)


@given(st.lists(st.tuples(texts, st.integers())))
def test_equals_stay_in_their_order(pairs) -> None:
    items = [{"key": key, "n": n} for key, n in pairs]
    made = do(node, {"items": items, "sort": [{"by": "key"}]})
    assert made.output.items == sorted(items, key=lambda item: item["key"])


@given(st.lists(json_values, max_size=8))
def test_of_each_value_one_is_left(items) -> None:
    left = do(node, {"items": items, "unique_by": [""]}).output.items
    for item in items:
        assert sum(same(item, one) for one in left) == 1


@given(st.lists(st.integers(), max_size=9), st.integers(0, 12), st.none() | st.integers(0, 12))
def test_skip_and_limit_are_a_slice(items, skip: int, limit: int | None) -> None:
    cut = do(node, {"items": items, "skip": skip, "limit": limit}).output
    assert cut.items == items[skip:][:limit]
    assert (cut.count, cut.found) == (len(cut.items), len(items))
