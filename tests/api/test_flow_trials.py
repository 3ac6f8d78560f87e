"""Dry runs and rehearsals over the API: of versions, and of documents that are sent."""

from uuid import uuid4

from tests.admin.stage import Stage
from tests.api.conftest import Program
from tests.api.documents import broken, document

API = "/api/v1"
FLOW = f"{API}/flows/dedicated-server"


async def test_a_version_is_tried_without_any_effect(stage: Stage, owner: Program) -> None:
    await stage.delivered()
    answer = await owner.post(f"{FLOW}/dry-run", json={})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["ended"], found["held"]) == ("succeeded", [])
    assert "install" in {step["node"] for step in found["path"]}
    assert any(effect["delivers"] for effect in found["effects"])
    assert found["expected"]["whole"]["samples"] >= 1
    short = (await owner.post(f"{FLOW}/dry-run", json={"until": "server"})).json()
    assert (short["ended"], short["path"][-1]["node"]) == ("until", "server")
    failed = await owner.post(f"{FLOW}/dry-run", json={"choose": {"server": "error"}})
    assert failed.json()["ended"] != "succeeded"
    for odd in ({"until": "nowhere"}, {"run": str(uuid4())}, {"version": 9}):
        assert (await owner.post(f"{FLOW}/dry-run", json=odd)).status_code == 404
    assert (await owner.post(f"{API}/flows/none/dry-run", json={})).status_code == 404
    assert (await owner.post(f"{FLOW}/dry-run", json={"versoin": 1})).status_code == 422
    async with stage.database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM run") == 1


async def test_a_rehearsal_is_kept_with_its_version(stage: Stage, owner: Program) -> None:
    key = {"Idempotency-Key": "once"}
    first = await owner.post(f"{FLOW}/rehearse", json={"version": 1}, headers=key)
    assert first.status_code == 200
    found = first.json()
    assert found["baseline"] == "succeeded"
    assert sum(found["counts"].values()) == len(found["cases"])
    again = await owner.post(f"{FLOW}/rehearse", json={"version": 1}, headers=key)
    assert (again.json(), again.headers["idempotency-replayed"]) == (found, "true")
    (line,) = (await owner.get(f"{API}/flows")).json()["items"]
    (version,) = (await owner.get(f"{FLOW}/versions")).json()["items"]
    shown = (await owner.get(FLOW)).json()
    assert line["score"] == version["score"] == shown["score"] == found["score"]
    async with stage.database.snapshot() as tx:
        lines = await tx.fetch(
            "SELECT \"after\" ->> 'score' AS score FROM audit_entry WHERE action = 'flow.rehearsed'"
        )
    assert [int(one["score"]) for one in lines] == [found["score"]]
    assert (await owner.post(f"{FLOW}/rehearse", json={"version": 2})).status_code == 404


async def test_a_document_is_tried_and_nothing_is_kept(stage: Stage, owner: Program) -> None:
    body = {"document": document(), "trial": {"seed": "b"}}
    dry = await owner.post(f"{API}/flow-dry-runs", json=body)
    assert dry.json()["ended"] == "succeeded"
    assert "mail" in dry.json()["expected"]["unknown"]
    report = await owner.post(f"{API}/flow-rehearsals", json=body)
    assert report.json()["flow"] == "greet"
    unfinished = await owner.post(f"{API}/flow-dry-runs", json={"document": broken()})
    assert unfinished.json()["problems"]
    for path in ("flow-dry-runs", "flow-rehearsals"):
        none = await owner.post(f"{API}/{path}", json={"document": {"nodes": 1}})
        assert (none.status_code, none.json()["code"]) == (422, "flow.bad_document")
    async with stage.database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM flow_rehearsal") == 0
