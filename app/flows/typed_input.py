"""A flow's input typed into a form: which fields its schema asks for, and the data that they make.

A field is named by its place, `$.hosts[0].name`, as whatever is wrong with the data is
(`inputs.py`), so that each problem stands beside its field. What a form cannot ask for piece by
piece, such as one of several shapes, is typed as JSON.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from app.flows.shapes import Shape, inlined_schema

ROOT = "$"
COUNT = "#"
"""Put after the name of a list, it names the hidden field with the number of its items."""
MOST_ITEMS = 50
_FIRST_ITEMS = 3
"""Items that a new form asks for at most; more are added one by one."""
_DEEPEST = 4
_PLAIN = re.compile(r"^[a-zA-Z][a-zA-Z0-9_]*$")
_INDEX = re.compile(r"\[(\d{1,4})\]")
_COUNT = re.compile(r"[0-9]{1,4}")
NOTHING: Any = msgspec.UNSET
"""Read from a field that was left empty."""

Kind: TypeAlias = Literal[
    "text", "lines", "number", "yes", "choice", "date", "moment", "json", "group", "list"
]
"""`lines` is long text; `moment` a date with a time, in UTC."""


class InputField(msgspec.Struct, frozen=True, kw_only=True):
    """One place of the input as a form shows it."""

    name: str
    label: str
    help: str
    kind: Kind
    is_required: bool
    default: str = ""
    example: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """Value as JSON, and its words."""
    parts: tuple["InputField", ...] = ()
    """The fields of a group, the items of a list."""


def input_fields(schema: Mapping[str, Any], values: Mapping[str, str]) -> tuple[InputField, ...]:
    """Return the fields of a form for `schema`; lists are as long as `values` says.

    Pure; linear in the schema.
    """
    whole = inlined_schema(Shape(schema, schema))
    field = _field(ROOT, "Input", whole, values, required=False, depth=0)
    return field.parts if field.kind == "group" else (field,)


def read_input(
    fields: Sequence[InputField], values: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the data that was typed, and what cannot be read by field; an empty one is left out.

    Whether the data is what the schema asks for is for `Inputs.require` to say.
    """
    errors: dict[str, str] = {}
    if len(fields) == 1 and fields[0].name == ROOT:
        data = _read(fields[0], values, errors)
        if data is NOTHING:
            return {}, errors
        if not isinstance(data, dict) and not errors:
            errors[ROOT] = "The input is a JSON object: {…}."
        return (data if isinstance(data, dict) else {}), errors
    return _read_parts(fields, values, errors), errors


def is_blank(values: Mapping[str, str]) -> bool:
    """Return whether nothing at all was typed; items of lists that are empty count as nothing."""
    return not any(
        value.strip()
        for name, value in values.items()
        if name.startswith(ROOT) and not name.endswith(COUNT)
    )


def beside(fields: Sequence[InputField], problems: Mapping[str, str]) -> dict[str, str]:
    """Return problems with the data, each by the field nearest to it; "" for the whole input."""
    names = sorted(_names(fields), key=len, reverse=True)
    found: dict[str, str] = {}
    for path, text in problems.items():
        near = next(
            (one for one in names if path == one or path.startswith((f"{one}.", f"{one}["))), ""
        )
        rest = path[len(near or ROOT) :].lstrip(".")
        found.setdefault(near, f"{rest} {text}" if rest else text)
    return found


def _names(fields: Sequence[InputField]) -> Iterator[str]:
    for field in fields:
        yield field.name
        yield from _names(field.parts)


def reshaped(values: Mapping[str, str], *, add: str = "", remove: str = "") -> dict[str, str]:
    """Return what was typed with an item added to the list `add`, or the item `remove` gone.

    Items after one that is gone move up. What names no list or item changes nothing.
    """
    if add:
        count = count_of(values, add)
        return {**values, f"{add}{COUNT}": str(min(count + 1, MOST_ITEMS))}
    head, bracket, index = remove.rpartition("[")
    found = _INDEX.fullmatch(f"{bracket}{index}")
    if found is None:
        return dict(values)
    gone = int(found[1])
    made = {f"{head}{COUNT}": str(max(count_of(values, head) - 1, 0))}
    for name, value in values.items():
        at = _INDEX.match(name, len(head)) if name.startswith(f"{head}[") else None
        if at is None:
            made.setdefault(name, value)
        elif (position := int(at[1])) != gone:
            moved = position - (position > gone)
            made[f"{head}[{moved}]{name[at.end() :]}"] = value
    return made


def count_of(values: Mapping[str, str], name: str) -> int:
    """Return how many items a list has in a form."""
    text = values.get(f"{name}{COUNT}", "")
    return min(int(text), MOST_ITEMS) if _COUNT.fullmatch(text) else 0


def place(parent: str, key: str) -> str:
    """Return the name of a key's field, written as problems with the data name it."""
    if _PLAIN.match(key):
        return f"{parent}.{key}"
    escaped = key.replace("\\", "\\\\").replace("'", r"\'")
    return f"{parent}['{escaped}']"


