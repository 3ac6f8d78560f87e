"""What happens to the machines: workers die or stand still, Redis and PostgreSQL go away."""

import asyncio
import os
import signal
from uuid import UUID

from tests.flows.processes.conftest import LEASE_S, Yard, call, chain

RUNS = 40
STEPS = 5


async def start_many(yard: Yard, runs: int = RUNS) -> list[UUID]:
    """Start flows of which every other step must not be done twice."""
    policies = [None, "none"] * STEPS
    steps = [call(yard.target, policy=policy) for policy in policies[:STEPS]]
    await yard.publish(chain("calls", *steps))
    return [await yard.start("calls") for _ in range(runs)]


async def done_some(yard: Yard, runs: list[UUID], count: int) -> None:
    async def some() -> bool:
        return len(await yard.journaled(runs)) >= count

    await yard.until(some)


async def check(yard: Yard, runs: list[UUID], *, calls_before: dict[str, int]) -> None:
    """All ended or wait for a person; nothing journaled was repeated, and no `none` step ever."""
    await yard.until(lambda: yard.is_over(runs))
    statuses = await yard.statuses(runs)
    assert set(statuses) <= {"succeeded", "halted"}, statuses
    never_twice = {f"{run}:/:s{number}" for run in runs for number in range(2, STEPS + 1, 2)}
    counts = yard.target.counts
    assert {key for key in never_twice if counts[key] > 1} == set()
    assert {key for key in calls_before if counts[key] != calls_before[key]} == set()
    doubtful = await yard.fetch(
        "SELECT node, status FROM step_attempt WHERE run = ANY($1) AND status NOT IN ('succeeded')",
        runs,
    )
    assert {row["status"] for row in doubtful} <= {"ambiguous", "failed"}
    assert statuses["halted"] <= len(doubtful)
    for run in runs:
        for number in range(1, STEPS + 1):
            key = f"{run}:/:s{number}"
            assert counts[key] or statuses["halted"], f"{key} was lost"


async def test_kill_9_in_the_middle_of_many_runs(yard: Yard) -> None:
    doomed, _ = await yard.hire(2)
    yard.target.delay_s = 0.05
    runs = await start_many(yard)
    await done_some(yard, runs, RUNS)
    os.kill(doomed.process.pid, signal.SIGKILL)
    await doomed.process.wait()
    left = await yard.fetch(
        "SELECT id FROM run WHERE lease_owner LIKE '%:' || $1 || ':%'", str(doomed.process.pid)
    )
    orphans = [row["id"] for row in left]
    journaled = {key: yard.target.counts[key] for key in await yard.journaled(orphans)}
    await check(yard, runs, calls_before=journaled)


async def test_a_worker_stopped_past_its_lease_and_woken_writes_nothing(yard: Yard) -> None:
    (slow,) = await yard.hire()
    await yard.publish(chain("hold", call(yard.target, hold=True), call(yard.target)))
    runs = [await yard.start("hold") for _ in range(5)]

    async def called() -> bool:
        return len(yard.target.counts) == len(runs)

    await yard.until(called)
    os.kill(slow.process.pid, signal.SIGSTOP)
    yard.target.gate.set()  # the answers come while it stands still
    await asyncio.sleep(LEASE_S)
    await yard.hire()
    await yard.until(lambda: yard.is_over(runs))
    before = await journal(yard, runs)
    counts = dict(yard.target.counts)
    os.kill(slow.process.pid, signal.SIGCONT)

    async def fenced() -> bool:
        return slow.log.read_text().count("run.fenced") == len(runs)

    await yard.until(fenced)
    assert await journal(yard, runs) == before
    assert dict(yard.target.counts) == counts, "and it calls nobody"
    assert await yard.statuses(runs) == {"succeeded": len(runs)}


async def journal(yard: Yard, runs: list[UUID]) -> list[tuple[object, ...]]:
    rows = await yard.fetch(
        "SELECT a.run, a.node, a.attempt, a.status, a.output, a.finished_at FROM step_attempt a "
        "WHERE run = ANY($1) UNION ALL SELECT run, node, seq, kind, facts, at FROM run_event "
        "WHERE run = ANY($1) UNION ALL SELECT id, status, epoch, error, output, finished_at "
        "FROM run WHERE id = ANY($1) ORDER BY 1, 2, 3",
        runs,
    )
    return [tuple(row) for row in rows]


async def test_redis_flushed_in_the_middle_loses_nothing(yard: Yard) -> None:
    await yard.hire()
    runs = await start_many(yard)
    await done_some(yard, runs, RUNS // 2)
    await yard.redis.flushall()
    await yard.redis.client_kill_filter(_type="pubsub")
    more = await start_many(yard, 5)
    await yard.until(lambda: yard.is_over(runs + more))
    assert await yard.statuses(runs + more) == {"succeeded": RUNS + 5}
    assert set(yard.target.counts.values()) == {1}


async def test_redis_restarted_in_the_middle_loses_nothing(yard: Yard) -> None:
    await yard.hire()
    yard.target.delay_s = 0.02
    runs = await start_many(yard)
    await done_some(yard, runs, RUNS // 2)
    await yard.redis.shutdown(nosave=True)
    more = await start_many(yard, 5)  # nobody can ring for these
    await done_some(yard, runs, RUNS)
    await asyncio.get_running_loop().run_in_executor(None, yard.redis_server._start)
    await yard.until(lambda: yard.is_over(runs + more))
    assert await yard.statuses(runs + more) == {"succeeded": RUNS + 5}
    assert set(yard.target.counts.values()) == {1}


async def test_postgresql_restarted_in_the_middle_lets_runs_go_on_by_themselves(
    yard: Yard,
) -> None:
    await yard.hire()
    yard.target.delay_s = 0.02
    runs = await start_many(yard)
    await done_some(yard, runs, RUNS)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, yard.postgres._server.stop)
    calls = dict(yard.target.counts)
    await loop.run_in_executor(None, yard.postgres._server.start)
    journaled = {}

    async def read() -> bool:
        journaled.update(await yard.journaled(runs))
        return True

    await yard.until(read)
    before = {key: calls[key] for key in journaled if key in calls}
    await check(yard, runs, calls_before=before)
    statuses = await yard.statuses(runs)
    assert statuses["succeeded"] == RUNS, "the worker lived on: it knows what was answered"
