"""logic.stop: its word is the end of the run, whatever happens between the word and the end."""

import asyncio
from uuid import UUID

from app.flows.steer import cancel_run
from tests.flows.conftest import LEASE_S, Workshop
from tests.flows.engine.bench import flow, row, story
from tests.flows.engine.test_branches import until

STEPS = {
    "busy": "t.hang",
    "a": "t.call",
    "s": ("logic.stop", {"output": "=string(now)"}),
    "never": "t.note",
}
PATHS = ("begin > busy > never", "begin > a > s")


async def die_between(workshop: Workshop) -> UUID:
    """Kill the worker when the end has been said and another branch still keeps it busy."""
    run = await workshop.start(flow(STEPS, *PATHS, on_failure="compensate"))
    doomed = asyncio.create_task(workshop.drive_and_die())

    async def said() -> bool:
        return "finished /s" in await story(workshop, run)

    await until(said)
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    assert (await row(workshop, run))["finished_at"] is None
    workshop.clock.advance(seconds=LEASE_S + 1)
    return run


async def test_who_goes_on_after_a_crash_ends_the_run_and_nothing_else(workshop: Workshop) -> None:
    said = workshop.clock.now()
    run = await die_between(workshop)
    await workshop.drive()
    ended = await row(workshop, run)
    assert ended["status"] == "succeeded"
    assert ended["output"] == f'"{said:%Y-%m-%dT%H:%M:%SZ}"', "what it said before the crash"
    told = await story(workshop, run)
    assert [one for one in told if one.endswith("/s")] == ["started /s", "finished /s"]
    assert told[-1] == "succeeded"
    assert await workshop.notes() == []
    assert len(workshop.world.done) == 2, "the call under way is not made again"


async def test_who_cancels_before_the_end_is_heard(workshop: Workshop) -> None:
    run = await die_between(workshop)
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    workshop.world.gate.set()
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"
    assert len(workshop.world.undone) == 1
