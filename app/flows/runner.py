"""A worker's long-lived runner: claims due runs, drives them, keeps the leases alive.

The doorbell only shortens the wait; every `SWEEP_S` the database is looked at anyway, so
Redis may be lost at any time.
"""

import asyncio
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from app.core.database import Database
from app.core.ids import new_id
from app.core.live import Live
from app.flows import lease
from app.flows.interpreter import Interpreter
from app.flows.start import DOORBELL

SWEEP_S = 2.0
CLAIM_LIMIT = 32
log = structlog.get_logger()


@dataclass(slots=True)
class Drive:
    """A run that is being driven here. `kept_s` is the loop's time of its last renewal."""

    claim: lease.Claim
    task: asyncio.Task[None]
    kept_s: float


class Runner:
    """Drives up to `slots` runs at once."""

    def __init__(
        self,
        database: Database,
        live: Live,
        interpreter: Interpreter,
        *,
        lease_s: float,
        slots: int = 64,
    ) -> None:
        self._database = database
        self._live = live
        self._interpreter = interpreter
        self._lease_s = lease_s
        self._slots = slots
        self._driving: dict[UUID, Drive] = {}
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{new_id().hex[-6:]}"

    async def run(self) -> None:
        """Run until cancelled; what is being driven is then left to its lease."""
        heartbeat = asyncio.create_task(self._heartbeat(), name="flow-heartbeat")
        try:
            await self._live.keep_sweeping(DOORBELL, self._sweep_and_tell, at_most_s=SWEEP_S)
        finally:
            heartbeat.cancel()
            tasks = [drive.task for drive in self._driving.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(heartbeat, *tasks, return_exceptions=True)

    async def _sweep_and_tell(self) -> float:
        await self.sweep()
        return await self._pause_s()

    async def sweep(self) -> int:
        """Claim and begin to drive what is due; returns how many runs were claimed."""
        claimed = 0
        while (free := self._slots - len(self._driving)) > 0:
            async with self._database.transaction() as tx:
                claims = await lease.claim_due(
                    tx, owner=self.owner, lease_s=self._lease_s, limit=min(free, CLAIM_LIMIT)
                )
            for claim in claims:
                self._begin(claim)
            claimed += len(claims)
            if len(claims) < CLAIM_LIMIT:
                break
        return claimed

    def _begin(self, claim: lease.Claim) -> None:
        before = self._driving.get(claim.run)
        if before is not None:  # our own lease ran out, this process stood still for so long
            before.task.cancel()
        now_s = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._drive(claim), name=f"run-{claim.run}")
        self._driving[claim.run] = Drive(claim, task, now_s)

    async def idle(self) -> None:
        """Wait until nothing is being driven; for tests and for an orderly stop."""
        while self._driving:
            tasks = [drive.task for drive in self._driving.values()]
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _drive(self, claim: lease.Claim) -> None:
        try:
            await self._interpreter.drive(claim)
        except Exception:
            # The lease runs out and another sweep goes on from the last checkpoint.
            log.exception("run.driver_failed", run=str(claim.run))
        finally:
            current = self._driving.get(claim.run)
            if current is not None and current.claim == claim:
                del self._driving[claim.run]

    async def _pause_s(self) -> float:
        """Return how long nothing is due, at most `SWEEP_S`."""
        async with self._database.snapshot() as tx:
            due: datetime | None = await tx.fetchval(
                "SELECT min(wake_at) FROM run WHERE status = ANY($1) "
                "AND (lease_until IS NULL OR lease_until < $2)",
                list(lease.OPEN),
                tx.now(),
            )
            if due is None or len(self._driving) >= self._slots:
                return SWEEP_S
            return min(max((due - tx.now()).total_seconds(), 0.005), SWEEP_S)

    async def _heartbeat(self) -> None:
        """Renew every third of a lease; a run that is no longer ours is dropped at once.

        While the database cannot be reached a run is driven on for the rest of its lease and
        no longer: another worker may have it then.
        """
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._lease_s / 3)
            drives = list(self._driving.values())
            if not drives:
                continue
            asked_s = loop.time()
            try:
                async with asyncio.timeout(self._lease_s / 3):
                    kept = await self._renew([drive.claim for drive in drives])
            except Exception as error:  # noqa: BLE001 - whatever it is, the next beat must come
                log.warning("runner.not_renewed", runs=len(drives), error=str(error))
                for drive in drives:
                    if loop.time() - drive.kept_s >= self._lease_s:
                        drive.task.cancel()
                continue
            for drive in drives:
                if drive.claim.run in kept:
                    drive.kept_s = asked_s
                else:
                    drive.task.cancel()

    async def _renew(self, claims: list[lease.Claim]) -> set[UUID]:
        async with self._database.transaction() as tx:
            return await lease.renew(tx, claims, lease_s=self._lease_s)
