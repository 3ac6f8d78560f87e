"""Runs over the API: found by what they are about, shown whole and without secrets."""

import json

import pytest

from app.core.database import Database
from tests.admin.stage import Stage
from tests.api.conftest import Program

RUNS = "/api/v1/runs"


async def ids(program: Program, **filters: object) -> list[str]:
    answer = await program.get(RUNS, params=filters)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def test_runs_are_found_by_what_they_are_about(stage: Stage, owner: Program) -> None:
    first, halted = await stage.halted(host="db.example.org")
    second, moving = await stage.installing(host="shop.example.org", client=1)
    done = await stage.delivered(host="old.example.org", client=1)
    async with stage.database.snapshot() as tx:
        finished = await tx.fetchval("SELECT id FROM run WHERE subject = $1", done.id)
    assert await ids(owner) == [str(finished), str(moving), str(halted)]
    cases = {
        str(halted): [
            {"stuck": "true"}, {"status": "halted"}, {"order": first.number},
            {"order": f"#{first.number}"}, {"order": str(first.id)}, {"q": "DB.example"},
            {"client": "client1@example.org"}, {"server": str(first.server_id)},
            {"server": first.server_name}, {"stuck": "true", "flow": "dedicated-server"},
        ],
        str(finished): [
            {"status": "succeeded"}, {"order": done.number}, {"server": done.server_name},
            {"client": str(done.account_id), "status": "succeeded"},
        ],
    }  # fmt: skip
    for run, filters in cases.items():
        for one in filters:
            assert (one, await ids(owner, **one)) == (one, [run])
    assert await ids(owner, client="client2@example.org") == [str(finished), str(moving)]
    both = await owner.get(f"{RUNS}?status=halted&status=waiting")
    assert [one["id"] for one in both.json()["items"]] == [str(moving), str(halted)]
    for nothing in (
        {"order": "999"}, {"order": "9" * 40}, {"order": "x"}, {"client": "who@example.org"},
        {"server": "none"}, {"flow": "none"}, {"q": "%"}, {"stuck": "true", "status": "succeeded"},
        {"order": second.number, "client": "client1@example.org"},
    ):  # fmt: skip
        assert (nothing, await ids(owner, **nothing)) == (nothing, [])


