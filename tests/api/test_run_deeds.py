"""Runs steered over the API: started, tried again, resumed, settled, decided, cancelled."""

import asyncio
from uuid import UUID

from app.core.clock import SetClock
from app.core.database import Database
from app.core.ids import new_id
from tests.admin.stage import Stage
from tests.api.conftest import Program
from tests.api.documents import document
from tests.api.test_flows import publish

RUNS = "/api/v1/runs"
SCOPE = "/attempts:1"
STARTS = "/api/v1/flows/greet/runs"


async def token_of(database: Database, run: UUID, node: str = "install") -> dict[str, object]:
    async with database.snapshot() as tx:
        row = await tx.fetchrow("SELECT * FROM token WHERE run = $1 AND node = $2", run, node)
    assert row is not None
    return dict(row)


async def audited(database: Database, action: str) -> list[dict[str, object]]:
    async with database.snapshot() as tx:
        rows = await tx.fetch("SELECT * FROM audit_entry WHERE action = $1 ORDER BY id", action)
    return [dict(row) for row in rows]


async def test_a_halted_run_is_tried_again(stage: Stage, owner: Program) -> None:
    _, run = await stage.halted()
    answer = await owner.post(f"{RUNS}/{run}/retry")
    assert (answer.status_code, answer.json()["run"]["status"]) == (200, "running")
    assert (await token_of(stage.database, run))["state"] == "ready"
    (line,) = await audited(stage.database, "run.retried")
    assert str(line["actor_label"]).startswith("owner@slipway.test (API token")
    again = await owner.post(f"{RUNS}/{run}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert (await owner.post(f"{RUNS}/{new_id()}/retry")).status_code == 404


async def test_many_runs_are_tried_again_at_once(stage: Stage, owner: Program) -> None:
    halted = [str((await stage.halted(host=f"h{n}.example.org"))[1]) for n in range(3)]
    moving, gone = str((await stage.installing())[1]), str(new_id())
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE token SET doubt = true WHERE run = $1", UUID(halted[2]))
    asked = [*halted, moving, gone]
    answer = await owner.post(f"{RUNS}/retry", json={"runs": [*asked, halted[0]]})
    assert answer.status_code == 200
    fates = ["started", "started", "in_doubt", "not_halted", "unknown"]
    assert answer.json() == {
        "retried": 2,
        "runs": [{"run": run, "fate": fate} for run, fate in zip(asked, fates, strict=True)],
    }
    assert (await owner.post(f"{RUNS}/retry", json={"runs": []})).status_code == 422


async def test_a_halted_step_is_resumed_with_other_parameters(stage: Stage, owner: Program) -> None:
    _, run = await stage.halted()
    edit = {"node": "install", "scope": SCOPE, "params": {"os": "=input.os"}}
    wrong = {**edit, "node": "server"}
    refused = await owner.post(f"{RUNS}/{run}/resume", json={"edits": [wrong]})
    assert refused.status_code == 409
    assert "only a halted step is edited" in refused.json()["detail"]
    answer = await owner.post(f"{RUNS}/{run}/resume", json={"edits": [edit]})
    assert answer.status_code == 200
    assert (await token_of(stage.database, run))["override"] == '{"os": "=input.os"}'
    missing = await owner.post(f"{RUNS}/{run}/resume", json={"version": 7})
    assert missing.status_code == 404


async def test_a_run_goes_on_with_the_flow_that_was_corrected_since(
    stage: Stage, owner: Program
) -> None:
    _, run = await stage.halted()
    flow = "/api/v1/flows/dedicated-server"
    fixed = (await owner.get(f"{flow}/document")).json()
    fixed["nodes"]["install"]["retry"]["max"] = 5
    await publish(owner, fixed, "Tries five times")
    answer = await owner.post(f"{RUNS}/{run}/resume", json={"version": 2})
    assert answer.status_code == 200, answer.text
    assert answer.json()["run"]["version"] == 2


async def test_a_step_in_doubt_is_settled(stage: Stage, owner: Program) -> None:
    _, run = await stage.halted()
    where = {"node": "install", "scope": SCOPE, "happened": True, "output": {"banner": "SSH"}}
    early = await owner.post(f"{RUNS}/{run}/settle", json=where)
    assert early.status_code == 409
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE token SET doubt = true WHERE run = $1 AND state = 'halted'", run)
    done = await owner.post(f"{RUNS}/{run}/settle", json=where)
    assert done.status_code == 200
    token = await token_of(stage.database, run)
    assert (token["state"], token["doubt"]) == ("ready", False)
    assert await audited(stage.database, "run.settled")
    assert (await owner.post(f"{RUNS}/{run}/settle", json={"node": "x"})).status_code == 422


async def test_an_approval_is_decided_once(stage: Stage, owner: Program) -> None:
    _, run = await stage.installing()
    async with stage.database.transaction() as tx:
        await tx.execute(
            "UPDATE token SET signal_key = $2 WHERE run = $1 AND node = 'install'",
            run,
            f"approval:{run}:{SCOPE}:install",
        )
    decision = {"node": "install", "scope": SCOPE, "decision": "approved", "note": "Fine"}
    odd = await owner.post(f"{RUNS}/{run}/decide", json={**decision, "decision": "maybe"})
    assert odd.status_code == 422
    answers = await asyncio.gather(
        *(owner.post(f"{RUNS}/{run}/decide", json=decision) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    (line,) = await audited(stage.database, "run.approved")
    assert line["reason"] == "Fine"


async def test_a_run_is_cancelled_with_a_reason(stage: Stage, owner: Program) -> None:
    _, run = await stage.installing()
    assert (await owner.post(f"{RUNS}/{run}/cancel", json={"reason": ""})).status_code == 422
    answer = await owner.post(f"{RUNS}/{run}/cancel", json={"reason": "Wrong machine"})
    assert answer.json()["run"]["is_cancelling"] is True
    (line,) = await audited(stage.database, "run.cancel_requested")
    assert line["reason"] == "Wrong machine"
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE run SET status = 'cancelled' WHERE id = $1", run)
    late = await owner.post(f"{RUNS}/{run}/cancel", json={"reason": "Again"})
    assert late.status_code == 409


async def test_a_run_is_steered_only_as_it_is_known(stage: Stage, owner: Program) -> None:
    _, run = await stage.halted()
    etag = (await owner.get(f"{RUNS}/{run}")).headers["etag"]
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE run SET error = 'another' WHERE id = $1", run)
    late = await owner.post(f"{RUNS}/{run}/retry", headers={"If-Match": etag})
    assert (late.status_code, late.json()["code"]) == (412, "api.changed")
    assert (await token_of(stage.database, run))["state"] == "halted"
    etag = (await owner.get(f"{RUNS}/{run}")).headers["etag"]
    done = await owner.post(f"{RUNS}/{run}/retry", headers={"If-Match": etag})
    assert done.status_code == 200
    assert done.headers["etag"] == (await owner.get(f"{RUNS}/{run}")).headers["etag"]


async def test_a_flow_is_started_about_an_order_with_its_input_checked(
    stage: Stage, owner: Program
) -> None:
    inputs = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}},
    }
    await publish(owner, document(inputs=inputs))
    order = await stage.paid()
    about = {"subject": str(order.id), "subject_kind": "order"}
    bad = await owner.post(STARTS, json={**about, "input": {"name": 7}})
    assert (bad.status_code, bad.json()["code"]) == (422, "flow.bad_input")
    assert bad.json()["fields"] == {"$.name": "must be string"}
    made = await owner.post(STARTS, json={**about, "input": {"name": "Ada"}})
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["run"]["status"], shown["run"]["order"]) == ("queued", str(order.id))
    assert shown["input"] == {"name": "Ada"}
    (line,) = await audited(stage.database, "run.started")
    assert str(line["subject"]) == shown["run"]["id"]
    nothing = await owner.post(STARTS, json={"input": {"name": "Ada"}})
    assert nothing.json()["code"] == "flow.wrong_subject"
    half = await owner.post(STARTS, json={"subject": str(order.id), "input": {"name": "Ada"}})
    assert list(half.json()["fields"]) == ["subject_kind"]
    await owner.post("/api/v1/flows/greet/disable", json={"reason": "Enough"})
    off = await owner.post(STARTS, json={**about, "input": {"name": "Ada"}})
    assert (off.status_code, off.json()["code"]) == (409, "flow.disabled")
    other = await owner.post("/api/v1/flows/none/runs", json={})
    assert other.status_code == 404


