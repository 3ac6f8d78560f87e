"""W3: kill -9 in the middle of 200 flows; another worker goes on.

Two workers share the flows; one is killed when a good third of the steps are journaled. What
counts is told by the journal and by the target, which counts the calls under each key.
"""

import asyncio
import itertools
import time
from dataclasses import dataclass
from uuid import UUID

import msgspec

from app.settings import Settings
from benchmarks.flows import documents, plots
from benchmarks.flows.documents import STEPS
from benchmarks.flows.verdict import Journal, Verdict, judge
from benchmarks.flows.works import Batch, NotFinished, Worker, Works
from benchmarks.report import say
from benchmarks.result import Result

FLOWS = 200
UNREPEATABLE = {f"bench-killed-{turn}": range(1 + turn, STEPS + 1, 3) for turn in range(3)}
"""Which steps have `idempotency: none`, by flow: always a third of the calls under way."""
DELAY_MS = 60
"""What the target thinks: so that many calls are under way when the worker dies."""
KILL_AT = 0.4
EXTRA_S = 2.0
LOOK_S = 0.05
LIMIT_S = 120.0
LEASE_S: float = Settings.model_fields["lease_s"].default


async def measure(works: Works, size: float) -> list[Result]:
    flows = max(20, round(FLOWS * size))
    for name, steps in UNREPEATABLE.items():
        await works.publish(
            documents.calls(name, works.target_url, unrepeatable=steps, delay_ms=DELAY_MS)
        )
    hired = await works.hire(2)
    try:
        await works.forget()
        story = Story()
        started = list(itertools.islice(itertools.cycle(UNREPEATABLE), flows))
        batch = await works.start_all(started)
        await _until(works, batch, story, KILL_AT * flows * STEPS)
        doomed = await _busiest(works, batch, hired)
        kill = await _kill(works, batch, story, doomed)
        await _until_over(works, batch, story, kill)
        after, counts = await _journal(works, batch), await works.counts()
    finally:
        await works.dismiss()
    never_twice = {
        f"{run}:/:s{number}"
        for run, flow in zip(batch.runs, started, strict=True)
        for number in UNREPEATABLE[flow]
    }
    verdict = judge(
        kill.journaled, after, kill.counts, counts, steps=STEPS, unrepeatable=never_twice
    )
    _show(kill, verdict, story)
    plot = plots.killed(story.seen, kill.at_s, kill.at_s + kill.recovered_s, flows * STEPS)
    return _results(flows, kill, verdict, plot)


class Story:
    """How many steps the journal had as done, by seconds since the beginning."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.seen: list[tuple[float, int]] = []

    @property
    def now_s(self) -> float:
        return time.perf_counter() - self.began


@dataclass
class Kill:
    """What there was when the worker died, and when its flows went on."""

    at_s: float
    pid: int
    orphans: list[UUID]
    journaled: frozenset[str]
    """Keys of the steps of its flows that are done."""
    counts: dict[str, int]
    recovered_s: float = 0.0
    """From the kill until the last of them is in another worker's hands."""
    over_s: float = 0.0
    """From the kill until all flows have ended or halted."""


async def _until(works: Works, batch: Batch, story: Story, steps: float) -> None:
    """Wait until so many steps are done."""
    while True:
        done = await _done_count(works, batch)
        story.seen.append((story.now_s, done))
        if done >= steps:
            return
        if story.now_s > LIMIT_S:
            raise NotFinished(f"The steps do not go on; {await works.story()}")
        await asyncio.sleep(LOOK_S)


async def _busiest(works: Works, batch: Batch, hired: list[Worker]) -> Worker:
    owned = {worker.pid: len(await _owned(works, batch, worker.pid)) for worker in hired}
    return max(hired, key=lambda worker: owned[worker.pid])


async def _kill(works: Works, batch: Batch, story: Story, doomed: Worker) -> Kill:
    doomed.kill()
    at_s = story.now_s
    await doomed.child.process.wait()
    works.workers.remove(doomed)
    orphans = await _owned(works, batch, doomed.pid)
    # Nobody drives them now, so what the journal has of them stays as it is.
    return Kill(at_s, doomed.pid, orphans, await _done(works, orphans), await works.counts())


