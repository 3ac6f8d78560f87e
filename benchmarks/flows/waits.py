"""W2: a thousand flows that wait: how long they take, and what they cost in memory."""

from benchmarks import usage
from benchmarks.flows import documents, plots
from benchmarks.flows.works import Works
from benchmarks.report import say
from benchmarks.result import Result

FLOWS = 1_000
WAIT_S = 5.0
WARM_UP_WAIT_S = 0.5
GOAL_S = 6.0
GOAL_MB = 10.0
LIMIT_S = 300.0
MB = 1e6


async def measure(works: Works, size: float) -> list[Result]:
    """Measure after a batch as large that waits shortly; the memory is the worker's own."""
    flows = max(20, round(FLOWS * size))
    await works.publish(documents.waiting("bench-short", WARM_UP_WAIT_S))
    await works.publish(documents.waiting("bench-wait", WAIT_S))
    (worker,) = await works.hire()
    try:
        await works.finish(await works.start("bench-short", flows), limit_s=LIMIT_S)
        before = await works.memory(worker)
        families = works.families()
        first = usage.sample(families)
        async with usage.memory_of(worker.pid) as seen:
            batch = await works.start("bench-wait", flows)
            wall_s = await works.finish(batch, limit_s=LIMIT_S)
        used = usage.cores(first, usage.sample(families))
        after = await works.memory(worker)
    finally:
        await works.dismiss(worker)
    most = max(rss for _, rss in seen)
    growth_mb = max(0.0, (most - before) / MB)
    say(
        f"W2: {flows} waits of {WAIT_S:g} s in {wall_s:.2f} s; worker {before / MB:.1f} MB, "
        f"at most {most / MB:.1f} MB, afterwards {after / MB:.1f} MB; {usage.told(used)}"
    )
    growth = [(at, (rss - before) / MB) for at, rss in seen]
    details = {
        "flows": flows, "before_bytes": before, "most_bytes": most, "after_bytes": after,
        "cores": used,
    }  # fmt: skip
    return [
        Result(
            name="flows-w2", ours=wall_s, peer=WAIT_S, goal=GOAL_S, details=details,
            plots=plots.waits(growth, flows, GOAL_MB),
            says=f"{flows} flows that wait {WAIT_S:g} s, started by one commit; peer: the wait",
        ),
        Result(
            name="flows-w2-memory", ours=growth_mb, peer=before / MB, goal=GOAL_MB, unit="MB",
            says="growth of the worker's resident memory meanwhile, at its most; "
            "peer: what it had before",
        ),
    ]  # fmt: skip
