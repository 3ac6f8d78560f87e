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
from jsonschema.exceptions import SchemaError
from referencing.exceptions import Unresolvable

from app.core.errors import Invalid, Refusal
from app.flows.document import BadDocument
from app.flows.json_schema import checker, said

MOST_PROBLEMS = 20
_DATA = frozenset({"const", "enum", "default", "examples"})


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
        self._check = checker(schema)

    def require(self, data: Mapping[str, Any]) -> None:
        """Raise BadInput with the first problems, never with the data itself."""
        try:
            found = list(islice(self._check.iter_errors(msgspec.to_builtins(data)), MOST_PROBLEMS))
        except Unresolvable as error:
            where = f"the inputs of {self._flow} refer to {error.ref}, where nothing is"
            raise BadDocument(where) from error
        if found:
            raise BadInput(self._flow, {path: text for one in found for path, text in said(one)})


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
