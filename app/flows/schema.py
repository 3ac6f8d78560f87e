"""The published JSON Schema (2020-12) of flow documents, for editors and other programs.

Made from the structs that read documents and from the parameters of the node types. What needs
the whole document, such as whether an edge leads to a node, is told by `app/flows/validate` only.
"""

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from app.flows import registry
from app.flows.document import MOST_NODES, SCHEMA, Document
from app.flows.node import NodeType
from app.flows.validate.parameters import must_be_written

ADDRESS = f"urn:slipway:flow:{SCHEMA}"
_REF = "#/$defs/"
_ID = "[A-Za-z_][A-Za-z0-9_-]{0,63}"
_EXPRESSION = {
    "description": "An expression such as `=steps.server.name`; `==` begins a literal `=`.",
    "type": "string",
    "pattern": "^=",
}
_TEMPLATE = {
    "description": "A text with expressions in it, such as `Hello ${input.name}`.",
    "type": "string",
    "pattern": r"\$\{",
}
_PLAIN_TEXT = {"type", "title", "description", "examples", "default", "maxLength"}
"""A text of which nothing else is said may be an expression anyway."""

Kinds = Mapping[tuple[str, int], NodeType]


def flow_schema(kinds: Kinds | None = None) -> dict[str, Any]:
    """Return the schema of documents that use `kinds`, or else all installed node types."""
    kinds = registry.node_types() if kinds is None else kinds
    _, parts = msgspec.json.schema_components((Document,), ref_template=_REF + "{name}")
    document, node = parts.pop("Document"), parts["NodeSpec"]
    document["properties"]["nodes"] |= {
        "propertyNames": {"pattern": f"^{_ID}$"},
        "minProperties": 1,
        "maxProperties": MOST_NODES,
    }
    document["properties"]["edges"]["items"]["prefixItems"] = [
        {"type": "string", "pattern": rf"^{_ID}\..+$", "examples": ["mail.out"]},
        {"type": "string", "pattern": rf"^{_ID}\.in$", "examples": ["mail.in"]},
    ]
    node["properties"]["type"]["enum"] = sorted({name for name, _ in kinds})
    node["allOf"] = [*_versions(kinds), *(_parameters(kind) for _, kind in sorted(kinds.items()))]
    definitions: dict[str, Any] = {**parts, "Expression": _EXPRESSION, "Template": _TEMPLATE}
    for _, kind in sorted(kinds.items()):
        definitions |= _Definitions(kind).made
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ADDRESS,
        **document,
        "title": "Slipway flow",
        "$defs": definitions,
    }
    tidied: dict[str, Any] = _tidied(msgspec.json.decode(msgspec.json.encode(whole)))
    return tidied


def published() -> str:
    """Return the text of `docs/flow-schema.json`: of the node types of this package alone."""
    return (
        json.dumps(flow_schema(registry.shipped_node_types()), indent=1, ensure_ascii=False) + "\n"
    )


def _versions(kinds: Kinds) -> Iterable[dict[str, Any]]:
    """Yield which versions there are of each node type, those that can still be read included."""
    for name in sorted({name for name, _ in kinds}):
        versions: set[int] = set()
        for (other, version), kind in kinds.items():
            if other == name:
                versions |= {version, *kind.upgrades}
        then: dict[str, Any] = {"properties": {"v": {"enum": sorted(versions)}}}
        if 1 not in versions:
            then["required"] = ["v"]
        yield {"if": {"properties": {"type": {"const": name}}}, "then": then}


def _parameters(kind: NodeType) -> dict[str, Any]:
    """Return the condition by which a node's type says what its parameters are."""
    named = {"type": {"const": kind.name}, "v": {"const": kind.version}}
    then: dict[str, Any] = {"properties": {"with": {"$ref": _REF + _key(kind)}}}
    if any(field.required for field in msgspec.structs.fields(kind.params)):
        then["required"] = ["with"]
    condition: dict[str, Any] = {"properties": named}
    if kind.version != 1:
        condition["required"] = ["v"]
    return {"if": condition, "then": then}


def _unwritable(_: type) -> dict[str, Any]:
    """Return the schema of a type that no JSON value becomes: what is written there cannot run."""
    return {"not": {}, "description": "Nothing that a document can hold: leave it out."}


def _key(kind: NodeType) -> str:
    return f"{kind.name}@{kind.version}"


class _Definitions:
    """The definitions of one node type's parameters, under names of their own."""

    def __init__(self, kind: NodeType) -> None:
        self.key = _key(kind)
        (root,), self.parts = msgspec.json.schema_components(
            (kind.params,), ref_template="{name}", schema_hook=_unwritable
        )
        self.made: dict[str, Any] = {}
        whole = dict(self.parts[root["$ref"]]) if "$ref" in root else dict(root)
        properties = whole.get("properties", {})
        whole["properties"] = {
            name: self._read(
                part, is_open=name not in kind.lazy and not must_be_written(kind, name)
            )
            for name, part in properties.items()
        }
        self.made[self.key] = whole | {"title": kind.title, "additionalProperties": False}

    def _read(self, part: Any, *, is_open: bool) -> Any:
        """Return a part with its references renamed; `is_open` to expressions, or as written."""
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            made: dict[str, Any] = {
                **part,
                "$ref": _REF + self._refer(part["$ref"], is_open=is_open),
            }
        elif "anyOf" in part:
            return self._read_any(part, is_open=is_open)
        else:
            made = dict(part)
            for word in ("items", "additionalProperties"):
                if word in part:
                    made[word] = self._read(part[word], is_open=is_open)
            if "prefixItems" in part:
                made["prefixItems"] = [
                    self._read(one, is_open=is_open) for one in part["prefixItems"]
                ]
            if "properties" in part:
                made["properties"] = {
                    name: self._read(one, is_open=is_open)
                    for name, one in part["properties"].items()
                }
        return self._opened(made) if is_open else made

    def _read_any(self, part: dict[str, Any], *, is_open: bool) -> dict[str, Any]:
        made: list[Any] = []
        for one in part["anyOf"]:
            read = self._read(one, is_open=is_open)
            for each in read["anyOf"] if set(read) == {"anyOf"} else [read]:
                if each not in made:
                    made.append(each)
        return {**part, "anyOf": made}

    def _opened(self, part: dict[str, Any]) -> dict[str, Any]:
        """Return a part that an expression may stand for."""
        kind = part.get("type")
        words = set(part) - {"title", "description", "examples", "default", "$comment"}
        if not words or (kind == "string" and set(part) <= _PLAIN_TEXT):
            return part
        ways = [{"$ref": f"{_REF}Expression"}]
        if kind == "string" or "enum" in part:
            ways.append({"$ref": f"{_REF}Template"})
        said: dict[str, Any] = {
            word: part[word] for word in ("title", "description", "default") if word in part
        }
        bare = {word: value for word, value in part.items() if word not in said}
        return {**said, "anyOf": [bare, *ways]}

    def _refer(self, name: str, *, is_open: bool) -> str:
        key = f"{self.key}:{name}" if is_open else f"{self.key}:{name}:written"
        if key not in self.made:
            self.made[key] = {}  # it may refer to itself
            part = dict(self.parts[name])
            if "properties" in part:
                part["properties"] = {
                    field: self._read(one, is_open=is_open)
                    for field, one in part["properties"].items()
                }
            self.made[key] = part
        return key


def _tidied(value: Any) -> Any:
    """Return the schema with the indentation of docstrings taken out."""
    if isinstance(value, list):
        return [_tidied(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: inspect.cleandoc(one)
        if name == "description" and isinstance(one, str)
        else _tidied(one)
        for name, one in value.items()
    }
