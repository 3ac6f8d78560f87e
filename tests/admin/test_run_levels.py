"""A run of many rounds is read level by level, what failed first; long outputs stand apart."""

import json
from uuid import UUID

from app.core.database import Database
from app.core.redact import HIDDEN
from app.flows.document import parse
from app.flows.rounds import OPENED, ROUNDS, RoundState, find_level
from tests.admin.stage import Stage
from tests.security.browser import Browser

COUNT = 10_000
WRITTEN = {
    "schema": 1,
    "flow": "many",
    "nodes": {
        "loop": {"type": "logic.each", "name": "For each"},
        "call": {"type": "action.http", "name": "Call", "within": "loop"},
    },
    "edges": [],
}
DOCUMENT = parse(json.dumps(WRITTEN))


async def many_rounds(database: Database, *, count: int = COUNT) -> UUID:
    """Write down a run with a loop of so many rounds: 7 halted, 13 failed, 21 goes on."""
    async with database.transaction() as tx:
        flow = await tx.fetchval(
            "INSERT INTO flow (id, slug, name, created_at) "
            "VALUES (gen_random_uuid(), 'many', 'Many', now()) RETURNING id"
        )
        version = await tx.fetchval(
            "INSERT INTO flow_version (id, flow, number, document, content_hash, published_at) "
            "VALUES (gen_random_uuid(), $1, 1, $2, 'x', now()) RETURNING id",
            flow,
            json.dumps(WRITTEN),
        )
        run: UUID = await tx.fetchval(
            "INSERT INTO run (id, flow_version, status, dedup_key, subject_kind, created_at) "
            "VALUES (gen_random_uuid(), $1, 'waiting', 'many', 'nothing', now()) RETURNING id",
            version,
        )
        await tx.execute(
            "INSERT INTO step_attempt (run, node, type, attempt, status, idempotency_key, "
            "started_at) VALUES ($1, 'loop', 'logic.each', 1, 'started', 'k', now())",
            run,
        )
        await tx.execute(
            "INSERT INTO step_attempt (run, scope, node, type, attempt, status, error, "
            "idempotency_key, started_at, finished_at) SELECT $1, '/loop:' || n, 'call', "
            "'action.http', 1, CASE WHEN n IN (7, 13) THEN 'failed' WHEN n = 21 THEN 'started' "
            "ELSE 'succeeded' END, CASE WHEN n IN (7, 13) THEN 'refused ' || n ELSE '' END, 'k', "
            "now(), now() FROM generate_series(1, $2) n",
            run,
            count,
        )
        await tx.execute(
            "INSERT INTO token (id, run, scope, node, state) VALUES "
            "(gen_random_uuid(), $1, '/', 'loop', 'inside'), "
            "(gen_random_uuid(), $1, '/loop:7', 'call', 'halted'), "
            "(gen_random_uuid(), $1, '/loop:21', 'call', 'started')",
            run,
        )
    return run


async def test_of_ten_thousand_rounds_those_that_need_somebody_come_first(
    database: Database,
) -> None:
    run = await many_rounds(database)
    async with database.snapshot() as tx:
        level = await find_level(tx, run, DOCUMENT)
        later = await find_level(tx, run, DOCUMENT, loop="loop", page=500)
        inside = await find_level(tx, run, DOCUMENT, scope="/loop:13")
    rounds = level.rounds["loop"]
    assert (rounds.total, rounds.page_count, len(rounds.items)) == (COUNT, COUNT // ROUNDS, ROUNDS)
    assert rounds.counts == {
        RoundState.halted: 1, RoundState.failed: 1, RoundState.open: 1, RoundState.done: COUNT - 3,
    }  # fmt: skip
    assert [one.number for one in rounds.items[:5]] == [7, 13, 21, 10_000, 9_999]
    assert [one.state for one in rounds.items[:4]] == list(RoundState)
    assert [len(one.attempts) for one in rounds.items[:4]] == [1] * OPENED + [0]
    assert rounds.items[0].attempts[0].is_halted
    assert rounds.items[1].error == "refused 13"
    assert later.rounds["loop"].items[-1].number == 1
    assert [(one.scope, one.error) for one in inside.attempts] == [("/loop:13", "refused 13")]


async def test_rounds_are_paged_and_a_round_has_a_page_of_its_own(
    database: Database, stage: Stage, owner: Browser
) -> None:
    run = await many_rounds(database, count=60)
    page = (await owner.get(f"/admin/runs/{run}")).text
    assert "60 rounds: 1 halted, 1 with a failure, 1 under way, 57 done" in page
    assert page.index("For each, round 7<") < page.index("For each, round 13<")
    assert "For each, round 30<" not in page
    second = (await owner.get(f"/admin/runs/{run}?loop=loop&page=2")).text
    assert "For each, round 30<" in second
    assert f'data-live-url="/admin/runs/{run}/now?loop=loop&amp;page=2"' in second
    own = (await owner.get(f"/admin/runs/{run}?scope=/loop:13")).text
    assert "refused 13" in own
    assert f'href="/admin/runs/{run}"' in own
    assert "no such round" in (await owner.get(f"/admin/runs/{run}?scope=/loop:99")).text
    for odd in ("loop:1", "/loop", "/a:b", "/" + "x" * 70 + ":1"):
        assert (await owner.get(f"/admin/runs/{run}", params={"scope": odd})).status_code == 404


async def test_a_long_output_is_cut_and_has_a_page_of_its_own(stage: Stage, owner: Browser) -> None:
    _, run = await stage.installing()
    long = {"log": "x" * 9_000, "deep": {"api_key": "hunter2"}}
    async with stage.database.transaction() as tx:
        blob = await tx.fetchval(
            "INSERT INTO run_blob (id, run, content) VALUES (gen_random_uuid(), $1, $2) "
            "RETURNING id",
            run,
            json.dumps(long),
        )
        attempt = await tx.fetchval(
            "UPDATE step_attempt SET output = NULL, blob = $2 WHERE run = $1 AND node = 'server' "
            "RETURNING id",
            run,
            blob,
        )
    page = (await owner.get(f"/admin/runs/{run}")).text
    assert "more characters" in page
    assert "hunter2" not in page
    whole = f"/admin/runs/{run}/attempts/{attempt}/output"
    assert whole in page
    answer = await owner.get(whole)
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == {"log": "x" * 9_000, "deep": {"api_key": HIDDEN}}
    for odd in (f"{attempt}/blob", "0/output", f"{2**63}/output", f"{2**40}/input"):
        assert (await owner.get(f"/admin/runs/{run}/attempts/{odd}")).status_code == 404
