"""Operations of OpenAPI documents become parameters of action.http."""

from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.flows.calls.openapi_document import LONGEST_CHARS, LONGEST_YAML_CHARS, BadOpenApi
from app.flows.described_call import described_call
from app.flows.expressions import resolve
from app.flows.from_openapi import from_openapi
from app.flows.nodes.http import Params

ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
SERVER = {
    "type": "object",
    "required": ["name", "size", "tags"],
    "properties": {
        "id": {"type": "string", "readOnly": True},
        "name": {"type": "string", "example": "web-1"},
        "size": {"$ref": "#/components/schemas/Size"},
        "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        "note": {"type": "string"},
        "inner": {"$ref": "#/components/schemas/Server"},
    },
}
API: dict[str, Any] = {
    "openapi": "3.1.0",
    "servers": [
        {"url": "https://{at}.test/v1/", "variables": {"at": {"default": "api"}}},
    ],
    "security": [{"token": []}],
    "paths": {
        "/servers": {
            "get": {
                "operationId": "list-servers",
                "security": [],
                "parameters": [
                    {"name": "state", "in": "query", "required": True,
                     "schema": {"type": "string", "enum": ["active", "off"]}},
                    {"name": "page", "in": "query", "schema": {"type": "integer"}},
                    {"name": "X-Trace", "in": "header", "required": True, "example": True},
                    {"name": "api_key", "in": "query", "required": True},
                ],
            },
            "post": {
                "requestBody": {"content": {
                    "text/csv": {},
                    "application/json": {"schema": {"$ref": "#/components/schemas/Server"}},
                }},
            },
        },
        "/servers/{id}": {
            "parameters": [ID],
            "delete": {},
            "put": {
                "parameters": [ID | {"example": 7}],
                "requestBody": {"content": {
                    "application/x-www-form-urlencoded": {"schema": {"allOf": [
                        {"$ref": "#/components/schemas/Size"},
                        {"properties": {"at": {"type": "string", "format": "date"}}},
                    ]}},
                }},
            },
            "patch": {"requestBody": {"content": {"multipart/form-data": {}}}},
        },
    },
    "components": {"schemas": {
        "Server": SERVER,
        "Size": {"type": "object", "properties": {
            "cores": {"type": "integer", "minimum": 1}, "fast": {"type": "boolean"},
        }},
    }},
}  # fmt: skip
URL = "https://api.test/v1/servers"
OLD: dict[str, Any] = {
    "swagger": "2.0",
    "host": "old.test",
    "basePath": "/api",
    "schemes": ["http", "https"],
    "paths": {
        "/boxes": {
            "post": {"parameters": [
                {"in": "body", "name": "box", "schema": {"properties": {"a": {"type": "number"}}}},
            ]},
            "put": {"parameters": [
                {"in": "formData", "name": "colour", "required": True, "enum": ["red"]},
                {"in": "formData", "name": "size"},
            ]},
        },
    },
}  # fmt: skip
CREDENTIALS = "It wants credentials (token): keep them in a connection."


def text(document: dict[str, Any], operation: str = "") -> str:
    return f"{operation}\n" * bool(operation) + msgspec.json.encode(document).decode()


@pytest.mark.parametrize(
    ("operation", "params", "notes"),
    [
        ("GET /servers",
         {"url": URL, "query": {"state": "active"}, "headers": {"X-Trace": "true"}},
         ["api_key is a credential: keep it in a connection.", "It may take also: page."]),
        ("post /servers",
         {"url": URL, "method": "POST", "body_as": "json",
          "body": {"name": "web-1", "size": {"cores": 1, "fast": False}, "tags": ["a"]}},
         [CREDENTIALS]),
        ("DELETE /servers/{id}", {"url": f"{URL}/{{id}}", "method": "DELETE"},
         ["Put a value in place of {id} in the URL.", CREDENTIALS]),
        ("PUT /servers/{id}",
         {"url": f"{URL}/7", "method": "PUT", "body_as": "form",
          "body": {"cores": 1, "fast": False, "at": "2026-01-31"}},
         [CREDENTIALS]),
    ],
)  # fmt: skip
def test_an_operation_fills_a_node(
    operation: str, params: dict[str, Any], notes: list[str]
) -> None:
    made = from_openapi(text(API, operation))
    assert made.params == params
    assert list(made.notes) == notes
    msgspec.convert(made.params, Params)


def test_it_is_named_by_its_id_and_yaml_says_the_same() -> None:
    by_name = from_openapi(text(API, "GET /servers"))
    assert from_openapi(text(API, "list-servers")) == by_name
    assert described_call(f"GET /servers\n{yaml.safe_dump(API)}") == by_name


def test_swagger_2_has_its_own_words() -> None:
    made = from_openapi(text(OLD, "POST /boxes"))
    assert made.params == {
        "url": "https://old.test/api/boxes", "method": "POST", "body": {"a": 0}, "body_as": "json",
    }  # fmt: skip
    made = from_openapi(text(OLD, "PUT /boxes"))
    assert (made.params["body"], made.params["body_as"]) == ({"colour": "red"}, "form")


def test_a_document_with_one_operation_and_no_address() -> None:
    made = described_call(text({"openapi": "3.0.0", "paths": {"/a": {"get": {}}}}))
    assert made.params == {"url": "a"}
    assert "choose a connection" in made.notes[0]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (text(API), "name one of its operations on a line before it: GET /servers, POST /servers"),
        (text(API, "GET /nothing"), "name one of its operations"),
        (text(API, "PATCH /servers/{id}"), "multipart/form-data"),
        (text({"openapi": "3.0.0", "paths": {}}), "no operation"),
        (text({"a": 1}), "neither `openapi: 3`"),
        ("{", "no JSON"),
        ("a: [", "neither JSON nor YAML"),
        ("", "neither `openapi: 3`"),
        ("x" * (LONGEST_YAML_CHARS + 1), "YAML of more than"),
        ("x" * (LONGEST_CHARS + 1), "longer than"),
        (text({"openapi": "3.0.0", "paths": {"/a": {"$ref": "other.yaml#/a"}}}), "outside of itself"),
        (text({"openapi": "3.0.0", "paths": {"/a": {"$ref": "#/b"}}}), "nothing at #/b"),
        (text(OLD | {"host": "["}, "POST /boxes"), "is no URL"),
        (text({"openapi": "3.0.0", "paths": {"/a": {"$ref": "#/paths/~1a"}}}), "leads to no end"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_over_is_said(document: str, words: str) -> None:
    with pytest.raises(BadOpenApi) as refused:
        from_openapi(document)
    assert words in refused.value.message


def test_no_text_becomes_an_expression() -> None:
    schema = {"example": {"a": "=input.x", "b": "${input.x}"}}
    body = {"content": {"application/json": {"schema": schema}}}
    made = from_openapi(text({"openapi": "3.0.0", "paths": {"/a": {"put": {"requestBody": body}}}}))
    assert resolve(made.params["body"], {"input": {"x": "hacked"}}) == {
        "a": "=input.x", "b": "${input.x}",
    }  # fmt: skip


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["get", "parameters", "requestBody", "content", "schema", "type", "items", "properties",
             "allOf", "oneOf", "examples", "servers", "url", "name", "in", "required", "$ref", "/a"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=25,
)  # fmt: skip


@given(_JSON)
def test_nonsense_is_refused_or_filled_in_and_never_a_crash(nonsense: Any) -> None:
    document = {"openapi": "3.0.0", "paths": {"/a": {"post": nonsense}}, "servers": nonsense}
    try:
        made = from_openapi(text(document))
    except BadOpenApi:
        return
    assert made.params["method"] == "POST"