async def _until_over(works: Works, batch: Batch, story: Story, kill: Kill) -> None:
    """Wait until every flow has ended or halted, and note when the last orphan went on."""
    while story.now_s < kill.at_s + LIMIT_S:
        story.seen.append((story.now_s, await _done_count(works, batch)))
        if not kill.recovered_s and not await _owned(works, batch, kill.pid):
            kill.recovered_s = story.now_s - kill.at_s
        if kill.recovered_s and not await works.left(batch):
            break
        await asyncio.sleep(LOOK_S)
    kill.over_s = story.now_s - kill.at_s


def _show(kill: Kill, verdict: Verdict, story: Story) -> None:
    say(
        f"W3: killed after {kill.at_s:.2f} s, {story.seen[-1][1]} steps done at the end; its "
        f"{len(kill.orphans)} flows went on after {kill.recovered_s:.2f} s (lease {LEASE_S:g} s), "
        f"all was over {kill.over_s:.2f} s after the kill"
    )
    say(
        f"W3: {verdict.succeeded} succeeded, {verdict.doubtful} halted in doubt, {verdict.lost} "
        f"lost; {verdict.repeated} journaled steps repeated, {verdict.unrepeatable} of `none` "
        f"repeated, {verdict.repeated_by_key} by their key"
    )


def _results(flows: int, kill: Kill, verdict: Verdict, plot: dict[str, str]) -> list[Result]:
    details = {
        "verdict": msgspec.to_builtins(verdict), "orphans": len(kill.orphans),
        "killed_s": kill.at_s, "over_s": kill.over_s, "journaled_at_kill": len(kill.journaled),
    }  # fmt: skip
    return [
        Result(
            name="flows-w3", ours=kill.recovered_s or LIMIT_S, peer=LEASE_S,
            goal=LEASE_S + EXTRA_S, details=details, plots=plot,
            says=f"kill -9 of one of two workers amid {flows} flows, until the last of its "
            f"{len(kill.orphans)} went on in the other; peer: the lease",
        ),
        Result(
            name="flows-w3-wrong", ours=float(verdict.wrong), peer=float(flows), goal=1.0, unit="",
            says="flows lost, journaled steps repeated and steps of `idempotency: none` repeated "
            f"({verdict.doubtful} flows halted in doubt); peer: the flows",
        ),
    ]  # fmt: skip


async def _done_count(works: Works, batch: Batch) -> int:
    async with works.database.snapshot() as tx:
        count: int = await tx.fetchval(
            "SELECT count(*) FROM step_attempt WHERE run = ANY($1) AND status = 'succeeded' "
            "AND node <> 'begin'",
            batch.runs,
        )
    return count


async def _owned(works: Works, batch: Batch, pid: int) -> list[UUID]:
    """Return the runs whose lease names the process."""
    async with works.database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT id FROM run WHERE id = ANY($1) AND finished_at IS NULL "
            "AND lease_owner LIKE '%:' || $2 || ':%'",
            batch.runs,
            str(pid),
        )
    return [row["id"] for row in rows]


async def _done(works: Works, runs: list[UUID]) -> frozenset[str]:
    """Return the keys of the steps that are done."""
    async with works.database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT idempotency_key FROM step_attempt WHERE run = ANY($1) AND status = 'succeeded'",
            runs,
        )
    return frozenset(row["idempotency_key"] for row in rows)


async def _journal(works: Works, batch: Batch) -> Journal:
    async with works.database.snapshot() as tx:
        runs = await tx.fetch("SELECT id, status FROM run WHERE id = ANY($1)", batch.runs)
        halted = await tx.fetch(
            "SELECT run, node, doubt FROM token WHERE run = ANY($1) AND state = 'halted'",
            batch.runs,
        )
    return Journal(
        done=await _done(works, batch.runs),
        statuses={row["id"]: row["status"] for row in runs},
        halted_at={row["run"]: (row["node"], row["doubt"]) for row in halted},
    )
