"""Plausible outputs of nodes that are not run: for dry runs, samples in the editor, rehearsals.

The same seed and path give the same value, whatever else is in the schema, so that a stand-in
stays as it is while a flow is worked on. Addresses come from the ranges kept for documentation
(RFC 5737, 3849, 7042, 2606): none of them is anybody's.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from app.flows.document import NodeSpec
from app.flows.node import Effect, NodeType
from app.flows.plausible import number, text
from app.flows.shapes import shape_of_output, shape_of_type

_DEEPEST = 8
_MOST_VALUES = 5_000
"""However wide a schema is, and whatever it requires of itself."""
_ITEMS = 2


class Origin(StrEnum):
    """Where a stand-in was taken from."""

    PINNED = "pinned"
    """Sample data that a designer pinned to the node."""

    RECORDED = "recorded"
    """What the node gave in a run."""

    MADE = "made"
    """Made up to fit the schema of the node's output."""

    UNKNOWN = "unknown"
    """Nothing is known of the output: it is an empty map."""


class StandIn(msgspec.Struct, frozen=True):
    output: Any
    origin: Origin


def stand_in(
    name: str,
    spec: NodeSpec,
    kind: NodeType | None,
    *,
    seed: str = "",
    pinned: Mapping[str, Any] | None = None,
    recorded: Mapping[str, Any] | None = None,
) -> StandIn:
    """Return an output for the node `name`: pinned, else recorded, else made for its schema.

    `kind` is None for a node type that is not installed here.
    """
    for given, origin in ((pinned, Origin.PINNED), (recorded, Origin.RECORDED)):
        if given is not None and name in given:
            return StandIn(given[name], origin)
    shape = None if kind is None else shape_of_output(kind, spec.params)
    if shape is None or not (shape.types or any(shape.variants())):
        return StandIn({}, Origin.UNKNOWN)
    return StandIn(made_for(shape.schema, seed=f"{seed}/{name}"), Origin.MADE)


