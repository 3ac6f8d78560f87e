"""Relay the outbox: hand each due row to the consumer of its topic, at least once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from app.core.database import Database, Tx, storable
from app.core.live import Live
from app.core.outbox import (
    DOORBELL,
    LEASE_S,
    Parcel,
    claim_due,
    emit,
    mark_done,
    mark_failed,
    next_due,
)

SWEEP_S = 2.0
SLOTS = 50
LONGEST_S = LEASE_S - 2
"""How long a consumer may take: past its lease the row is handed over again."""
TOLD_AFTER = 6
"""The attempt, about half a minute after the first, that staff are told of when it fails."""
TELLS_ITSELF = frozenset({"admin.notice", "mail.send"})
"""Topics whose failure no mail can tell of; mails show their own on the admin's pages."""
log = structlog.get_logger()

Consumer = Callable[[Parcel], Awaitable[None]]


class Relay:
    """A worker's long-lived relay. Consumers are idempotent by the parcel's key.

    Parcels are handed over side by side, up to `SLOTS` at once: a mail server that does not
    answer delays mails and nothing else.
    """

    def __init__(self, database: Database, live: Live, consumers: Mapping[str, Consumer]) -> None:
        self._database = database
        self._live = live
        self._consumers = consumers
        self._handing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Run until cancelled; what is being handed over then is due again after its lease."""
        try:
            await self._live.keep_sweeping(DOORBELL, self._sweep_and_tell, at_most_s=SWEEP_S)
        finally:
            for task in self._handing:
                task.cancel()
            await asyncio.gather(*self._handing, return_exceptions=True)

    async def _sweep_and_tell(self) -> float:
        await self.sweep()
        return await self._pause_s()

    async def sweep(self) -> int:
        """Begin to hand over all that is due; returns how many rows were claimed."""
        free = SLOTS - len(self._handing)
        if free <= 0:
            return 0
        async with self._database.transaction() as tx:
            parcels = await claim_due(tx, free)
        for parcel in parcels:
            task = asyncio.create_task(self._deliver(parcel), name=f"outbox-{parcel.id}")
            self._handing.add(task)
            task.add_done_callback(self._handing.discard)
        return len(parcels)

    async def idle(self) -> None:
        """Wait until nothing is being handed over; for tests and for an orderly stop."""
        while self._handing:
            await asyncio.gather(*self._handing)

    async def _deliver(self, parcel: Parcel) -> None:
        try:
            reason = await self._hand_over(parcel)
            async with self._database.transaction() as tx:
                if reason is None:
                    await mark_done(tx, parcel)
                    return
                await mark_failed(tx, parcel, reason)
                if parcel.attempts >= TOLD_AFTER and parcel.topic not in TELLS_ITSELF:
                    await _tell_staff(tx, parcel, reason)
        except Exception:
            # The outcome is not kept: the row is due again when its lease has run out.
            log.exception("outbox.not_kept", topic=parcel.topic, key=parcel.key)

    async def _hand_over(self, parcel: Parcel) -> str | None:
        """Return why the consumer failed; None when it did not."""
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._consumers[parcel.topic](parcel)
        except Exception as error:  # noqa: BLE001 - whatever it is, the row stays due and says why
            log.warning("outbox.failed", topic=parcel.topic, key=parcel.key, error=str(error))
            return storable(f"{type(error).__name__}: {error}")
        return None

    async def _pause_s(self) -> float:
        async with self._database.snapshot() as tx:
            due = await next_due(tx)
            if due is None or len(self._handing) >= SLOTS:
                return SWEEP_S
            return min(max((due - tx.now()).total_seconds(), 0.005), SWEEP_S)


async def _tell_staff(tx: Tx, parcel: Parcel, reason: str) -> None:
    await emit(
        tx,
        "admin.notice",
        f"admin.notice:outbox:{parcel.id}",
        {
            "kind": "outbox.fails",
            "subject": parcel.key,
            "title": f"What must follow {parcel.topic} fails",
            "text": f"{parcel.key} failed {parcel.attempts} times: {reason}. "
            "It is tried again by itself, at least every five minutes, until it works.",
        },
    )
