"""Flows over the API: published, read, compared, taken out and in, bound, switched off."""

import json
from typing import Any

import pytest

from app.core.database import Database
from app.domain.accounts.roles import Role
from tests.admin.stage import Stage
from tests.api.conftest import Call, Program
from tests.api.documents import broken, document

FLOWS = "/api/v1/flows"
GREET = f"{FLOWS}/greet"


async def publish(program: Program, made: Any, note: str = "First", **headers: str) -> Any:
    answer = await program.post(
        f"{FLOWS}/{made['flow']}/versions", json={"document": made, "note": note}, headers=headers
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_flow_is_published_and_read(owner: Program) -> None:
    made = await publish(owner, document())
    assert made["flow"] == "greet"
    assert (made["version"]["number"], made["version"]["note"]) == (1, "First")
    assert made["version"]["published_by"] == "owner@slipway.test"
    assert made["document"]["nodes"]["mail"]["name"] == "Say hello"
    second = await publish(owner, document(tries=3), "Tries three times")
    assert second["version"]["number"] == 2
    again = await publish(owner, document(tries=3), "The same")
    assert again["version"] == second["version"]

    (line,) = (await owner.get(FLOWS)).json()["items"]
    assert (line["slug"], line["version"], line["trigger"]) == ("greet", 2, "order.paid")
    assert (line["is_enabled"], line["runs"]["succeeded"]) == (True, 0)
    shown = (await owner.get(GREET)).json()
    assert shown["version"] == second["version"]
    history = (await owner.get(f"{GREET}/versions")).json()["items"]
    assert [(one["number"], one["note"]) for one in history] == [
        (2, "Tries three times"), (1, "First"),
    ]  # fmt: skip
    first = (await owner.get(f"{GREET}/versions/1")).json()
    assert first == made
    latest = (await owner.get(f"{GREET}/document")).json()
    assert latest["nodes"]["mail"]["retry"] == {"max": 3}
    assert (await owner.get(f"{GREET}/document?version=1")).json() == made["document"]


async def test_who_published_is_in_the_trail_with_the_token(
    owner: Program, database: Database
) -> None:
    await publish(owner, document(), "Because")
    async with database.snapshot() as tx:
        line = await tx.fetchrow("SELECT * FROM audit_entry WHERE action = 'flow.published'")
    assert line is not None
    assert line["actor_label"].startswith("owner@slipway.test (API token program")
    assert (line["reason"], line["actor"] is not None) == ("Because", True)


async def test_what_cannot_run_is_refused_problem_by_problem(
    owner: Program, database: Database
) -> None:
    answer = await owner.post(f"{GREET}/versions", json={"document": broken(), "note": "Broken"})
    assert (answer.status_code, answer.json()["code"]) == (422, "flow.invalid")
    told = {(one["node"], one["field"]) for one in answer.json()["problems"]}
    assert ("mail", "type") in told
    assert len(told) > 1
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM flow") == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"note": "x"}, "document"),
        ({"document": document()}, "note"),
        ({"document": document(), "note": ""}, "note"),
        ({"document": document(flow="other"), "note": "x"}, "document.flow"),
        ({"document": {**document(), "colour": 1}, "note": "x"}, "document"),
        ({"document": document(), "note": "x", "by": "me"}, "by"),
        ({"document": [], "note": "x"}, "document"),
    ],
)
async def test_what_is_sent_wrongly_is_named(owner: Program, body: Any, field: str) -> None:
    answer = await owner.post(f"{GREET}/versions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert field in answer.text


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b"[" * 5_000])
async def test_what_is_no_json_is_refused(owner: Program, body: bytes) -> None:
    answer = await owner.post(
        f"{GREET}/versions", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {400, 422}


async def test_a_document_is_checked_without_being_kept(owner: Program, database: Database) -> None:
    good = await owner.post("/api/v1/flow-checks", json={"document": document()})
    assert good.json()["is_valid"] is True
    bad = (await owner.post("/api/v1/flow-checks", json={"document": broken()})).json()
    assert bad["is_valid"] is False
    assert {one["severity"] for one in bad["problems"]} <= {"error", "warning"}
    none = await owner.post("/api/v1/flow-checks", json={"document": {"flow": 1}})
    assert (none.status_code, none.json()["code"]) == (422, "flow.bad_document")
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM flow") == 0


async def test_versions_are_compared(owner: Program) -> None:
    await publish(owner, document())
    await publish(owner, document(tries=3, description="Kinder"), "More")
    told = (await owner.get(f"{GREET}/diff?before=1")).json()
    assert told["flow"] == [{"path": ["description"], "after": "Kinder"}]
    (node,) = told["changed"]
    assert node == {"node": "mail", "fields": [{"path": ["retry", "max"], "after": 3}]}
    assert any("retry.max" in line for line in told["lines"])
    same = (await owner.get(f"{GREET}/diff?before=2&after=2")).json()
    assert not any(same.values())
    assert (await owner.get(f"{GREET}/diff?before=7")).status_code == 404
    assert (await owner.get(f"{GREET}/diff")).status_code == 422


async def test_a_flow_is_taken_out_and_in_again_under_another_name(owner: Program) -> None:
    await publish(owner, document())
    file = await owner.get(f"{GREET}/export?version=1")
    assert file.headers["content-disposition"] == 'attachment; filename="greet-1.json"'
    assert file.text == (await owner.get(f"{GREET}/export")).text
    taken = await owner.post(
        FLOWS, json={"document": json.loads(file.text), "note": "From afar", "slug": "hail"}
    )
    assert taken.status_code == 201, taken.text
    assert (taken.json()["flow"], taken.json()["version"]["number"]) == ("hail", 1)
    refused = await owner.post(FLOWS, json={"document": broken(), "note": "From afar"})
    assert refused.status_code == 422
    assert "action.levitate" in refused.json()["detail"]
    lost = document()
    lost["nodes"]["mail"]["with"]["connection"] = "nowhere"
    assert (await owner.post(FLOWS, json={"document": lost, "note": "x"})).status_code == 422


async def test_an_old_version_comes_back_as_a_new_one(owner: Program) -> None:
    await publish(owner, document())
    await publish(owner, document(tries=3), "More")
    back = await owner.post(f"{GREET}/roll-back", json={"version": 1, "note": "Too slow"})
    assert back.status_code == 201
    assert back.json()["version"]["number"] == 3
    assert back.json()["version"]["note"] == "Back to version 1: Too slow"
    assert "retry" not in back.json()["document"]["nodes"]["mail"]
    missing = await owner.post(f"{GREET}/roll-back", json={"version": 9})
    assert missing.status_code == 404


async def test_a_flow_is_bound_to_a_category_and_unbound(stage: Stage, owner: Program) -> None:
    await publish(owner, document())
    async with stage.database.snapshot() as tx:
        category = await tx.fetchval("SELECT slug FROM category")
    place = {"category": category, "trigger": "order.paid"}
    before = (await owner.get("/api/v1/flow-bindings")).json()["items"]
    assert [one["flow"] for one in before] == ["dedicated-server"]
    bound = await owner.post(f"{GREET}/bind", json={"category": category})
    assert (bound.status_code, bound.json()["bindings"]) == (200, [place])
    (after,) = (await owner.get("/api/v1/flow-bindings?trigger=order.paid")).json()["items"]
    assert after == {**place, "flow": "greet", "version": 1, "is_enabled": True}
    other = await owner.post(f"{FLOWS}/dedicated-server/unbind", json=place)
    assert other.status_code == 404
    unbound = await owner.post(f"{GREET}/unbind", json=place)
    assert unbound.json()["bindings"] == []
    wrong = await owner.post(f"{GREET}/bind", json={"category": category, "trigger": "alert"})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "flow.trigger_does_not_fit")
    assert (await owner.post(f"{GREET}/bind", json={"category": "none"})).status_code == 404