def brought_by(
    name: str,
    spec: NodeSpec,
    kind: NodeType,
    *,
    seed: str = "",
    pinned: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return an input as the event of the trigger `name` brings it; empty for any other node."""
    if kind.event is not None:
        schema = shape_of_type(kind.event).schema
        return dict(made_for(schema, seed=f"{seed}/event")) if schema else {}
    if kind.trigger is None or kind.effect is not Effect.PURE:
        return {}
    brought = stand_in(name, spec, kind, seed=seed, pinned=pinned).output
    return brought if isinstance(brought, dict) else {}


def made_for(schema: Mapping[str, Any], *, seed: str = "") -> Any:
    """Return a value that fits a JSON Schema: its example, default or enum where it has one.

    Optional keys are there, null is taken only where nothing else fits. A `pattern` is met when a
    usual form does (numbers, hexadecimal, names, versions); otherwise it is not.
    """
    return _Maker(schema, seed).value(schema, "", 0)


class _Maker:
    """Makes the value of one schema; `path` names each place of it."""

    def __init__(self, root: Mapping[str, Any], seed: str) -> None:
        self.root = root
        self.seed = seed
        self.left = _MOST_VALUES

    def value(self, schema: Any, path: str, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > 2 * _DEEPEST:
            return None
        said = self._flat(schema, path, depth)
        given = _given(said, f"{self.seed}{path}")
        if given is not _NOTHING:
            return given
        name = path.rpartition(".")[2].partition("[")[0]
        match _type_of(said):
            case "object":
                made: Any = self._object(said, path, depth)
            case "array":
                made = self._array(said, path, depth)
            case "string":
                made = text(said, f"{self.seed}{path}", name)
            case "integer" | "number" as kind:
                made = number(said, f"{self.seed}{path}", is_whole=kind == "integer")
            case kind:
                made = True if kind == "boolean" else None
        return made

    def _flat(self, schema: Any, path: str, depth: int) -> dict[str, Any]:
        """Return a schema with its references followed and one of its alternatives chosen."""
        said: dict[str, Any] = dict(schema) if isinstance(schema, Mapping) else {}
        for _ in range(_DEEPEST):
            if "$ref" in said:
                found = self._referred(str(said.pop("$ref")))
                said = {**found, **said}
            elif "allOf" in said:
                for part in said.pop("allOf"):
                    said = _merged(self._flat(part, path, depth), said)
            elif "anyOf" in said or "oneOf" in said:
                choices = said.pop("anyOf", None) or said.pop("oneOf", None) or [{}]
                said = {**self._choice(choices, depth), **said}
            else:
                break
        return said

    def _choice(self, choices: list[Any], depth: int) -> Mapping[str, Any]:
        """Return the first that is not null; null, if it may be, where it grows too deep."""
        nulls = [one for one in choices if isinstance(one, Mapping) and one.get("type") == "null"]
        others = [one for one in choices if isinstance(one, Mapping) and one not in nulls]
        if nulls and (depth >= _DEEPEST or not others):
            return dict(nulls[0])
        return dict(others[0]) if others else {}

    def _referred(self, path: str) -> Mapping[str, Any]:
        found: Any = self.root
        for key in path.removeprefix("#").strip("/").split("/"):
            if key:
                found = found.get(key) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    def _object(self, said: Mapping[str, Any], path: str, depth: int) -> dict[str, Any]:
        properties: Mapping[str, Any] = said.get("properties", {})
        required = set(said.get("required", ()))
        made = {
            name: self.value(part, f"{path}.{name}", depth + 1)
            for name, part in properties.items()
            if part is not False and (depth < _DEEPEST or name in required)
        }
        others = said.get("additionalProperties")
        for name in sorted(required - made.keys()):
            made[name] = self.value(others, f"{path}.{name}", depth + 1)
        least = said.get("minProperties", 0)
        if isinstance(others, Mapping) and not properties and depth < _DEEPEST:
            least = max(1, least)
        while len(made) < least and self.left > 0:
            name = "example" if not made else f"example-{len(made) + 1}"
            made[name] = self.value(others, f"{path}.{name}", depth + 1)
        return made

    def _array(self, said: Mapping[str, Any], path: str, depth: int) -> list[Any]:
        first: list[Any] = list(said.get("prefixItems", ()))
        made = [self.value(part, f"{path}[{at}]", depth + 1) for at, part in enumerate(first)]
        items = said.get("items", {})
        least = said.get("minItems", 0)
        count = 0 if first or depth >= _DEEPEST else _ITEMS
        count = min(max(count, least), said.get("maxItems", 10**6))
        if items is False:
            count = len(made)
        at = len(made)
        while len(made) < count and at < count + 50 and self.left > 0:
            one = self.value(items, f"{path}[{at}]", depth + 1)
            at += 1
            if not said.get("uniqueItems") or one not in made:
                made.append(one)
        return made


_NOTHING: Any = object()


def _given(said: Mapping[str, Any], seed: str) -> Any:
    """Return what the schema itself gives: a constant, an example, a default, one of an enum."""
    if "const" in said:
        return said["const"]
    for word in ("examples", "enum"):
        choices = said.get(word)
        if isinstance(choices, list) and choices:
            return choices[number({}, f"{seed}/{word}", is_whole=True) % len(choices)]
    default = said.get("default")
    return _NOTHING if default is None else default


def _type_of(said: Mapping[str, Any]) -> str | None:
    """Return the type to make; of several the first that is not null."""
    name = said.get("type")
    if isinstance(name, list):
        name = next((one for one in name if one != "null"), "null")
    if name is None and ("properties" in said or "required" in said):
        return "object"
    if name is None and ("items" in said or "prefixItems" in said):
        return "array"
    if name is None and ("format" in said or "pattern" in said or "minLength" in said):
        return "string"
    return None if name is None else str(name)


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return two schemas that are both in force as one."""
    made = {**one, **other}
    if "properties" in one and "properties" in other:
        made["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        made["required"] = sorted({*one["required"], *other["required"]})
    return made
