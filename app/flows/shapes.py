"""What is known of a value before there is one: its JSON Schema, and perhaps a sample.

A `Shape` is one place in a schema. Nothing known is a shape too; nothing here raises.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import msgspec

from app.flows.node import NodeType

_DEEPEST = 16
_MOST_PLACES = 5_000
_ALTERNATIVES = ("anyOf", "oneOf", "allOf")
_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
NO_SAMPLE: Any = object()


@dataclass(frozen=True)
class Shape:
    """A place in a schema whose references are looked up in `root`."""

    schema: Mapping[str, Any] = field(default_factory=dict)
    root: Mapping[str, Any] = field(default_factory=dict)
    sample: Any = NO_SAMPLE
    doc: str = ""
    """What is said of the place besides the schema's own description."""
    parts: Mapping[str, "Shape"] = field(default_factory=dict)
    """Keys of a map that have schemas of their own."""
    inner: "Shape | None" = None
    """The items of a list, where they have a schema of their own."""

    def variants(self) -> Iterator[Mapping[str, Any]]:
        """Yield the schemas that may be or are in force here, references followed."""
        yield from _variants(self.schema, self.root, set())

    @property
    def description(self) -> str:
        found = (one.get("description") or one.get("title") for one in self.variants())
        return self.doc or next((str(text) for text in found if text), "")

    @property
    def types(self) -> frozenset[str]:
        """JSON Schema's names of the types that it may have; empty when nothing is known."""
        names: set[str] = set()
        for one in self.variants():
            names.update(_types_of(one))
        if not names and self.sample is not NO_SAMPLE:
            names.add(_NAMES.get(type(self.sample), "string"))
        return frozenset(names)

    @property
    def kind(self) -> str:
        """Return CEL's type, `dyn` where it may be several; null beside another does not count."""
        moments = {one["x-cel"] for one in self.variants() if "x-cel" in one}
        if len(moments) == 1:
            return str(moments.pop())
        return CEL_KINDS.get(self.types - {"null"}, "dyn")

    @property
    def text(self) -> str:
        """Return the type as people read it: `string`, `list of integer`, `string or null`."""
        names = [_PEOPLE.get(name, name) for name in sorted(self.types - {"null"})]
        if names == ["list"] and (inside := self.item().text) != "anything":
            names = [f"list of {inside}"]
        if not names:
            return "null" if self.types else "anything"
        return " or ".join([*names, *(["null"] if "null" in self.types else [])])

    def fields(self) -> dict[str, "Shape"]:
        """Return what is known of the keys of a map, in the schema's order, then the sample's."""
        names: dict[str, None] = dict.fromkeys(self.parts)
        for one in self.variants():
            names.update(dict.fromkeys(one.get("properties", {})))
        if isinstance(self.sample, Mapping):
            names.update(dict.fromkeys(map(str, self.sample)))
        return {name: self.field(name) for name in names}

    def field(self, name: str) -> "Shape":
        """Return the shape of a key of a map."""
        if name in self.parts:
            return self.parts[name]
        found = [one["properties"][name] for one in self.variants()
                 if name in one.get("properties", {})]  # fmt: skip
        if not found:
            found = [one["additionalProperties"] for one in self.variants()
                     if isinstance(one.get("additionalProperties"), Mapping)]  # fmt: skip
        sample = NO_SAMPLE
        if isinstance(self.sample, Mapping) and name in self.sample:
            sample = self.sample[name]
        return Shape(_either(found), self.root, sample)

    def item(self, index: int | None = None) -> "Shape":
        """Return the shape of an item of a list."""
        if self.inner is not None:
            return self.inner
        found: list[Any] = []
        for one in self.variants():
            first = one.get("prefixItems", [])
            if index is None:
                found += first
            elif index < len(first):
                found.append(first[index])
                continue
            if isinstance(one.get("items"), Mapping):
                found.append(one["items"])
        sample = NO_SAMPLE
        if isinstance(self.sample, list) and self.sample:
            sample = self.sample[min(index or 0, len(self.sample) - 1)]
        return Shape(_either(found), self.root, sample)

    def with_sample(self, sample: Any) -> "Shape":
        return replace(self, sample=sample)


CEL_KINDS: dict[frozenset[str], str] = {
    frozenset({"boolean"}): "bool",
    frozenset({"integer"}): "int",
    frozenset({"number"}): "double",
    frozenset({"string"}): "string",
    frozenset({"array"}): "list",
    frozenset({"object"}): "map",
    frozenset(): "dyn",
}
_PEOPLE = {"array": "list", "object": "map"}


def object_shape(parts: Mapping[str, Shape]) -> Shape:
    """Return the shape of a map of these."""
    return Shape({"type": "object"}, parts=parts)


def list_shape(inner: Shape) -> Shape:
    """Return the shape of a list of these."""
    return Shape({"type": "array"}, inner=inner)


