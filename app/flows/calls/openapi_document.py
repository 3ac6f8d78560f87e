"""Read an OpenAPI document: its operations, references and examples. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from app.core.errors import Refusal
from app.flows.calls.filled import METHODS

LONGEST_CHARS = 2_000_000
LONGEST_YAML_CHARS = 300_000
"""YAML is read some hundred times slower than JSON."""
DEEPEST, MOST = 8, 400
"""How deep an example is made, and of how many values."""
_SAMPLES: Mapping[str, Any] = {
    "boolean": False, "null": None, "array": [], "object": {},
}  # fmt: skip
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "email": "ada@example.org",
    "hostname": "host.example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


class BadOpenApi(Refusal):
    code = "flow.bad_openapi"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This OpenAPI document cannot be taken over: {reason}.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Operation:
    """One way of calling one path; `shared` is what all ways of that path have."""

    method: str
    path: str
    said: Mapping[str, Any]
    shared: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


class ApiDocument:
    """A document of OpenAPI 3 or Swagger 2, read with nothing fetched from elsewhere."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self.whole = whole

    @property
    def is_swagger(self) -> bool:
        return str(self.whole.get("swagger", "")).startswith("2.")

    def operations(self) -> Iterator[Operation]:
        """Yield the operations that an HTTP call can do, in the document's order."""
        for path, found in mapping(self.whole.get("paths")).items():
            shared = self.resolved(found)
            for method, said in shared.items():
                if str(method).upper() in METHODS and isinstance(said, dict):
                    yield Operation(str(method).upper(), str(path), said, shared)

    def resolved(self, value: Any) -> Mapping[str, Any]:
        """Return an object, or what its reference names. Raises BadOpenApi for one elsewhere."""
        for _ in range(DEEPEST):
            found = mapping(value)
            reference = found.get("$ref")
            if not isinstance(reference, str):
                return found
            value = self._named(reference)
        raise BadOpenApi(f"the reference {reference} leads to no end")

    def _named(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise BadOpenApi(f"it refers to {reference}, outside of itself; put both into one")
        found: Any = self.whole
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or key not in found:
                raise BadOpenApi(f"it has nothing at {reference}")
            found = found[key]
        return found

    def example(self, schema: Any) -> Any:
        """Return a value that the schema takes: its example, its default, or one made of its type.

        Of an object what is required, or all of it where nothing is.
        """
        return self._example(schema, DEEPEST, [MOST])

    def _example(self, schema: Any, depth: int, left: list[int]) -> Any:
        found = self.resolved(schema)
        left[0] -= 1
        is_given, given = next((one for one in _given(found) if one[0]), (False, None))
        if is_given or depth == 0 or left[0] < 0:
            return given
        for either in ("oneOf", "anyOf"):
            if isinstance(found.get(either), list) and found[either]:
                return self._example(found[either][0], depth - 1, left)
        if isinstance(found.get("allOf"), list):
            parts = [self._example(part, depth - 1, left) for part in found["allOf"]]
            parts.append(self._object(found, depth, left))
            return {key: value for part in parts for key, value in mapping(part).items()}
        if "items" in found:
            return [self._example(found["items"], depth - 1, left)]
        return self._object(found, depth, left) if "properties" in found else _of_type(found)

    def _object(self, schema: Mapping[str, Any], depth: int, left: list[int]) -> dict[str, Any]:
        known = mapping(schema.get("properties"))
        required = schema.get("required")
        names = [name for name in required if name in known] if isinstance(required, list) else []
        return {
            name: self._example(known[name], depth - 1, left)
            for name in names or known
            if not mapping(known[name]).get("readOnly")
        }


def _given(schema: Mapping[str, Any]) -> Iterator[tuple[bool, Any]]:
    """Yield what a schema itself gives as a value, the best first, and whether it does."""
    for name in ("example", "default", "const"):
        yield name in schema, schema.get(name)
    for name in ("examples", "enum"):
        values = schema.get(name)
        yield (True, values[0]) if isinstance(values, list) and values else (False, None)


def _of_type(schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind in {"integer", "number"}:
        return schema.get("minimum", 0)
    return _SAMPLES.get(str(kind), _FORMATS.get(str(schema.get("format")), "string"))


def read_document(text: str) -> ApiDocument:
    """Return the document that JSON or YAML says. Raises BadOpenApi."""
    if len(text) > LONGEST_CHARS:
        raise BadOpenApi(f"it is longer than {LONGEST_CHARS:,} characters")
    try:
        whole = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        if text.lstrip().startswith("{"):
            raise BadOpenApi(f"it is no JSON ({error})") from error
        whole = _from_yaml(text)
    known = mapping(whole)
    if not str(known.get("openapi", known.get("swagger", ""))).startswith(("3.", "2.")):
        raise BadOpenApi("it says neither `openapi: 3` nor `swagger: 2`")
    return ApiDocument(known)


def _from_yaml(text: str) -> Any:
    if len(text) > LONGEST_YAML_CHARS:
        raise BadOpenApi(f"YAML of more than {LONGEST_YAML_CHARS:,} characters is slow; give JSON")
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise BadOpenApi(f"it is neither JSON nor YAML ({str(error).splitlines()[0]})") from error


def mapping(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one for anything else: documents are written by hand."""
    return value if isinstance(value, dict) else {}
