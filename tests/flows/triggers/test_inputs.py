"""Inputs: what is expected is said, what was given is not, and nothing takes for ever."""

from typing import Any
from uuid import UUID

import pytest

from app.flows.document import BadDocument
from app.flows.inputs import MOST_PROBLEMS, BadInput, Inputs, schema_problems, storable_data


def said(schema: dict[str, Any], data: dict[str, Any]) -> dict[str, str]:
    """What is refused, by path; empty when the data is taken."""
    try:
        Inputs("test", schema).require(data)
    except BadInput as refused:
        return refused.fields
    return {}


def field(**schema: Any) -> dict[str, Any]:
    return {"properties": {"it": schema}}


@pytest.mark.parametrize(
    ("schema", "bad", "good", "expected"),
    [
        ({"type": "integer"}, "7", 7, "must be integer"),
        ({"type": ["string", "null"]}, 7, None, "must be string, null"),
        ({"enum": ["a", "b"]}, "c", "a", "must be one of a, b"),
        ({"const": 1}, 2, 1, "must be 1"),
        ({"minimum": 3}, 2, 3, "must be at least 3"),
        ({"maximum": 3}, 4, 3, "must be at most 3"),
        ({"exclusiveMinimum": 3}, 3, 4, "must be more than 3"),
        ({"exclusiveMaximum": 3}, 3, 2, "must be less than 3"),
        ({"multipleOf": 5}, 7, 10, "must be a multiple of 5"),
        ({"minLength": 2}, "a", "ab", "must have at least 2 characters"),
        ({"maxLength": 2}, "abc", "ab", "must have at most 2 characters"),
        ({"pattern": "^[a-z]+$"}, "A1", "ab", "must match ^[a-z]+$"),
        ({"format": "ipv4"}, "1.2.3", "192.0.2.1", "must be written as ipv4"),
        ({"minItems": 1}, [], [1], "must have at least 1 entries"),
        ({"maxItems": 1}, [1, 2], [1], "must have at most 1 entries"),
        ({"uniqueItems": True}, [{"a": 1}, {"a": 1}], [1, 2], "must not have an entry twice"),
        ({"minProperties": 1}, {}, {"a": 1}, "must have at least 1 fields"),
        ({"anyOf": [{"type": "null"}]}, 1, None, "fits none of the alternatives"),
        ({"not": {"type": "null"}}, None, 1, "is just what it must not be"),
        ({"contains": {"const": 1}}, [2], [1], "breaks the rule contains"),
        (
            {"properties": {"a": {}, "b": {}}, "additionalProperties": False},
            {"c": 1},
            {"a": 1},
            "has fields that are not known; known are: a, b",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_expected_is_said(
    schema: dict[str, Any], bad: Any, good: Any, expected: str
) -> None:
    assert said(field(**schema), {"it": bad}) == {"$.it": expected}
    assert said(field(**schema), {"it": good}) == {}


def test_every_missing_field_is_named_by_its_path() -> None:
    schema = {
        "required": ["a", "b"],
        "properties": {"disks": {"items": {"required": ["size"]}}},
    }
    assert said(schema, {"a": 1, "disks": [{"size": 1}, {}]}) == {
        "$.b": "is missing",
        "$.disks[1].size": "is missing",
    }


def test_what_was_given_is_not_repeated() -> None:
    """It may be a secret, and a megabyte of it."""
    schema = {"properties": {"password": {"type": "integer"}}, "additionalProperties": False}
    with pytest.raises(BadInput) as refused:
        Inputs("test", schema).require({"password": "hunter2", "token=hunter2": "hunter2"})
    assert "hunter2" not in refused.value.message
    assert len(refused.value.fields) == 2


def test_there_is_an_end_to_the_problems() -> None:
    schema = {"additionalProperties": {"type": "string"}}
    assert len(said(schema, {f"n{n}": n for n in range(500)})) == MOST_PROBLEMS


def test_ids_and_times_are_checked_as_they_are_written_down() -> None:
    schema = field(type="string", format="uuid")
    assert said(schema, {"it": UUID(int=1)}) == {}


def test_a_pattern_takes_linear_time_whatever_it_is_given() -> None:
    """Python's own matching would take longer than the world is old."""
    assert said(field(pattern="^(a+)+$"), {"it": "a" * 50_000 + "!"}) != {}


def test_uniqueness_of_many_entries_takes_linear_time() -> None:
    assert said(field(uniqueItems=True), {"it": [{"n": n} for n in range(30_000)]}) == {}


def test_references_stay_inside() -> None:
    tree = {
        "$defs": {"node": {"properties": {"left": {"$ref": "#/$defs/node"}, "n": {"type": "null"}}}}
    }
    assert said({**tree, "$ref": "#/$defs/node"}, {"left": {"left": {"n": 1}}}) == {
        "$.left.left.n": "must be null"
    }
    with pytest.raises(BadDocument, match="refer to /nowhere, where nothing is"):
        said({"$ref": "#/nowhere"}, {})


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "strange"}, "are no JSON Schema: $.type"),
        ({"properties": {"a": {"minimum": "x"}}}, "are no JSON Schema: $.properties.a.minimum"),
        ({"$ref": "https://example.com/schema"}, "only references within them"),
        ({"items": [{"$ref": "other.json"}]}, "are no JSON Schema"),
        ({"allOf": [{"$ref": "other.json"}]}, "only references within them"),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, "a pattern that RE2 cannot match: (?=a)b"),
        ({"patternProperties": {"^a": {}}}, "name the properties instead"),
    ],
    ids=str,
)
def test_a_schema_that_cannot_be_used_is_told(schema: dict[str, Any], problem: str) -> None:
    (found,) = schema_problems(schema)
    assert problem in found
    with pytest.raises(BadDocument, match="the inputs of test"):
        Inputs("test", schema)


def test_a_property_may_be_called_like_a_rule() -> None:
    schema = {"properties": {"pattern": {"type": "string", "default": {"pattern": "(?=a)"}}}}
    assert schema_problems(schema) == []
    assert said(schema, {"pattern": 1}) == {"$.pattern": "must be string"}


def test_what_no_jsonb_holds_is_replaced() -> None:
    assert storable_data({"a\x00": ("\x00", [{"b": "c\x00d"}], 1, None, True)}) == {
        "a�": ["�", [{"b": "c�d"}], 1, None, True]
    }
