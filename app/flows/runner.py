"""A worker's long-lived runner: claims due runs, drives them, keeps the leases alive.

The doorbell only shortens the wait; every `SWEEP_S` the database is looked at anyway, so
Redis may be lost at any time.
"""

import asyncio
import math
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from app.core.database import Database
from app.core.ids import new_id
from app.core.live import Live, Subscription
from app.flows import lease
from app.flows.course import Course
from app.flows.interpreter import Interpreter
from app.flows.start import DOORBELL

SWEEP_S = 2.0
CLAIM_LIMIT = 64
SLOTS = 256
log = structlog.get_logger()


@dataclass(slots=True)
class Drive:
    """A run that is being driven here. `kept_s` is the loop's time of its last renewal."""

    course: Course
    task: asyncio.Task[None]
    kept_s: float

    @property
    def is_listening(self) -> bool:
        """Whether it waits for a word from outside while other steps of it are being done."""
        tokens = self.course.tokens.values()
        return any(t.signal_key or t.state == "halted" for t in tokens if not t.is_busy)


class Runner:
    """Drives up to `slots` runs at once."""

    def __init__(
        self,
        database: Database,
        live: Live,
        interpreter: Interpreter,
        *,
        lease_s: float,
        slots: int = SLOTS,
    ) -> None:
        self._database = database
        self._live = live
        self._interpreter = interpreter
        self._lease_s = lease_s
        self._slots = slots
        self._driving: dict[UUID, Drive] = {}
        self._bell: Subscription | None = None
        self._looks_at_s = math.inf
        """When the database is looked at next, by the loop's time."""
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{new_id().hex[-6:]}"

    async def run(self) -> None:
        """Run until cancelled; what is being driven is then left to its lease."""
        heartbeat = asyncio.create_task(self._heartbeat(), name="flow-heartbeat")
        try:
            async with self._live.listen(DOORBELL) as self._bell:
                while True:
                    await self._bell.wait(await self._sweep_and_tell())
        finally:
            heartbeat.cancel()
            tasks = [drive.task for drive in self._driving.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(heartbeat, *tasks, return_exceptions=True)
            await self._interpreter.close()

    async def _sweep_and_tell(self) -> float:
        """Sweep, and return how long there is nothing to do; a sweep that fails is tried again."""
        try:
            for drive in self._driving.values():
                if drive.is_listening:
                    drive.course.woken.set()
            await self.sweep()
            return await self._rest_s()
        except Exception:
            log.exception("runner.sweep_failed")
            return SWEEP_S

    async def sweep(self) -> int:
        """Claim and begin to drive what is due; returns how many runs were claimed."""
        claimed = 0
        while (free := self._slots - len(self._driving)) > 0:
            limit = min(free, CLAIM_LIMIT)
            async with self._database.transaction() as tx:
                claims = await lease.claim_due(
                    tx, owner=self.owner, lease_s=self._lease_s, limit=limit
                )
            if claims:
                for course in await self._interpreter.recall(claims):
                    self._begin(course)
            claimed += len(claims)
            if len(claims) < limit:
                break
        return claimed

    def _begin(self, course: Course) -> None:
        before = self._driving.get(course.id)
        if before is not None:  # our own lease ran out, this process stood still for so long
            before.task.cancel()
        now_s = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._drive(course), name=f"run-{course.id}")
        self._driving[course.id] = Drive(course, task, now_s)

    async def idle(self) -> None:
        """Wait until nothing is being driven; for tests and for an orderly stop."""
        while self._driving:
            tasks = [drive.task for drive in self._driving.values()]
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _drive(self, course: Course) -> None:
        try:
            self._look_by(await self._interpreter.drive(course))
        except Exception:
            # The lease runs out and another sweep goes on from the last checkpoint.
            log.exception("run.driver_failed", run=str(course.id))
        finally:
            current = self._driving.get(course.id)
            if current is not None and current.course is course:
                del self._driving[course.id]
                if self._bell is not None and len(self._driving) == self._slots - 1:
                    self._bell.ring(DOORBELL)  # there was no room, and now there is

    async def _rest_s(self) -> float:
        """Return how long nothing is due, and note when that is over."""
        self._looks_at_s = math.inf  # of who is let go from here on, the answer may not know
        pause_s = await self._pause_s()
        now_s = asyncio.get_running_loop().time()
        self._looks_at_s = min(self._looks_at_s, now_s + pause_s)
        return pause_s

    def _look_by(self, wake_at: datetime | None) -> None:
        """Have the bell rung when a run that was just let go is due, if it is the first to be."""
        if wake_at is None or self._bell is None:
            return
        loop = asyncio.get_running_loop()
        left_s = (wake_at - self._database.clock.now()).total_seconds()
        at_s = loop.time() + max(left_s, 0.0)
        if left_s < SWEEP_S and at_s < self._looks_at_s:
            self._looks_at_s = at_s
            loop.call_at(at_s, self._bell.ring, DOORBELL)

    async def _pause_s(self) -> float:
        """Return how long nothing is due, at most `SWEEP_S`."""
        if len(self._driving) >= self._slots:
            return SWEEP_S
        async with self._database.snapshot() as tx:
            due: datetime | None = await tx.fetchval(
                "SELECT min(wake_at) FROM run WHERE status = ANY($1) "
                "AND (lease_until IS NULL OR lease_until < $2)",
                list(lease.OPEN),
                tx.now(),
            )
            if due is None:
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
                    kept = await self._renew([drive.course for drive in drives])
            except Exception as error:  # noqa: BLE001 - whatever it is, the next beat must come
                log.warning("runner.not_renewed", runs=len(drives), error=str(error))
                for drive in drives:
                    if loop.time() - drive.kept_s >= self._lease_s:
                        drive.task.cancel()
                continue
            for drive in drives:
                if drive.course.id in kept:
                    drive.kept_s = asked_s
                else:
                    drive.task.cancel()

    async def _renew(self, courses: list[Course]) -> set[UUID]:
        held = [(course.id, course.epoch) for course in courses]
        async with self._database.transaction() as tx:
            return await lease.renew(tx, held, lease_s=self._lease_s)
