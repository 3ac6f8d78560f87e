"""What a node type takes and gives, as JSON Schema (2020-12), for programs and for people."""

import inspect
from typing import Any

import msgspec

from app.flows.node import NodeType


def params_schema(kind: NodeType) -> dict[str, Any]:
    """Return the schema of a node's `with`, its expressions evaluated."""
    return _schema(kind.params)


def output_schema(kind: NodeType) -> dict[str, Any] | None:
    """Return the schema of a node's output as far as no parameters say more; None if not known."""
    if kind.output_of is None:
        return None if kind.output is None else _schema(kind.output)
    try:
        return dict(kind.output_of({}))
    except Exception:  # noqa: BLE001 - a package's own code, which may want its parameters
        return None


def _schema(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return a struct's schema; what has no JSON type of its own may be anything."""
    # msgspec takes an empty answer of the hook for none.
    anything = {"description": "Anything."}
    schema: dict[str, Any] = _tidied(msgspec.json.schema(struct, schema_hook=lambda _: anything))
    return schema


def _tidied(schema: Any) -> Any:
    """Return the schema with the indentation of docstrings taken out."""
    match schema:
        case dict():
            return {
                name: inspect.cleandoc(part)
                if name == "description" and isinstance(part, str)
                else _tidied(part)
                for name, part in schema.items()
            }
        case list():
            return [_tidied(part) for part in schema]
        case _:
            return schema