async def test_many_that_start_with_one_key_at_once_start_one_run(
    stage: Stage, owner: Program, clock: SetClock
) -> None:
    await publish(owner, document())
    order = await stage.paid()
    body = {"subject": str(order.id), "subject_kind": "order"}
    key = {"Idempotency-Key": "greet-ada"}
    answers = await asyncio.gather(*(owner.post(STARTS, json=body, headers=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    replayed = [answer.headers.get("idempotency-replayed") for answer in answers]
    assert sorted(one or "" for one in replayed) == ["", "true", "true", "true", "true"]
    clock.advance(days=2)  # the answer is forgotten, the run is not
    late = await owner.post(STARTS, json=body, headers=key)
    assert late.json()["run"]["id"] == answers[0].json()["run"]["id"]
    assert len(await audited(stage.database, "run.started")) == 1
    fresh = await owner.post(STARTS, json=body)
    assert fresh.json()["run"]["id"] != late.json()["run"]["id"]


async def test_a_version_is_started_by_its_number(stage: Stage, owner: Program) -> None:
    await publish(owner, document())
    await publish(owner, document(tries=2), "Second")
    order = await stage.paid()
    body = {"subject": str(order.id), "subject_kind": "order"}
    old = await owner.post(STARTS, json={**body, "version": 1})
    assert old.json()["run"]["version"] == 1
    new = await owner.post(STARTS, json=body)
    assert new.json()["run"]["version"] == 2
    assert (await owner.post(STARTS, json={**body, "version": 3})).status_code == 404
