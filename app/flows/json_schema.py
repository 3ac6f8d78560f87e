"""Check values against a JSON Schema (2020-12) that somebody wrote, in bounded time.

Two habits of the library are taken out: patterns are RE2's, linear in the text, where Python's may
take for ever on a text that a client typed; and a reference to elsewhere is an error, where the
library would fetch it. Unique items are counted by a set, where it compares each with each.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import jsonschema
import msgspec
import re2
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from app.core.errors import Refusal
from app.flows.same import identity

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
    "None": "must not be there",
}
"""By rule; that of a schema which is `false` has no name."""


class BadSchema(Refusal):
    code = "flow.bad_schema"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This is not a usable JSON Schema: {reason}")
        self.reason = reason


class Mismatch(msgspec.Struct, frozen=True):
    """Where a value is not as the schema says, `$.disks[0].size`, and what is expected there."""

    path: str
    expected: str


def mismatch(value: Any, schema: Mapping[str, Any]) -> Mismatch | None:
    """Return the first mismatch of `value`, a JSON value, or None when it is as `schema` says.

    Costs about 0.3 ms for each kilobyte of the value. Raises BadSchema.
    """
    try:
        error = next(_validator(_encoded(schema)).iter_errors(value), None)
    except Unresolvable as reference:
        raise BadSchema(f"the reference {reference.ref!r} leads nowhere in it") from reference
    except RecursionError as deep:
        raise BadSchema("it refers to itself without an end, or the value is too deep") from deep
    if error is None:
        return None
    path, expected = next(said(best_match(iter([error]))))
    return Mismatch(path, expected)


def require_schema(schema: Mapping[str, Any]) -> None:
    """Raise BadSchema when `schema` is none."""
    _validator(_encoded(schema))


def said(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Say where and what is expected, not what was given: that may be a secret, and a long one."""
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


def _encoded(schema: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(schema, order="deterministic")


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Any:
    decoded = msgspec.json.decode(schema)
    try:
        jsonschema.Draft202012Validator.check_schema(decoded)
    except SchemaError as error:
        raise BadSchema(f"{error.json_path}: {error.message[:200]}") from error
    if b'"unevaluatedProperties"' in schema and b'"patternProperties"' in schema:
        raise BadSchema("unevaluatedProperties and patternProperties do not go together here")
    return checker(decoded)


def checker(schema: Mapping[str, Any]) -> Any:
    """Return the validator of a schema that is one; `iter_errors` is what it is for."""
    formats = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return _Checker(schema, registry=Registry(), format_checker=formats)


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise BadSchema(f"the pattern {pattern!r} cannot be used: {_words(error)}") from error


def _words(error: Exception) -> str:
    words = error.args[0]
    return words.decode() if isinstance(words, bytes) else str(words)


def _pattern(validator: Any, pattern: str, value: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "string") and not _compiled(pattern).search(value):
        yield ValidationError("does not match")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], value: Any, _: Any
) -> Iterator[ValidationError]:
    if validator.is_type(value, "object"):
        for pattern, schema in patterns.items():
            for name, part in value.items():
                if _compiled(pattern).search(name):
                    yield from validator.descend(part, schema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not validator.is_type(value, "object"):
        return
    known = schema.get("properties", {})
    patterns = [_compiled(pattern) for pattern in schema.get("patternProperties", {})]
    for name in value:
        if name in known or any(pattern.search(name) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError("has a field that is not known")
            return
        else:
            yield from validator.descend(value[name], allowed, path=name)


def _unique_items(validator: Any, wanted: bool, value: Any, _: Any) -> Iterator[ValidationError]:
    if wanted and validator.is_type(value, "array"):
        seen = set()
        for item in value:
            if (key := identity(item)) in seen:
                yield ValidationError("has an entry twice")
                return
            seen.add(key)


_Checker = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    },
)
