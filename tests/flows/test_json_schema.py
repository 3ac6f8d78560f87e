"""JSON Schema: what the library does, in bounded time and without reaching out."""

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.json_schema import BadSchema, mismatch, require_schema
from app.flows.same import TooDeep
from tests.flows.values import json_values

KEYWORDS = {
    "additionalProperties": [True, False, {"type": "string"}],
    "patternProperties": [{"^a": {"type": "integer"}}, {"b$": False, "^a": True}],
    "properties": [{"a": {"type": "null"}}, {"b": {"pattern": "^[a-z]*$"}}],
    "uniqueItems": [True, False],
    "pattern": ["^a", "a.*b", "^$"],
    "type": ["object", "array", "string", ["null", "boolean"]],
    "items": [{"uniqueItems": True}, {"pattern": "a"}],
}
schemas = st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in KEYWORDS.items()})
words = st.dictionaries(st.sampled_from(["a", "b", "ab", "c"]), json_values, max_size=4)


@given(schemas, json_values | words | st.lists(json_values, max_size=4))
def test_it_accepts_what_the_library_accepts(schema, value) -> None:
    accepted = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert (mismatch(value, schema) is None) == accepted


def test_a_mismatch_is_told_by_its_path() -> None:
    schema = {"properties": {"disks": {"items": {"required": ["size"]}}}}
    found = mismatch({"disks": [{"size": 1}, {}]}, schema)
    assert found is not None
    assert (found.path, found.expected) == ("$.disks[1].size", "is missing")


def test_of_alternatives_the_one_that_nearly_fits_is_told() -> None:
    schema = {"anyOf": [{"type": "string"}, {"properties": {"a": {"type": "integer"}}}]}
    found = mismatch({"a": "1"}, schema)
    assert found is not None
    assert found.path == "$.a"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["integer", "null"]}, "must be integer, null"),
        ({"pattern": "^[0-9]"}, "must match ^[0-9]"),
        ({"const": {"a": 1}}, "must be {'a': 1}"),
        ({"maxLength": 3}, "must have at most 3 characters"),
        ({"anyOf": [{"type": "null"}, False]}, "fits none of the alternatives"),
        (False, "must not be there"),
        ({"properties": {}, "format": "ipv4"}, "must be written as ipv4"),
    ],
)
def test_what_is_expected_is_told_and_not_what_was_given(schema, expected: str) -> None:
    found = mismatch("s3cret" * 1_000, schema)
    assert found is not None
    assert found.expected == expected


def test_fields_that_are_not_known_are_told_by_those_that_are() -> None:
    found = mismatch({"s3cret": 1}, {"properties": {"a": {}}, "additionalProperties": False})
    assert found is not None
    assert found.expected == "has fields that are not known; known are: a"


@pytest.mark.parametrize(
    "value", [["a" * 50_000 + "!"], {"a" * 50_000 + "!": 1}, {"n": "a" * 50_000 + "!"}]
)
def test_a_pattern_that_python_never_ends_with_is_nothing_here(value) -> None:
    evil = "^(a+)+$"
    schema = {
        "items": {"pattern": evil},
        "patternProperties": {evil: {"type": "string"}},
        "additionalProperties": {"pattern": evil},
    }
    assert (mismatch(value, schema) is None) == ("n" not in value and isinstance(value, dict))


def test_many_items_are_compared_by_a_set() -> None:
    items = [{"n": n, "of": [str(n)]} for n in range(20_000)]
    assert mismatch(items, {"uniqueItems": True}) is None
    assert mismatch([*items, {"of": ["7"], "n": 7.0}], {"uniqueItems": True}) is not None


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "objekt"}, "'objekt' is not valid"),
        ({"pattern": "(?=x)"}, "the pattern .* cannot be used"),
        ({"$ref": "http://192.0.2.1/schema"}, "leads nowhere in it"),
        ({"$ref": "#/$defs/missing"}, "leads nowhere in it"),
        ({"$ref": "#"}, "refers to itself"),
        ({"unevaluatedProperties": False, "patternProperties": {}}, "do not go together"),
    ],
)
def test_a_schema_that_cannot_be_used_is_told(schema, said: str) -> None:
    with pytest.raises(BadSchema, match=said):
        mismatch("text", schema)


def test_a_schema_is_checked_by_itself_too() -> None:
    require_schema({"type": "object"})
    with pytest.raises(BadSchema):
        require_schema({"required": "name"})


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: list = []
    for _ in range(2_000):
        deep = [deep]
    with pytest.raises(TooDeep):
        mismatch([deep], {"uniqueItems": True})