async def test_a_flow_is_disabled_with_a_reason_and_enabled(owner: Program) -> None:
    await publish(owner, document())
    off = await owner.post(f"{GREET}/disable", json={"reason": "It mails everyone"})
    assert (off.status_code, off.json()["is_enabled"]) == (200, False)
    twice = await owner.post(f"{GREET}/disable", json={"reason": "It mails everyone"})
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")
    assert (await owner.post(f"{GREET}/disable", json={"reason": ""})).status_code == 422
    on = await owner.post(f"{GREET}/enable")
    assert on.json()["is_enabled"] is True


async def test_a_flow_is_changed_only_as_it_is_known(owner: Program) -> None:
    await publish(owner, document())
    etag = (await owner.get(GREET)).headers["etag"]
    known = await owner.get(GREET, headers={"If-None-Match": etag})
    assert known.status_code == 304
    await publish(owner, document(tries=2), "Second", **{"If-Match": etag})
    late = await owner.post(
        f"{GREET}/versions",
        json={"document": document(tries=3), "note": "Third"},
        headers={"If-Match": etag},
    )
    assert (late.status_code, late.json()["code"]) == (412, "api.changed")
    assert (await owner.get(f"{GREET}/versions")).json()["items"][0]["number"] == 2
    why = {"reason": "Enough"}
    off = await owner.post(f"{GREET}/disable", json=why, headers={"If-Match": etag})
    assert off.status_code == 412
    now = (await owner.get(GREET)).headers["etag"]
    off = await owner.post(f"{GREET}/disable", json=why, headers={"If-Match": now})
    assert off.status_code == 200
    # The answer to a change is the thing as it stands then, with its tag.
    assert off.headers["etag"] == (await owner.get(GREET)).headers["etag"]
    on = await owner.post(f"{GREET}/enable", headers={"If-Match": off.headers["etag"]})
    assert on.status_code == 200