async def test_a_list_is_read_page_by_page(stage: Stage, owner: Program) -> None:
    runs = [str((await stage.halted(host=f"h{n}.example.org"))[1]) for n in range(5)]
    await stage.delivered()
    seen: list[str] = []
    address: str | None = f"{RUNS}?stuck=true&limit=2"
    pages = 0
    while address is not None:
        answer = await owner.get(address)
        seen += [one["id"] for one in answer.json()["items"]]
        pages += 1
        if pages == 1:  # what begins meanwhile moves nothing
            await stage.halted(host="late.example.org")
        link = answer.links.get("next")
        assert (link is None) == (answer.json()["next"] is None)
        address = link["url"] if link else None
    assert (seen, pages) == (runs[::-1], 3)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=0", 422, "invalid"),
        ("limit=201", 422, "invalid"),
        ("limit=many", 422, "invalid"),
        ("status=asleep", 422, "invalid"),
        ("cursor=x", 400, "api.bad_cursor"),
        ("cursor=%F0%9F%8E%89", 400, "api.bad_cursor"),
        ("q=%00", 400, "security.unreadable_address"),
    ],
)
async def test_what_cannot_be_read_is_named(
    owner: Program, query: str, status: int, code: str
) -> None:
    answer = await owner.get(f"{RUNS}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status == 422:
        assert list(answer.json()["fields"]) == [query.partition("=")[0]]


async def test_a_run_is_shown_with_everything_it_did_and_no_secret(
    stage: Stage, owner: Program
) -> None:
    order, run = await stage.installing()
    answer = await owner.get(f"{RUNS}/{run}")
    shown = answer.json()
    assert shown["run"]["order_number"] == order.number
    assert (shown["run"]["flow"], shown["run"]["subject_kind"]) == ("dedicated-server", "order")
    assert (shown["run"]["status"], shown["run"]["trouble"]) == ("waiting", "none")
    assert shown["run"]["says"] == "the installer partitions the disks"
    assert [one["node"] for one in shown["attempts"]] == [
        "paid", "attempts", "server", "addresses", "install",
    ]  # fmt: skip
    assert shown["attempts"][-1]["scope"] == "/attempts:1"
    assert "hunter2" not in answer.text
    assert shown["attempts"][-1]["input"]["root_password"] == "••••••"
    assert "Send credentials" in shown["pending"]
    assert {one["kind"] for one in shown["events"]} == {"queued", "finished", "started"}


async def test_who_has_it_already_is_not_sent_it_again(
    stage: Stage, owner: Program, database: Database
) -> None:
    _, run = await stage.halted()
    first = await owner.get(f"{RUNS}/{run}")
    etag = first.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await owner.get(f"{RUNS}/{run}", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    async with database.transaction() as tx:
        await tx.execute("UPDATE run SET error = 'another' WHERE id = $1", run)
    changed = await owner.get(f"{RUNS}/{run}", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


async def test_a_run_is_shown_with_where_it_stands_what_it_knows_and_what_it_has(
    stage: Stage, owner: Program
) -> None:
    order, run = await stage.halted()
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE token SET doubt = true WHERE run = $1 AND state = 'halted'", run)
        await tx.execute(
            "INSERT INTO run_variable (run, name, value) VALUES ($1, 'tries', '2'), "
            "($1, 'root_password', '\"hunter2\"')",
            run,
        )
        await tx.execute(
            "INSERT INTO run_resource (run, node, kind, reference, state, taken_at) "
            "VALUES ($1, 'server', 'server', $2, 'taken', $3)",
            run,
            str(order.server_id),
            tx.now(),
        )
    shown = (await owner.get(f"{RUNS}/{run}")).json()
    (place,) = shown["stands_at"]
    assert (place["scope"], place["node"], place["state"]) == ("/attempts:1", "install", "halted")
    assert (place["in_doubt"], place["awaits_decision"]) == (True, False)
    assert shown["variables"] == {"root_password": "••••••", "tries": 2}
    (taken,) = shown["ledger"]
    assert (taken["kind"], taken["reference"]) == ("server", str(order.server_id))
    # What a run took finds it, too, also when the machine is someone else's since.
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE server SET state = 'quarantined', holder = NULL")
    assert await ids(owner, server=order.server_name) == [str(run)]


async def test_what_is_too_long_for_a_run_is_told_by_its_attempt(
    stage: Stage, owner: Program
) -> None:
    _, run = await stage.halted()
    _, other = await stage.halted(host="other.example.org")
    async with stage.database.transaction() as tx:
        blob = await tx.fetchval(
            "INSERT INTO run_blob (id, run, content) VALUES (gen_random_uuid(), $1, $2) "
            "RETURNING id",
            run,
            json.dumps({"log": "x" * 100_000, "password": "hunter2"}),
        )
        await tx.execute(
            "UPDATE step_attempt SET output = NULL, blob = $2 WHERE run = $1 AND node = 'server'",
            run,
            blob,
        )
    shown = (await owner.get(f"{RUNS}/{run}")).json()
    (server,) = (one for one in shown["attempts"] if one["node"] == "server")
    assert (server["output"], server["is_apart"]) == (None, True)
    whole = await owner.get(f"{RUNS}/{run}/attempts/{server['id']}")
    assert len(whole.json()["output"]["log"]) == 100_000
    assert "hunter2" not in whole.text
    # An attempt is found in its own run alone.
    assert (await owner.get(f"{RUNS}/{other}/attempts/{server['id']}")).status_code == 404
