"""The OpenAPI document, read for the page that shows it."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.components.admin.api_reference import Field, Kind, Operation, Reference, Shape

_METHODS = ("get", "post", "put", "patch", "delete")
_BOUNDS = {
    "minimum": "at least {:g}",
    "maximum": "at most {:g}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
}


def reference_of(document: Mapping[str, Any]) -> Reference:
    """Return what the page shows of an OpenAPI 3.1 document."""
    schemas = document.get("components", {}).get("schemas", {})
    return Reference(
        says=document["info"].get("description", ""),
        tags=tuple((tag["name"], tag.get("description", "")) for tag in document.get("tags", ())),
        operations=tuple(_operations(document["paths"])),
        shapes=tuple(_shape(name, schema) for name, schema in sorted(schemas.items())),
    )


def kind_of(schema: Mapping[str, Any]) -> Kind:
    """Return a schema in words: `list of RunLine`, `text (uuid) or null`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Kind(name, (name,))
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            kinds = [kind_of(one) for one in schema[key]]
            words = " or ".join(dict.fromkeys(one.words for one in kinds))
            return Kind(words, tuple(name for one in kinds for name in one.named))
    kind = schema.get("type")
    if isinstance(kind, list):
        return kind_of({"oneOf": [{**schema, "type": one} for one in kind]})
    if kind == "array":
        inner = kind_of(schema.get("items") or {})
        return Kind(f"list of {inner.words}", inner.named)
    return _plain(schema)


def _plain(schema: Mapping[str, Any]) -> Kind:
    if "enum" in schema:
        return Kind("one of " + ", ".join(str(one) for one in schema["enum"]))
    kind = schema.get("type")
    if kind is None:
        return Kind("anything")
    words = "text" if kind == "string" else str(kind)
    if "format" in schema:
        words += f" ({schema['format']})"
    bounds = [text.format(schema[key]) for key, text in _BOUNDS.items() if key in schema]
    return Kind(", ".join([words, *bounds]))


def _operations(paths: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in sorted(paths.items()):
        for method in _METHODS:
            if method in item:
                yield _operation(method, path, item[method])


def _operation(method: str, path: str, says: Mapping[str, Any]) -> Operation:
    answers = says["responses"]
    good = next(status for status in answers if status.startswith("2"))
    body = says.get("requestBody")
    return Operation(
        id=says["operationId"],
        method=method,
        path=path,
        tag=says["tags"][0],
        summary=says["summary"],
        says=says["description"],
        scope=", ".join(
            scope for need in says["security"] for scopes in need.values() for scope in scopes
        ),
        fields=tuple(
            Field(
                name=one["name"],
                kind=_sent(kind_of(one["schema"])),
                says=one.get("description", ""),
                is_required=one.get("required", False),
                place=one["in"],
            )
            for one in says.get("parameters", ())
        ),
        sends=_content(body) if body else None,
        gets=_content(answers[good]),
        refuses=tuple(
            (status, answer["description"])
            for status, answer in sorted(answers.items())
            if status >= "4"
        ),
    )


def _sent(kind: Kind) -> Kind:
    """Return the kind of a parameter, which is left out where an object's field is null."""
    return Kind(kind.words.removesuffix(" or null"), kind.named)


def _content(holder: Mapping[str, Any]) -> Kind:
    (media,) = holder["content"].values()
    return kind_of(media["schema"])


def _shape(name: str, schema: Mapping[str, Any]) -> Shape:
    required = set(schema.get("required", ()))
    return Shape(
        name=name,
        says=schema.get("description", ""),
        fields=tuple(
            Field(
                name=field,
                kind=kind_of(one),
                says=one.get("description", ""),
                is_required=field in required,
            )
            for field, one in schema.get("properties", {}).items()
        ),
        values=tuple(map(str, schema.get("enum", ()))),
        example=next(iter(schema.get("examples", ())), None),
    )
