"""What nobody means to send: refused with its reason, never a fault of ours."""

from typing import Any
from uuid import UUID

import pytest

from tests.admin.stage import Stage
from tests.api.conftest import Program
from tests.api.documents import document
from tests.api.test_flows import GREET, publish

HUGE = 10**30
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "path",
    [
        f"/api/v1/flows/greet/versions/{HUGE}",
        f"/api/v1/flows/greet/document?version={HUGE}",
        f"/api/v1/flows/greet/diff?before={HUGE}",
        f"/api/v1/flows/greet/versions/{2**31}",
        f"/api/v1/node-types/action.send_mail?version={HUGE}",
        f"/api/v1/runs/{UUID(int=7)}/attempts/{HUGE}",
        "/api/v1/flows/%ff%fe",
        "/api/v1/flows/%F0%9F%8E%89",
        "/api/v1/flows/..%2f..%2fetc",
        "/api/v1/runs/nothing",
        "/api/v1/nothing",
        f"/api/v1/runs?order={HUGE}&client=%ff&server=%F0%9F%8E%89&q=%25_%5c",
        f"/api/v1/runs?cursor={'A' * 5_000}",
    ],
)
async def test_odd_addresses_are_answered(owner: Program, path: str) -> None:
    await publish(owner, document())
    answer = await owner.get(path)
    assert answer.status_code in {200, 400, 404, 422}, answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("disable", {"reason": "a\0b"}),
        ("roll-back", {"version": HUGE}),
        ("roll-back", {"version": -1}),
        ("runs", {"version": HUGE}),
        ("runs", {"input": {"a\0": "b\0"}}),
        ("bind", {"category": "a\0b"}),
        ("versions", {"document": document(name="a\0b"), "note": "x"}),
        ("versions", {"document": document(description="x" * 2_000_000), "note": "x"}),
        ("versions", {"document": document(flow="greet"), "note": "\0"}),
    ],
)
async def test_odd_bodies_are_refused(
    stage: Stage, owner: Program, path: str, body: dict[str, Any]
) -> None:
    await publish(owner, document())
    answer = await owner.post(f"{GREET}/{path}", json=body)
    assert answer.status_code in {400, 404, 409, 413, 422}, answer.text


async def test_a_backslash_before_the_zero_is_no_zero(owner: Program) -> None:
    await publish(owner, document(description="\\u0000 is how JSON writes it"))
    shown = await owner.get(f"{GREET}/document")
    assert shown.json()["description"] == "\\u0000 is how JSON writes it"


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b'{"reason": "\\ud800"}', JSON),
        (b'{"reason": "\\udfff\\ud800"}', JSON),
        (b'{"reason": "\xff"}', JSON),
        (b'{"reason": "a", "reason": 7}', JSON),
        (b"reason=enough", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b'{"reason": 1e999}', JSON),
        (b'["reason"]', JSON),
        (b"null", JSON),
    ],
)
async def test_bodies_that_are_no_json_of_ours_are_refused(
    owner: Program, content: bytes, headers: dict[str, str]
) -> None:
    await publish(owner, document())
    answer = await owner.post(f"{GREET}/disable", content=content, headers=headers)
    assert answer.status_code in {400, 415, 422}, answer.text


async def test_other_methods_are_refused(owner: Program) -> None:
    for method in ("DELETE", "PUT", "PATCH"):
        answer = await owner.request(method, "/api/v1/runs")
        assert answer.status_code == 405
        assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("method", "path", "body", "field", "said"),
    [
        (
            "POST",
            f"/api/v1/servers/{UUID(int=7)}/power",
            {"deed": "explode", "reason": "x"},
            "deed",
            "'explode' is none of these: reset, restart, start, stop",
        ),
        (
            "POST",
            "/api/v1/prefixes",
            {"prefix": "10.0.0.0/8", "status": "shiny", "datacentre": "ams1"},
            "status",
            "'shiny' is none of these: ",
        ),
        (
            "GET",
            "/api/v1/servers?status=tired",
            None,
            "status",
            "'tired' is none of these: enrolled",
        ),
        ("GET", "/api/v1/servers?limit=many", None, "limit", "Expected `int"),
    ],
)
async def test_what_may_be_chosen_is_told_with_its_field(
    *, owner: Program, method: str, path: str, body: Any, field: str, said: str
) -> None:
    answer = await owner.request(method, path, json=body)
    assert answer.status_code == 422, answer.text
    told = answer.json()
    assert told["fields"][field].startswith(said)
    assert told["detail"].startswith(f"{field}: {said}")
