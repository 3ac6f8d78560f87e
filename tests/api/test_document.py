"""The OpenAPI document, walked: whole, true, and no operation lets in who should not be."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import jsonschema
import pytest
from litestar import Litestar

from app.core.database import Database
from app.core.ids import new_id
from app.domain.accounts.roles import Role
from app.domain.accounts.scopes import NEEDS, Scope, scopes_of
from app.routes.api.api import OPENAPI
from tests.api.conftest import Call, Program

LOOKS = {"planRackMoves", "planDelivery",
    "checkFlow", "dryRunFlow", "dryRunDocument", "rehearseDocument", "matchServers",
    "previewAddressSpaceImport",
}  # fmt: skip
"""Operations that take a body and change nothing."""
FILES = {"exportPrefixes": "text/csv"}
"""Operations whose answer is no JSON."""
METHODS = {"get", "post", "put", "patch", "delete"}
PROBLEM = "application/problem+json"


class Operation(NamedTuple):
    method: str
    path: str
    says: dict[str, Any]

    @property
    def changes(self) -> bool:
        return self.method != "get" and self.says["operationId"] not in LOOKS

    @property
    def scope(self) -> Scope:
        (requirement,) = self.says["security"]
        (scope,) = requirement["token"]
        return Scope(scope)

    def parameters(self, place: str) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.says.get("parameters", []) if one["in"] == place}

    def address(self) -> str:
        """Return the path with something of the right kind for each of its parameters."""
        address = self.path
        for name, parameter in self.parameters("path").items():
            kind = parameter["schema"].get("format") or parameter["schema"]["type"]
            value = {"uuid": str(new_id()), "integer": "1"}.get(kind, "nothing")
            address = address.replace(f"{{{name}}}", value)
        return address


def operations(app: Litestar) -> Iterator[Operation]:
    for path, item in app.openapi_schema.to_schema()["paths"].items():
        for method in METHODS & item.keys():
            yield Operation(method, path, item[method])


def test_every_route_is_in_the_document(app: Litestar) -> None:
    written = {(one.method, one.path) for one in operations(app)}
    served = {
        (method.lower(), re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path))
        for route in app.routes
        if route.path.startswith("/api/v1")
        for method in route.methods
        if method.lower() in METHODS
    }
    assert written == served
    assert len(written) > 1


BEGINS = {
    "adoptNode",
    "enrolServer",
    "inspectServer",
    "lookAtCloud",
    "lookAtProvider",
    "putNodeRight",
    "readServerHardware",
    "releaseMachine",
    "remedyMachine",
    "removeLeftMachine",
    "removeStrayMachine",
    "repeatNodeErrand",
    "switchServer",
    "withdrawServer",
}
"""What a worker does afterwards: the answer says that it was taken on, not that it is done."""


def test_every_operation_says_what_it_is_what_it_needs_and_how_it_refuses(app: Litestar) -> None:
    found = list(operations(app))
    assert len({one.says["operationId"] for one in found}) == len(found)
    tags = {tag.name for tag in OPENAPI.tags or ()}
    assert tags == {tag for one in found for tag in one.says["tags"]}
    for one in found:
        where = (one.method, one.path)
        assert re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", one.says["operationId"]), where
        assert one.says["summary"], where
        assert one.says["description"].endswith("."), where
        assert one.scope in NEEDS, where
        assert one.changes != one.scope.value.endswith(":read"), where
        for status in (400, 401, 403, 404, 422, 429):
            assert list(one.says["responses"][str(status)]["content"]) == [PROBLEM], where
        (good,) = [int(status) for status in one.says["responses"] if status.startswith("2")]
        assert good in {200, 201, 202}, where
        assert (good == 202) is (one.says["operationId"] in BEGINS), where
        kind = FILES.get(one.says["operationId"], "application/json")
        assert one.says["responses"][str(good)]["content"][kind]["schema"], where
        for parameter in one.says.get("parameters", []):
            assert parameter.get("description"), (where, parameter["name"])


def test_what_changes_something_can_be_asked_once_and_as_it_is_known(app: Litestar) -> None:
    for one in operations(app):
        headers = one.parameters("header")
        if not one.changes:
            assert not {"Idempotency-Key", "If-Match"} & headers.keys()
            continue
        assert "Idempotency-Key" in headers, one.path
        assert "409" in one.says["responses"], one.path
        if "If-Match" in headers:
            assert "412" in one.says["responses"], one.path


def test_the_objects_of_the_document_are_json_schemas_with_words(app: Litestar) -> None:
    schemas = app.openapi_schema.to_schema()["components"]["schemas"]
    assert {"Problem", "RunList"} <= schemas.keys()
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert re.fullmatch(r"[A-Za-z]+", name), name
        assert "app." not in repr(schema), name
        assert "'oneOf': [{}" not in repr(schema), name  # what nothing can be told by
        assert "enum" in schema or schema.get("description", "").endswith("."), name


def test_what_is_sent_has_an_example_that_is_right(app: Litestar) -> None:
    document = app.openapi_schema.to_schema()
    looked_at = 0
    for one in operations(app):
        if "requestBody" not in one.says:
            continue
        schema = one.says["requestBody"]["content"]["application/json"]["schema"]
        # What takes one or several has the example of one.
        (reference,) = [way["$ref"] for way in schema.get("oneOf", [schema]) if "$ref" in way]
        (example,) = document["components"]["schemas"][reference.rpartition("/")[2]]["examples"]
        jsonschema.validate(example, {"$ref": reference, "components": document["components"]})
        looked_at += 1
    assert looked_at > 8


async def test_it_is_served_as_json_and_as_yaml(nobody: Program) -> None:
    as_json = await nobody.get("/api/openapi.json")
    as_yaml = await nobody.get("/api/openapi.yaml")
    assert (as_json.status_code, as_yaml.status_code) == (200, 200)
    assert as_json.json()["info"]["title"] == "Slipway"
    assert "operationId: listRuns" in as_yaml.text


async def test_no_operation_answers_without_a_token(app: Litestar) -> None:
    for number, one in enumerate(operations(app)):
        async with Program(app, None, address=f"198.51.100.{number}") as nobody:
            answer = await nobody.request(one.method, one.address(), json={})
        assert (one.path, answer.status_code) == (one.path, 401)


async def test_no_operation_answers_a_token_that_lacks_its_scope(app: Litestar, call: Call) -> None:
    for scope in Scope:
        program = await call(Role.OWNER, *(set(Scope) - {scope}))
        for one in operations(app):
            if one.scope is not scope:
                continue
            answer = await program.request(one.method, one.address(), json={})
            assert (one.path, answer.status_code) == (one.path, 403)
            assert answer.json()["code"] == "security.scope_missing"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.DESIGNER, Role.FINANCE, Role.CLIENT])
async def test_no_operation_answers_a_token_whose_owner_may_not(
    app: Litestar, call: Call, database: Database, role: Role
) -> None:
    """A token made when its owner had the role of an owner, which is not so any more."""
    program = await call(Role.OWNER)
    async with database.transaction() as tx:
        await tx.execute("UPDATE account SET role = $1", role.value)
    for one in operations(app):
        if one.scope in scopes_of(role):
            continue
        answer = await program.request(one.method, one.address(), json={})
        wanted = (404, "not_found") if role is Role.CLIENT else (403, "security.forbidden")
        assert (one.path, answer.status_code, answer.json()["code"]) == (one.path, *wanted)


async def test_what_is_not_there_is_not_found(app: Litestar, owner: Program) -> None:
    for one in operations(app):
        if one.method == "get" and one.parameters("path"):
            asked = {
                name: 1 for name, given in one.parameters("query").items() if given["required"]
            }
            answer = await owner.get(one.address(), params=asked)
            assert (one.path, answer.status_code) == (one.path, 404)
