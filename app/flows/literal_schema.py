"""What can be known of a value from how it is written in a document."""

from collections.abc import Mapping
from typing import Any

from app.flows.expressions import is_expression


def schema_of(value: Any) -> dict[str, Any]:
    """Return the JSON Schema of what `value` becomes; an expression may become anything."""
    if is_expression(value):
        return {}
    if isinstance(value, dict):
        return object_of(value)
    if isinstance(value, list):
        return {"type": "array", "items": _common([schema_of(part) for part in value])}
    name = _TYPES.get(type(value))
    return {} if name is None else {"type": name}


_TYPES: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
}


def object_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of an object that has these fields, as written."""
    return {
        "type": "object",
        "properties": {str(name): schema_of(value) for name, value in fields.items()},
        "required": [str(name) for name in fields],
    }


def _common(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    return schemas[0] if schemas and all(each == schemas[0] for each in schemas) else {}
