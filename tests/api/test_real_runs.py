"""Runs that a worker drives and a program steers: corrected, settled, decided, to their end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from redis.asyncio import Redis

from app.core.database import Database
from app.core.live import Live
from app.domain.accounts.roles import Role
from app.flows.interpreter import Interpreter
from app.flows.runner import Runner
from tests.api.conftest import Call, Program
from tests.api.test_flows import publish
from tests.flows.conftest import Workshop, chain, workshop  # noqa: F401 - a fixture
from tests.flows.nodes import Killed

RUNS = "/api/v1/runs"
Drive = Callable[[], Awaitable[None]]


@pytest.fixture
async def drive(database: Database, redis: Redis) -> AsyncIterator[Drive]:
    """Do all that is due, as one worker would."""
    interpreter = Interpreter(database, None)
    runner = Runner(database, Live(redis), interpreter, lease_s=15.0)

    async def all_due() -> None:
        while await runner.sweep():
            await runner.idle()

    yield all_due
    await interpreter.close()


def review(role: str | None = "finance") -> dict[str, Any]:
    ask: dict[str, Any] = {"title": "Go on?"} | ({"role": role} if role else {})
    return {
        "schema": 1,
        "flow": "review",
        "nodes": {
            "begin": {"type": "trigger.manual", "v": 1},
            "read": {"type": "data.parse_json", "v": 1, "with": {"text": "=input.text"}},
            "ask": {"type": "logic.approval", "v": 1, "with": ask},
            "yes": {"type": "logic.stop", "v": 1, "with": {"output": "=steps.ask.note"}},
            "no": {"type": "logic.fail", "v": 1, "with": {"message": "=steps.ask.note"}},
        },
        "edges": [
            ["begin.out", "read.in"], ["read.out", "ask.in"], ["ask.approved", "yes.in"],
            ["ask.rejected", "no.in"],
        ],
    }  # fmt: skip


async def start(program: Program, text: str) -> str:
    made = await program.post("/api/v1/flows/review/runs", json={"input": {"text": text}})
    assert made.status_code == 201, made.text
    return str(made.json()["run"]["id"])


async def shown(program: Program, run: str) -> dict[str, Any]:
    answer = (await program.get(f"{RUNS}/{run}")).json()
    assert isinstance(answer, dict)
    return answer


async def test_a_run_is_started_corrected_approved_and_ends(
    owner: Program, call: Call, drive: Drive
) -> None:
    await publish(owner, review())
    run = await start(owner, "{not json")
    await drive()
    halted = await shown(owner, run)
    assert (halted["run"]["status"], halted["run"]["node"]) == ("halted", "read")
    assert halted["run"]["error"]
    edit = {"node": "read", "params": {"text": '{"fine": true}'}}
    await owner.post(f"{RUNS}/{run}/resume", json={"edits": [edit]})
    await drive()
    waiting = await shown(owner, run)
    (place,) = waiting["stands_at"]
    assert (place["node"], place["awaits_decision"]) == ("ask", True)
    word = {"node": "ask", "decision": "approved", "note": "Fine by us"}
    # It is asked of finance: an operator may steer runs, and not decide this.
    operator = await call(Role.OPERATOR)
    refused = await operator.post(f"{RUNS}/{run}/decide", json=word)
    assert (refused.status_code, refused.json()["code"]) == (403, "flow.not_yours_to_decide")
    finance = await call(Role.FINANCE)
    assert (await finance.post(f"{RUNS}/{run}/decide", json=word)).status_code == 200
    await drive()
    ended = await shown(owner, run)
    assert ended["run"]["status"] == "succeeded"
    assert [one["node"] for one in ended["attempts"]] == ["begin", "read", "read", "ask", "yes"]
    again = await owner.get(f"{RUNS}/{run}/replay")
    assert again.status_code == 200, again.text
    found = again.json()
    assert (found["run"], found["flow"], found["status"]) == (run, "review", "succeeded")
    assert (found["steps"], found["is_same"], found["differences"]) == (5, True, [])
    assert (await owner.get(f"{RUNS}/{uuid4()}/replay")).status_code == 404


async def test_what_names_no_role_is_asked_of_operators(
    owner: Program, call: Call, drive: Drive
) -> None:
    await publish(owner, review(role=None))
    run = await start(owner, "1")
    await drive()
    word = {"node": "ask", "decision": "rejected", "note": "Too early"}
    finance = await call(Role.FINANCE)
    assert (await finance.post(f"{RUNS}/{run}/decide", json=word)).status_code == 403
    operator = await call(Role.OPERATOR)
    assert (await operator.post(f"{RUNS}/{run}/decide", json=word)).status_code == 200
    await drive()
    assert (await shown(owner, run))["run"]["status"] == "failed"


async def test_a_run_goes_on_with_the_version_that_corrects_it(
    owner: Program, drive: Drive
) -> None:
    await publish(owner, review())
    run = await start(owner, "{")
    await drive()
    fixed = review()
    fixed["nodes"]["read"]["with"]["text"] = "[]"
    await publish(owner, fixed, "Reads what can be read")
    await owner.post(f"{RUNS}/{run}/resume", json={"version": 2})
    await drive()
    after = await shown(owner, run)
    assert (after["run"]["version"], after["run"]["node"]) == (2, "ask")


async def test_a_cancelled_run_ends_cancelled(owner: Program, drive: Drive) -> None:
    await publish(owner, review())
    run = await start(owner, "{")
    await drive()
    await owner.post(f"{RUNS}/{run}/cancel", json={"reason": "Not needed"})
    await drive()
    assert (await shown(owner, run))["run"]["status"] == "cancelled"


@pytest.mark.parametrize("happened", [True, False])
async def test_a_step_that_nobody_knows_the_outcome_of_is_settled(
    workshop: Workshop,  # noqa: F811
    owner: Program,
    happened: bool,
) -> None:
    call, note = ("t.call", {"idempotency": "none"}), ("t.note", {"params": {"text": "after"}})
    run: UUID = await workshop.start(chain(call=call, note=note))

    def die(_: str) -> None:
        raise Killed

    workshop.world.after = die
    assert await workshop.drive_and_die()
    workshop.world.after = lambda _: None
    workshop.clock.advance(minutes=5)
    await workshop.drive()
    (place,) = (await shown(owner, str(run)))["stands_at"]
    assert (place["node"], place["state"], place["in_doubt"]) == ("call", "halted", True)
    word = {"node": "call", "happened": happened, "output": {"count": 7} if happened else None}
    settled = await owner.post(f"{RUNS}/{run}/settle", json=word)
    assert settled.status_code == 200
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    # What happened is not done again; what did not, is.
    assert sum(workshop.world.done.values()) == (1 if happened else 2)
    outputs = {one["node"]: one["output"] for one in (await shown(owner, str(run)))["attempts"]}
    assert outputs["call"]["count"] == (7 if happened else 1)
    assert msgspec.json.encode(outputs["note"]) == b'{"text":"after"}'
