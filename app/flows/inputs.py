"""What a flow takes: its document's `inputs`, a JSON Schema (2020-12), and data checked by it.

Data comes from outside: patterns are matched by RE2, which takes linear time whatever it is
given, uniqueness is checked in linear time too, and no schema is ever fetched.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec
import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from app.core.errors import Invalid, Refusal
from app.flows.document import BadDocument

MOST_PROBLEMS = 20
_DATA = frozenset({"const", "enum", "default", "examples"})
_WORDS = {
    "type": "must be {}",
    "enum": "must be one of {}",
    "const": "must be {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "pattern": "must match {}",
    "format": "must be written as {}",
    "minItems": "must have at least {} entries",
    "maxItems": "must have at most {} entries",
    "uniqueItems": "must not have an entry twice",
    "minProperties": "must have at least {} fields",
    "maxProperties": "must have at most {} fields",
    "anyOf": "fits none of the alternatives",
    "oneOf": "must fit exactly one of the alternatives",
    "not": "is just what it must not be",
}


class BadInput(Invalid):
    """`fields` maps a path such as `$.disks[0].size` to what is expected there."""

    code = "flow.bad_input"

    def __init__(self, flow: str, fields: dict[str, str]) -> None:
        lines = "; ".join(f"{path} {expected}" for path, expected in fields.items())
        Refusal.__init__(self, f"The flow {flow} does not take this input: {lines}.")
        self.fields = fields
        self.flow = flow


class Inputs:
    """A compiled schema; made once for a version, used for each of its runs."""

    def __init__(self, flow: str, schema: Mapping[str, Any]) -> None:
        """Raise BadDocument when `schema` cannot be used."""
        if problems := schema_problems(schema):
            raise BadDocument(f"the inputs of {flow} {problems[0]}")
        self._flow = flow
        self._check = _Checker(
            schema, registry=Registry(), format_checker=Draft202012Validator.FORMAT_CHECKER
        )

    def require(self, data: Mapping[str, Any]) -> None:
        """Raise BadInput with the first problems, never with the data itself."""
        try:
            found = list(islice(self._check.iter_errors(msgspec.to_builtins(data)), MOST_PROBLEMS))
        except Unresolvable as error:
            where = f"the inputs of {self._flow} refer to {error.ref}, where nothing is"
            raise BadDocument(where) from error
        if found:
            raise BadInput(self._flow, {path: text for one in found for path, text in _said(one)})


def schema_problems(schema: Mapping[str, Any]) -> list[str]:
    """Return what keeps `schema` from being used; each reads on after “its inputs”."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return [f"are no JSON Schema: {error.json_path}: {error.message[:200]}"]
    return list(_misuses(schema))


def storable_data(value: Any) -> Any:
    """Return JSON data as PostgreSQL can hold it: without NUL, which no jsonb has."""
    match value:
        case str():
            return value.replace("\x00", "�")
        case dict():
            return {storable_data(key): storable_data(inner) for key, inner in value.items()}
        case list() | tuple():
            return [storable_data(inner) for inner in value]
        case _:
            return value


def _misuses(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for part in schema:
            yield from _misuses(part)
    if not isinstance(schema, dict):
        return
    for name, part in schema.items():
        if name == "pattern" and isinstance(part, str):
            try:
                re2.compile(part)
            except re2.error:
                yield f"have a pattern that RE2 cannot match: {part[:80]}"
        elif name == "patternProperties":
            yield "use patternProperties; name the properties instead"
        elif name in ("$ref", "$dynamicRef") and isinstance(part, str) and part[:1] != "#":
            yield f"refer to {part[:80]}; only references within them are followed"
        elif name not in _DATA:
            yield from _misuses(part)


def _said(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Say what is expected, not what was given: that may be a secret, and a long one."""
    name, wanted = str(error.validator), error.validator_value
    if name == "required" and isinstance(error.instance, dict):
        for missing in wanted:
            if missing not in error.instance:
                yield f"{error.json_path}.{missing}", "is missing"
    elif name in ("additionalProperties", "unevaluatedProperties"):
        known = ", ".join(error.schema.get("properties", ())) or "none"
        yield error.json_path, f"has fields that are not known; known are: {known[:200]}"
    else:
        yield error.json_path, _WORDS.get(name, f"breaks the rule {name}").format(_brief(wanted))


def _brief(wanted: Any) -> str:
    if isinstance(wanted, list):
        return ", ".join(str(one) for one in wanted)[:200]
    return str(wanted)[:200]


def _pattern(
    _: Any, pattern: str, instance: Any, __: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and re2.search(pattern, instance) is None:
        yield ValidationError("does not match")


def _unique(
    _: Any, wanted: bool, instance: Any, __: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if wanted and isinstance(instance, list):
        seen = {msgspec.json.encode(one, order="deterministic") for one in instance}
        if len(seen) < len(instance):
            yield ValidationError("has an entry twice")


_Checker = extend(Draft202012Validator, {"pattern": _pattern, "uniqueItems": _unique})