def either(one: Shape, other: Shape) -> Shape:
    """Return the shape of what is the one or the other."""
    if not (one.types and other.types):
        return Shape()
    schemas = [without_words(inlined_schema(part)) for part in (one, other)]
    return one if schemas[0] == schemas[1] else Shape({"anyOf": schemas})


def without_words(schema: Any) -> Any:
    """Return a schema without what it says to people."""
    if isinstance(schema, list):
        return [without_words(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    made: dict[str, Any] = {}
    for key, part in schema.items():
        if key == "properties" and isinstance(part, Mapping):
            # A key may well be called `title`.
            made[key] = {name: without_words(one) for name, one in part.items()}
        elif key not in _WORDS:
            made[key] = without_words(part)
    return made


_WORDS = frozenset({"title", "description", "examples"})


def inlined_schema(shape: Shape) -> dict[str, Any]:
    """Return a schema that needs no `root` beside it."""
    made: dict[str, Any] = dict(_Inlining(shape.root).write(shape.schema, ()))
    if shape.parts:
        made["properties"] = {name: inlined_schema(one) for name, one in shape.parts.items()}
    if shape.inner is not None:
        made["items"] = inlined_schema(shape.inner)
    return {**made, "description": shape.doc} if shape.doc else made


def shape_of_output(kind: NodeType, params: Mapping[str, Any]) -> Shape:
    """Return what is known of a node's output from its type and its parameters as written."""
    if kind.output_of is not None:
        try:
            schema = kind.output_of(params)
        except Exception:  # noqa: BLE001 - half-written parameters; a node type of anyone's
            return Shape()
        return Shape(schema, schema)
    return Shape() if kind.output is None else shape_of_type(kind.output)


@lru_cache(maxsize=512)
def shape_of_type(type_: Any) -> Shape:
    """Return the shape of a msgspec type; of one that has no schema nothing is known."""
    try:
        schema = msgspec.json.schema(type_)
    except (TypeError, RuntimeError):
        return Shape()
    return Shape(schema, schema)


def schema_of_value(value: Any, depth: int = 0) -> dict[str, Any]:
    """Return the schema of what a sample is one of; items of a list by the first ten."""
    name = _NAMES.get(type(value), "string")
    if depth > _DEEPEST:
        return {"type": name}
    if isinstance(value, dict):
        fields = {str(key): schema_of_value(part, depth + 1) for key, part in value.items()}
        return {"type": name, "properties": fields}
    if isinstance(value, list) and value:
        return {
            "type": name,
            "items": _either([schema_of_value(one, depth + 1) for one in value[:10]]),
        }
    return {"type": name}


def _variants(schema: Any, root: Mapping[str, Any], seen: set[int]) -> Iterator[Mapping[str, Any]]:
    # Each place of a schema once: one that refers to itself, however often, has an end.
    if not isinstance(schema, Mapping) or id(schema) in seen:
        return
    seen.add(id(schema))
    if "$ref" in schema:
        yield from _variants(_referred(str(schema["$ref"]), root), root, seen)
    if len(schema) > ("$ref" in schema):
        yield schema
    for word in _ALTERNATIVES:
        for part in schema.get(word, ()):
            yield from _variants(part, root, seen)


def _referred(path: str, root: Mapping[str, Any]) -> Any:
    """Return what a reference such as `#/$defs/Output` leads to; None when nothing."""
    found: Any = root
    for key in path.removeprefix("#").strip("/").split("/"):
        if key:
            found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _types_of(schema: Mapping[str, Any]) -> list[str]:
    said = schema.get("type")
    if isinstance(said, str):
        return [said]
    if isinstance(said, list):
        return [str(one) for one in said]
    if "const" in schema:
        return [_NAMES.get(type(schema["const"]), "string")]
    if isinstance(schema.get("enum"), list):
        return [_NAMES.get(type(one), "string") for one in schema["enum"]]
    return ["object"] if "properties" in schema else []


def _either(schemas: list[Any]) -> Mapping[str, Any]:
    unique: list[Any] = []
    for one in schemas:
        if not isinstance(one, Mapping):
            return {}  # `true`: anything
        if one not in unique:
            unique.append(one)
    if len(unique) == 1:
        return unique[0]  # type: ignore[no-any-return]
    return {"anyOf": unique} if unique else {}


class _Inlining:
    """Writes what references lead to in their place, so many places at most."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.left = _MOST_PLACES

    def write(self, schema: Any, open_: tuple[str, ...]) -> Any:
        self.left -= 1
        if isinstance(schema, list):
            return [self.write(one, open_) for one in schema]
        if not isinstance(schema, Mapping):
            return schema
        if self.left < 0:
            return {}
        path = schema.get("$ref")
        if isinstance(path, str):
            # A type within itself ends here: deeper than that nobody looks.
            if path in open_ or len(open_) > _DEEPEST:
                return {}
            rest = {key: part for key, part in schema.items() if key != "$ref"}
            return {**self.write(_referred(path, self.root) or {}, (*open_, path)), **rest}
        return {key: self.write(part, open_) for key, part in schema.items() if key != "$defs"}