def _field(
    name: str,
    label: str,
    schema: Mapping[str, Any],
    values: Mapping[str, str],
    *,
    required: bool,
    depth: int,
) -> InputField:
    schema = _single(schema)
    kind = _kind(schema, depth)
    facts: dict[str, Any] = {
        "name": name,
        "label": str(schema.get("title") or label),
        "help": str(schema.get("description", "")),
        "kind": kind,
        "is_required": required,
    }
    if kind == "group":
        return InputField(**facts, parts=tuple(_group(name, schema, values, depth)))
    if kind == "list":
        return InputField(**facts, parts=tuple(_items(name, schema, values, depth)))
    examples = schema.get("examples") or ()
    return InputField(
        **facts,
        default=_shown(kind, schema["default"]) if "default" in schema else "",
        example=_shown(kind, examples[0]) if examples else "",
        choices=tuple(_choices(schema)) if kind == "choice" else (),
    )


def _group(
    name: str, schema: Mapping[str, Any], values: Mapping[str, str], depth: int
) -> Iterator[InputField]:
    needed = [key for key in schema.get("required", ()) if key in schema["properties"]]
    # The database keeps no order of properties: what is needed comes first, as it is listed.
    for key in dict.fromkeys([*needed, *schema["properties"]]):
        part = schema["properties"][key]
        label = key.replace("_", " ").capitalize()
        yield _field(place(name, key), label, part, values, required=key in needed, depth=depth + 1)


def _items(
    name: str, schema: Mapping[str, Any], values: Mapping[str, str], depth: int
) -> Iterator[InputField]:
    is_new = f"{name}{COUNT}" not in values
    count = min(int(schema.get("minItems", 0)), _FIRST_ITEMS) if is_new else count_of(values, name)
    for position in range(count):
        label, item = f"No. {position + 1}", schema["items"]
        yield _field(f"{name}[{position}]", label, item, values, required=True, depth=depth + 1)


def _single(schema: Any) -> Mapping[str, Any]:
    """Return the schema of what is there, where `null` is the only other thing it may be."""
    if not isinstance(schema, Mapping):
        return {}
    for word in ("anyOf", "oneOf"):
        others = [one for one in schema.get(word, ()) if one != {"type": "null"}]
        if word in schema and len(others) == 1 and isinstance(others[0], Mapping):
            return {**others[0], **{key: part for key, part in schema.items() if key != word}}
    return schema


def _kind(schema: Mapping[str, Any], depth: int) -> Kind:
    if "enum" in schema or "const" in schema:
        return "choice"
    types = schema.get("type")
    names = [one for one in (types if isinstance(types, list) else [types]) if one != "null"]
    name = names[0] if len(names) == 1 else None
    if name == "string":
        return _text_kind(schema)
    if depth < _DEEPEST and name == "object" and schema.get("properties"):
        return "group"
    if depth < _DEEPEST and name == "array" and isinstance(schema.get("items"), Mapping):
        return "list"
    return _SIMPLE.get(name, "json")


_SIMPLE: dict[str | None, Kind] = {"integer": "number", "number": "number", "boolean": "yes"}


def _text_kind(schema: Mapping[str, Any]) -> Kind:
    match schema.get("format"):
        case "date":
            return "date"
        case "date-time":
            return "moment"
    is_long = isinstance(longest := schema.get("maxLength"), int) and longest > 200
    return "lines" if is_long else "text"


def _choices(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for value in schema.get("enum") or [schema.get("const")]:
        text = msgspec.json.encode(value).decode()
        yield text, value if isinstance(value, str) else text


def _shown(kind: Kind, value: Any) -> str:
    """Return a value as it is typed into a field of the kind."""
    if isinstance(value, str) and kind not in ("choice", "json"):
        return value[:16] if kind == "moment" else value
    return msgspec.json.encode(value).decode()


def _read_parts(
    fields: Sequence[InputField], values: Mapping[str, str], errors: dict[str, str]
) -> dict[str, Any]:
    data = {}
    for field in fields:
        value = _read(field, values, errors)
        if value is not NOTHING:
            data[_key(field.name)] = value
    return data


def _key(name: str) -> str:
    """Return the key that the last part of a field's name stands for."""
    if name.endswith("']"):
        quoted = name[name.rindex("['") + 2 : -2]
        return quoted.replace(r"\'", "'").replace("\\\\", "\\")
    return name.rpartition(".")[2]


def _read(field: InputField, values: Mapping[str, str], errors: dict[str, str]) -> Any:
    if field.kind == "group":
        data = _read_parts(field.parts, values, errors)
        return data if data or field.is_required else NOTHING
    if field.kind == "list":
        items = [_read(part, values, errors) for part in field.parts]
        kept = ["" if item is NOTHING else item for item in items]
        return kept if kept or field.is_required else NOTHING
    given = values.get(field.name, "")
    return _read_text(field, given, errors) if given.strip() else NOTHING


def _read_text(field: InputField, given: str, errors: dict[str, str]) -> Any:
    match field.kind:
        case "number" | "json" | "choice" | "yes":
            return _decoded(field, given.strip(), errors)
        case "moment" if len(given) == len("2026-01-01T00:00"):
            return f"{given}:00Z"
    return given


def _decoded(field: InputField, text: str, errors: dict[str, str]) -> Any:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        errors[field.name] = (
            "Type a number, such as 12 or 0.5."
            if field.kind == "number"
            else f"This is no JSON: {error}."
        )
        return NOTHING
    return value
