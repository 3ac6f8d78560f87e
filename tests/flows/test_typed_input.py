"""A form made from a schema, and the data that what is typed into it makes."""

from typing import Any

import pytest

from app.flows.inputs import BadInput, Inputs
from app.flows.typed_input import InputField, beside, input_fields, read_input, reshaped

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name", "size", "disks"],
    "$defs": {"disk": {"type": "object", "required": ["gb"], "properties": {"gb": {"type": "integer"}, "kind": {"enum": ["ssd", "hdd", 7, None]}}}},
    "properties": {
        "name": {"type": "string", "title": "Host name", "examples": ["web-1"]},
        "size": {"type": "integer", "minimum": 1, "default": 4},
        "price": {"type": ["number", "null"]},
        "urgent": {"type": "boolean"},
        "from": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "note": {"type": "string", "maxLength": 2_000},
        "disks": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/disk"}},
        "owner": {"type": "object", "properties": {"mail": {"type": "string"}, "odd 'key'": {"type": "string"}}},
        "extra": {"oneOf": [{"type": "string"}, {"type": "object"}]},
    },
}  # fmt: skip


def by_name(fields: tuple[InputField, ...]) -> dict[str, InputField]:
    found = {}
    for field in fields:
        found[field.name] = field
        found |= by_name(field.parts)
    return found


def test_each_type_has_a_field_of_its_own() -> None:
    fields = by_name(input_fields(SCHEMA, {}))
    assert {name: field.kind for name, field in fields.items()} == {
        "$.name": "text",
        "$.size": "number",
        "$.price": "number",
        "$.urgent": "yes",
        "$.from": "date",
        "$.at": "moment",
        "$.note": "lines",
        "$.disks": "list",
        "$.disks[0]": "group",
        "$.disks[0].gb": "number",
        "$.disks[0].kind": "choice",
        "$.owner": "group",
        "$.owner.mail": "text",
        "$.owner['odd \\'key\\'']": "text",
        "$.extra": "json",
    }
    assert (fields["$.name"].label, fields["$.name"].example) == ("Host name", "web-1")
    assert (fields["$.size"].default, fields["$.size"].is_required) == ("4", True)
    assert fields["$.disks[0].kind"].choices[2:] == (("7", "7"), ("null", "null"))


def test_what_is_typed_becomes_data_and_what_is_empty_is_left_out() -> None:
    values = {
        "$.name": "web 1",
        "$.size": " 8 ",
        "$.urgent": "false",
        "$.from": "2026-02-01",
        "$.at": "2026-02-01T10:30",
        "$.disks#": "2",
        "$.disks[0].gb": "100",
        "$.disks[0].kind": '"ssd"',
        "$.disks[1].gb": "200",
        "$.owner['odd \\'key\\'']": "x",
        "$.extra": '{"a": [1]}',
    }
    data, errors = read_input(input_fields(SCHEMA, values), values)
    assert errors == {}
    assert data == {
        "name": "web 1",
        "size": 8,
        "urgent": False,
        "from": "2026-02-01",
        "at": "2026-02-01T10:30:00Z",
        "disks": [{"gb": 100, "kind": "ssd"}, {"gb": 200}],
        "owner": {"odd 'key'": "x"},
        "extra": {"a": [1]},
    }
    Inputs("test", SCHEMA).require(data)


def test_every_problem_stands_beside_a_field() -> None:
    values = {"$.size": "many", "$.disks#": "1", "$.extra": "{", "$.price": "1e3"}
    fields = input_fields(SCHEMA, values)
    data, errors = read_input(fields, values)
    assert errors["$.size"] == "Type a number, such as 12 or 0.5."
    assert "no JSON" in errors["$.extra"]
    with pytest.raises(BadInput) as refused:
        Inputs("test", SCHEMA).require(data)
    found = beside(fields, refused.value.fields)
    assert found["$.name"] == found["$.disks[0].gb"] == "is missing"
    assert beside(fields, {"$.extra.a[0]": "must be 1", "$.new": "no"}) == {
        "$.extra": "a[0] must be 1",
        "": "new no",
    }


@pytest.mark.parametrize(("text", "data", "wrong"), [("", {}, []), ('{"a": 1}', {"a": 1}, []), ("[1]", {}, ["$"]), ("{", {}, ["$"]), ("[" * 100_000, {}, ["$"])], ids=["empty", "object", "list", "broken", "deep"])  # fmt: skip
def test_a_flow_without_a_schema_takes_json(text: str, data: object, wrong: list[str]) -> None:
    read, errors = read_input(input_fields({}, {}), {"$": text})
    assert (read, list(errors)) == (data, wrong)


def test_items_are_added_and_removed_in_their_place() -> None:
    values = {"$.d#": "3", "$.d[0].a": "0", "$.d[1].a": "1", "$.d[2].a": "2", "$.x": "kept"}
    assert reshaped(values, remove="$.d[1]") == {
        "$.d#": "2", "$.d[0].a": "0", "$.d[1].a": "2", "$.x": "kept"
    }  # fmt: skip
    assert reshaped(values, add="$.d")["$.d#"] == "4"
    assert reshaped({"$.d#": "50"}, add="$.d")["$.d#"] == "50"
    for odd in ("nothing", "$.d[x]", f"$.d[{'9' * 5_000}]"):
        assert reshaped(values, remove=odd) == values


def test_a_form_is_no_longer_than_somebody_makes_it() -> None:
    deep = {"type": "array", "minItems": 10_000, "items": {"type": "integer"}}
    schema = {"type": "object", "properties": {"rows": deep}}
    assert len(input_fields(schema, {})[0].parts) == 3
    assert len(input_fields(schema, {"$.rows#": "9" * 5_000})[0].parts) == 0
    assert len(input_fields(schema, {"$.rows#": "999"})[0].parts) == 50


def test_a_schema_within_itself_ends_as_json() -> None:
    schema = {"type": "object", "properties": {"sub": {"$ref": "#"}}}
    (field,) = input_fields(schema, {})
    assert field.name == "$.sub"
    assert read_input([field], {}) == ({}, {})
