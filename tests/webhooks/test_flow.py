"""`/hooks/…`: who may call, what is answered, and that nothing is started twice."""

import asyncio
import hashlib
import hmac
from uuid import UUID

import httpx
import pytest
import structlog
from redis.asyncio import Redis

from app.flows.inputs import BadInput
from app.routes.webhooks.flow import MAX_BODY_BYTES
from tests.flows.triggers.board import Board
from tests.webhooks.conftest import SECRET

SIGNED = {"auth": "hmac", "connection": "github", "delivery_header": "X-GitHub-Delivery"}


def signed(body: bytes, *, delivery: str = "1", secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "X-Hub-Signature-256": f"sha256={digest}",
        "X-GitHub-Delivery": delivery,
        "Content-Type": "application/json",
    }


async def test_a_call_is_answered_with_its_run(board: Board, http: httpx.AsyncClient) -> None:
    await board.listen("deploy", "webhook", path="github/deploy")
    answer = await http.post("/hooks/github/deploy?x=1", json={"ref": "main"})
    assert answer.status_code == 202
    (run,) = await board.runs()
    assert answer.json() == {"run": str(run["id"])}
    assert run["input"]["body"] == {"ref": "main"}
    assert (run["input"]["query"], run["input"]["path"]) == ({"x": "1"}, "github/deploy")
    assert "set-cookie" not in answer.headers


async def test_a_webhook_delivered_three_times_is_one_run(
    board: Board, http: httpx.AsyncClient
) -> None:
    """Pitfall: n8n#31837. In a row, and again at once."""
    await board.listen("deploy", "webhook", path="deploy", **SIGNED)
    body = b'{"ref": "main"}'

    async def deliver() -> str:
        answer = await http.post("/hooks/deploy", content=body, headers=signed(body))
        assert answer.status_code == 202
        return str(answer.json()["run"])

    runs = [await deliver() for _ in range(3)]
    runs += await asyncio.gather(*(deliver() for _ in range(3)))
    assert len(set(runs)) == 1
    assert len(await board.runs()) == 1


async def test_forms_and_text_are_taken_too(board: Board, http: httpx.AsyncClient) -> None:
    await board.listen("deploy", "webhook", path="deploy", methods=["POST", "PUT", "GET"])
    await http.post("/hooks/deploy", data={"a": "1"})
    await http.post("/hooks/deploy", data={"a": "1"}, files={"f": ("a.txt", b"12345")})
    await http.put("/hooks/deploy", content=b"plain", headers={"Content-Type": "text/plain"})
    await http.get("/hooks/deploy", params={"a": "1"})
    bodies = [run["input"]["body"] for run in await board.runs()]
    assert bodies == [
        {"a": "1"},
        {"a": "1", "f": {"filename": "a.txt", "size_bytes": 5}},
        "plain",
        None,
    ]


async def test_who_cannot_sign_starts_nothing(board: Board, http: httpx.AsyncClient) -> None:
    await board.listen("deploy", "webhook", path="deploy", **SIGNED)
    await board.listen("token", "webhook", path="token", auth="token", connection="github")
    await board.listen("gone", "webhook", path="gone", auth="token", connection="removed")
    body = b"{}"
    calls = [
        ("deploy", {}),
        ("deploy", signed(body, secret="guess")),
        ("deploy", signed(b"{ }")),
        ("token", {"Authorization": "Bearer guess"}),
        ("gone", {"Authorization": "Bearer "}),
    ]
    for path, headers in calls:
        with structlog.testing.capture_logs() as logs:
            answer = await http.post(f"/hooks/{path}", content=body, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["code"] == "hooks.not_signed"
        (line,) = [one for one in logs if one["event"] == "hook called"]
        assert line["refused"]
        assert SECRET not in f"{line}{answer.text}"
    assert await board.runs() == []
    allowed = await http.post("/hooks/token", headers={"Authorization": f"Bearer {SECRET}"})
    assert allowed.status_code == 202


async def test_an_unknown_path_is_not_found_whatever_the_reason(
    board: Board, http: httpx.AsyncClient
) -> None:
    await board.listen("deploy", "webhook", path="deploy")
    await board.listen("off", "webhook", path="off")
    await board.disable("off")
    await board.listen("moved", "webhook", path="old")
    await board.listen("moved", "webhook", path="new")
    answers = [
        await http.post("/hooks/nothing"),
        await http.post("/hooks/off"),
        await http.post("/hooks/old"),
        await http.put("/hooks/deploy"),
        await http.post("/hooks/deploy%2f.."),
        await http.post("/hooks/" + "x" * 5_000),
        await http.get("/hooks/%F0%9F%9A%80", headers={"Accept": "text/html"}),
    ]
    assert {answer.status_code for answer in answers} == {404}
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert set(told) >= {"status", "code", "detail"}
        assert told["code"] == "not_found"
    assert await board.runs() == []
    assert (await http.post("/hooks/new")).status_code == 202


async def test_what_a_flow_does_not_take_is_told_by_its_path(
    board: Board, http: httpx.AsyncClient
) -> None:
    asks = {"properties": {"body": {"type": "object", "required": ["ref"]}}}
    await board.listen("deploy", "webhook", asks, path="deploy")
    answer = await http.post("/hooks/deploy", json={"token": "hunter2"})
    assert answer.status_code == 422
    assert answer.json()["code"] == BadInput.code
    assert answer.json()["fields"] == {"$.body.ref": "is missing"}
    assert "hunter2" not in answer.text


async def test_a_body_that_cannot_be_read_or_is_too_large(
    board: Board, http: httpx.AsyncClient
) -> None:
    await board.listen("deploy", "webhook", path="deploy")
    headers = {"Content-Type": "application/json"}
    for raw in (b"{", b"[" * 100_000):
        answer = await http.post("/hooks/deploy", content=raw, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "hooks.bad_body")
    for raw in (b"x" * (MAX_BODY_BYTES + 1), chunks(MAX_BODY_BYTES + 1)):
        assert (await http.post("/hooks/deploy", content=raw)).status_code == 413
    assert (await http.post("/hooks/deploy", content=b"x" * MAX_BODY_BYTES)).status_code == 202


async def chunks(size: int):
    """A body that does not say how long it is."""
    for _ in range(size // 1_000 + 1):
        yield b"x" * 1_000


async def test_beyond_what_a_path_takes_in_a_minute_it_is_told_to_wait(
    board: Board, http: httpx.AsyncClient
) -> None:
    await board.listen("deploy", "webhook", path="deploy", per_minute=3, **SIGNED)
    await board.listen("other", "webhook", path="other", per_minute=3)
    for _ in range(5):  # whoever cannot sign takes nothing from who can
        assert (await http.post("/hooks/deploy")).status_code == 401
    statuses = []
    for number in range(5):
        body = f"{number}".encode()
        headers = signed(body, delivery=f"{number}")
        statuses.append(
            (await http.post("/hooks/deploy", content=body, headers=headers)).status_code
        )
    assert statuses == [202, 202, 202, 429, 429]
    assert (await http.post("/hooks/other")).status_code == 202
    board.clock.advance(minutes=1)
    body = b'"later"'
    later = await http.post("/hooks/deploy", content=body, headers=signed(body, delivery="9"))
    assert later.status_code == 202


async def test_without_redis_calls_are_taken(
    board: Board, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise ConnectionError("Redis is away")

    monkeypatch.setattr(Redis, "pipeline", gone)
    await board.listen("deploy", "webhook", path="deploy")
    answer = await http.post("/hooks/deploy")
    assert answer.status_code == 202
    assert UUID(answer.json()["run"])
