"""data.parse_json: a value, or where and why not."""

import msgspec
import pytest
from hypothesis import given

from app.flows.node import StepFailed
from app.flows.nodes.parse_json import node
from tests.flows.hand import do, enter, output
from tests.flows.values import json_values

SERVER = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]"},
        "disks": {"type": "array", "items": {"properties": {"size": {"type": "integer"}}}},
    },
}


@given(json_values)
def test_what_was_written_is_read(value) -> None:
    text = msgspec.json.encode(value).decode()
    assert output(do(node, {"text": text})) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "the text is no JSON: Input data was truncated"),
        ("  ", "empty"),
        ('{"a": 1,\n "ö": x}', "at line 2, column 7: invalid character"),
        ("[NaN]", "at line 1, column 2: invalid character"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_an_error_that_says_where(text: str, said: str) -> None:
    with pytest.raises(StepFailed, match=said):
        do(node, {"text": text})


def test_a_value_that_is_as_the_schema_says_passes() -> None:
    text = '{"name": "web-1", "disks": [{"size": 960}]}'
    assert output(do(node, {"text": text, "schema": SERVER}))["name"] == "web-1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"name": "w", "disks": [{"size": 1}, {"size": "s3cret"}]}',
            "$.disks[1].size must be integer",
        ),
        ("{}", "$.name is missing"),
        ('{"name": "9s3cret"}', "$.name must match ^[a-z]"),
        ('["s3cret"]', "$ must be object"),
    ],
)
def test_a_value_that_is_not_is_told_by_its_path(text: str, said: str) -> None:
    with pytest.raises(StepFailed) as failed:
        do(node, {"text": text, "schema": SERVER})
    assert failed.value.message == said


def test_a_bad_schema_is_told_as_such() -> None:
    with pytest.raises(StepFailed, match=r"not a usable JSON Schema: \$.type: 'objekt'"):
        do(node, {"text": "{}", "schema": {"type": "objekt"}})


def test_the_text_is_bounded() -> None:
    with pytest.raises(msgspec.ValidationError, match="length <= 1000000"):
        enter(node, {"text": " " * 1_000_001})


def test_the_schema_is_what_the_editor_knows() -> None:
    assert node.output_of is not None
    assert node.output_of({"text": "=x", "schema": SERVER}) == SERVER
    assert node.output_of({"text": "=x", "schema": "=input.schema"}) == {}
