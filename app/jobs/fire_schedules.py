"""Fire schedules when they are due, on every worker; Redis is not needed for it."""

from datetime import timedelta

from app.core.database import Database
from app.core.live import Live
from app.flows.triggers.register import DOORBELL
from app.flows.triggers.ticks import correct_plans, fire_due, next_due

SWEEP_S = 2.0
CORRECT_EVERY = timedelta(minutes=1)


class Schedules:
    """A worker's long-lived look at the schedules; any number of workers look at the same."""

    def __init__(self, database: Database, live: Live) -> None:
        self._database = database
        self._live = live
        self._corrected_at = database.clock.now()

    async def run(self) -> None:
        """Run until cancelled; what is due then is another worker's, or due at the next start."""
        await self._live.keep_sweeping(DOORBELL, self._sweep_and_tell, at_most_s=SWEEP_S)

    async def sweep(self) -> int:
        """Fire what is due; returns how many ticks had a run started."""
        # A clock that was set back is noticed by either look.
        if abs(self._database.clock.now() - self._corrected_at) >= CORRECT_EVERY:
            self._corrected_at = self._database.clock.now()
            await correct_plans(self._database)
        return await fire_due(self._database)

    async def _sweep_and_tell(self) -> float:
        await self.sweep()
        async with self._database.snapshot() as tx:
            due = await next_due(tx)
            if due is None:
                return SWEEP_S
            return min(max((due - tx.now()).total_seconds(), 0.005), SWEEP_S)
