"""JSON Schemas of outputs and parameters: what is under a path, and which values may be there."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import msgspec

Part: TypeAlias = Mapping[str, Any]
"""One place of a schema. `{}` is anything."""

ANYTHING = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_REF = "#/$defs/"
_UNREAD = ("allOf", "not", "if", "$dynamicRef", "patternProperties", "dependentSchemas")
"""Words that are not looked into: a schema with one of them may be anything."""


class NoSuchKey(msgspec.Struct, frozen=True):
    """Nothing can be under the key: `value` is what it was asked of, `known` what there is."""

    at: int
    """The place of the key in the path."""
    known: tuple[str, ...]
    is_keyed: bool
    """What it was asked of has keys at all."""
    is_sure: bool


class Schema:
    """A schema with its definitions. Those of a struct are exact: it has no other fields."""

    def __init__(
        self, root: Part, *, definitions: Mapping[str, Part] | None = None, is_exact: bool
    ) -> None:
        self.root = root
        self.definitions = root.get("$defs", {}) if definitions is None else definitions
        self.is_exact = is_exact

    def find(self, keys: Sequence[str | int]) -> list[Part] | NoSuchKey:
        """Return what may be under a path of keys: several where the schema has alternatives."""
        here = list(self._alternatives(self.root))
        for at, key in enumerate(keys):
            following: list[Part] = []
            for part in here:
                for under in self._under(part, key):
                    following += self._alternatives(under)
            if not following:
                return self._no_such_key(here, at)
            here = following
        return here

    def _alternatives(self, part: Part, depth: int = 0) -> Iterator[Part]:
        """Yield the schema's alternatives, references followed; null is one of them."""
        if depth > 20 or any(word in part for word in _UNREAD):
            yield {}
            return
        reference = part.get("$ref")
        if isinstance(reference, str):
            name = reference.removeprefix(_REF)
            yield from self._alternatives(self.definitions.get(name, {}), depth + 1)
            return
        among = part.get("anyOf") or part.get("oneOf")
        if isinstance(among, list) and among:
            for one in among:
                yield from self._alternatives(one if isinstance(one, dict) else {}, depth + 1)
            return
        yield part

    def _under(self, part: Part, key: str | int) -> Iterator[Part]:
        kinds = kinds_of(part)
        if isinstance(key, int):
            if "array" in kinds:
                items = part.get("items", {})
                yield items if isinstance(items, dict) and "prefixItems" not in part else {}
            return
        if "object" not in kinds:
            return
        properties = part.get("properties")
        more = part.get("additionalProperties", properties is None)
        if isinstance(properties, dict) and key in properties:
            under = properties[key]
            yield under if isinstance(under, dict) else {}
        elif more is not False:
            yield more if isinstance(more, dict) else {}

    def _no_such_key(self, here: Sequence[Part], at: int) -> NoSuchKey:
        known = {str(name) for part in here for name in part.get("properties") or ()}
        # A schema that somebody wrote by hand may leave out what it does not forbid.
        is_sure = self.is_exact or all(
            "object" not in kinds_of(part) or part.get("additionalProperties") is False
            for part in here
        )
        is_keyed = any("object" in kinds_of(part) for part in here)
        return NoSuchKey(at, tuple(sorted(known)), is_keyed, is_sure)


class Misfit(msgspec.Struct, frozen=True):
    """Why values of one schema are not those of another. With `null`, only null is in the way."""

    why: Literal["kind", "format", "value", "null"]
    given: str
    wanted: str


def misfit(given: Sequence[Part], wanted: Sequence[Part]) -> Misfit | None:
    """Return why no value of `given` can be one of `wanted`; None when some value can.

    A null that is given and not wanted is a misfit too, if a lesser one.
    """
    givens, wanteds = _all_kinds(given), _all_kinds(wanted)
    if not givens & wanteds:
        return Misfit("kind", _words(givens), _words(wanteds))
    pairs = [(one, other) for one in given for other in wanted if kinds_of(one) & kinds_of(other)]
    faults = [_fault(one, other) for one, other in pairs]
    if faults and (first := faults[0]) is not None and None not in faults:
        return first
    if "null" in givens and "null" not in wanteds and givens != ANYTHING:
        return Misfit("null", "null", _words(wanteds))
    return None


def _fault(one: Part, other: Part) -> Misfit | None:
    """Return what keeps two schemas of one kind from having a value in common."""
    formats = one.get("format"), other.get("format")
    if all(isinstance(each, str) for each in formats) and formats[0] != formats[1]:
        return Misfit("format", str(formats[0]), str(formats[1]))
    mine, others = _values(one), _values(other)
    if mine is None or others is None or any(value in others for value in mine):
        return None
    return Misfit("value", _listed(mine), _listed(others))


def kinds_of(part: Part) -> frozenset[str]:
    """Return the JSON types that a schema without alternatives admits; a number may be whole."""
    said = part.get("type")
    if isinstance(said, list):
        kinds = frozenset(name for name in said if isinstance(name, str))
    elif isinstance(said, str):
        kinds = frozenset({said})
    elif (values := _values(part)) is not None:
        kinds = frozenset(_KINDS.get(type(value), "object") for value in values)
    else:
        return ANYTHING
    # 5.0 is a whole number to JSON Schema, and what reads it takes it as one.
    return kinds | {"integer", "number"} if kinds & {"integer", "number"} else kinds


def _all_kinds(parts: Sequence[Part]) -> frozenset[str]:
    return frozenset().union(*(kinds_of(part) for part in parts))


_KINDS = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


_NAMES = {
    "null": "null",
    "boolean": "true or false",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "an object",
}
"""In messages; a whole number is a number."""


def _values(part: Part) -> list[Any] | None:
    if "const" in part:
        return [part["const"]]
    values = part.get("enum")
    return list(values) if isinstance(values, list | tuple) else None


def _words(kinds: frozenset[str]) -> str:
    if kinds == ANYTHING:
        return "anything"
    return " or ".join(_NAMES[kind] for kind in sorted(kinds) if kind in _NAMES)


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(msgspec.json.encode(value).decode() for value in values)


def anything(_: type) -> dict[str, Any]:
    """Return the schema of a type that msgspec knows nothing of: any value, and not empty."""
    return {"$comment": "anything"}


@lru_cache(maxsize=2_048)
def schema_of_type(kind: type[msgspec.Struct]) -> Schema:
    """Return the schema of a struct; of a field whose type says nothing, anything."""
    (root,), definitions = msgspec.json.schema_components((kind,), schema_hook=anything)
    return Schema(root, definitions=definitions, is_exact=True)