async def test_what_is_asked_twice_with_a_key_is_done_once(
    owner: Program, call: Call, database: Database
) -> None:
    await publish(owner, document())
    why, key = {"reason": "Enough"}, {"Idempotency-Key": "switch-1"}
    first = await owner.post(f"{GREET}/disable", json=why, headers=key)
    again = await owner.post(f"{GREET}/disable", json=why, headers=key)
    assert (again.status_code, again.content) == (first.status_code, first.content) != (409, b"")
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert again.headers["etag"] == first.headers["etag"]
    other = await owner.post(f"{GREET}/enable", headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "api.key_reused")
    changed = await owner.post(f"{GREET}/disable", json={"reason": "Other"}, headers=key)
    assert changed.json()["code"] == "api.key_reused"
    # A key is its owner's: another may use the same one.
    designer = await call(Role.DESIGNER)
    assert (await designer.post(f"{GREET}/enable", headers=key)).status_code == 200
    async with database.snapshot() as tx:
        done = await tx.fetch("SELECT action FROM audit_entry WHERE action LIKE 'flow.%abled'")
    assert sorted(row["action"] for row in done) == ["flow.disabled", "flow.enabled"]


async def test_what_was_refused_with_a_key_can_be_tried_anew(owner: Program) -> None:
    key = {"Idempotency-Key": "k"}
    why = {"reason": "Enough"}
    assert (await owner.post(f"{GREET}/disable", json=why, headers=key)).status_code == 404
    await publish(owner, document())
    assert (await owner.post(f"{GREET}/disable", json=why, headers=key)).status_code == 200
    long = await owner.post(f"{GREET}/enable", headers={"Idempotency-Key": "x" * 201})
    assert long.status_code == 422


async def test_the_schema_and_the_node_types_are_told(owner: Program) -> None:
    schema = (await owner.get("/api/v1/flow-schema")).json()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    listed = (await owner.get("/api/v1/node-types")).json()["items"]
    types = {one["type"]: one for one in listed}
    assert types["trigger.order_paid"]["gives"] == "order"
    assert types["logic.repeat"]["is_container"] is True
    assert types["action.allocate_server"]["can_be_undone"] is True
    one = (await owner.get("/api/v1/node-types/action.send_mail")).json()
    assert "template" in json.dumps(one["parameters"])
    assert "recipient" in json.dumps(one["output"])
    for line in listed:
        told = await owner.get(f"/api/v1/node-types/{line['type']}?version={line['version']}")
        assert told.status_code == 200, line["type"]
        assert told.json()["title"] == line["title"]
    missing = await owner.get("/api/v1/node-types/action.send_mail?version=99")
    assert missing.status_code == 404
