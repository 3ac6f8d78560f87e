"""Our own engine as a contestant: one worker, all runs started by one commit."""

import contextlib
from collections.abc import AsyncIterator

from benchmarks import usage
from benchmarks.flows import documents
from benchmarks.flows.documents import STEPS
from benchmarks.flows.peers.plan import Reached, Setting, reached
from benchmarks.flows.works import Works

NAME = "Slipway"
FLOW = "bench-calls"
SETTINGS = (Setting("commit", 0),)
VERSIONS: dict[str, str] = {}
LIMIT_S = 300.0


class Ours:
    def __init__(self, works: Works) -> None:
        self._works = works

    async def many(self, flows: int, setting: Setting) -> Reached:  # noqa: ARG002 - there is one
        families = self._works.families()
        batch = await self._works.start(FLOW, flows)
        before = usage.sample(families)  # from the commit on, as the time is
        wall_s = await self._works.finish(batch, limit_s=LIMIT_S)
        return reached(flows * STEPS, wall_s, before, usage.sample(families))

    async def alone(self, times: int) -> list[float]:
        return [await self._works.alone(FLOW) for _ in range(times)]


@contextlib.asynccontextmanager
async def running(works: Works, workers: int = 1) -> AsyncIterator[Ours]:
    await works.publish(documents.calls(FLOW, works.target_url))
    hired = await works.hire(workers)
    try:
        yield Ours(works)
    finally:
        await works.dismiss(*hired)
