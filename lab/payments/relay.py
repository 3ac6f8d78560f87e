"""The way of a webhook from localstripe to Slipway, which can lose, repeat and delay it.

It checks nothing and changes nothing: the body and the signature go on byte for byte.
localstripe itself sends a webhook once, one second after the event.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

import aiohttp
import msgspec

CARRIED = ("Content-Type", "Stripe-Signature")
PAID = "payment_intent.succeeded"
KEPT_DELIVERIES = 1_000
LATE_S = 5.0
LIMIT_S = 30.0

log = logging.getLogger(__name__)


class Mode(StrEnum):
    """What becomes of a webhook that localstripe sends."""

    ON_TIME = "on-time"
    """It goes on at once."""

    LOST = "lost"
    """It never arrives; Slipway has to ask."""

    TWICE = "twice"
    """It arrives, and then arrives again."""

    LATE = "late"
    """It arrives some seconds later."""


class Sent(msgspec.Struct):
    """One call to Slipway, in epoch seconds; status 0 when nothing answered."""

    at: float
    took_s: float
    status: int


class Delivery(msgspec.Struct):
    """One webhook; times are epoch seconds.

    `paid_at` is when the card was charged, None for other events. What lies between it and
    `sent[0].at` is the payment's side, not Slipway's.
    """

    event: str
    kind: str
    ref: str | None
    paid_at: float | None
    received_at: float
    mode: Mode
    sent: list[Sent] = []


class _Event(msgspec.Struct):
    class Data(msgspec.Struct):
        class Thing(msgspec.Struct):
            id: str
            object: str

        object: Thing

    id: str
    type: str
    data: Data


class Relay:
    """Takes webhooks and hands them on to `target` as `mode` says."""

    def __init__(
        self,
        target: str,
        *,
        mode: Mode = Mode.ON_TIME,
        paid_at: Callable[[str], float | None] = lambda _ref: None,
    ) -> None:
        self._target = target
        self._paid_at = paid_at
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(LIMIT_S))
        self._under_way: set[asyncio.Task[None]] = set()
        self.mode = mode
        self.late_s = LATE_S
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT_DELIVERIES)

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._session.close()

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """Note the webhook and send it on in the background."""
        event = msgspec.json.decode(body, type=_Event)
        ref = event.data.object.id if event.data.object.object == "payment_intent" else None
        delivery = Delivery(
            event=event.id,
            kind=event.type,
            ref=ref,
            paid_at=self._paid_at(ref) if ref and event.type == PAID else None,
            received_at=time.time(),
            mode=self.mode,
        )
        self.deliveries.append(delivery)
        task = asyncio.create_task(self._deliver(delivery, headers, body))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, delivery: Delivery, headers: dict[str, str], body: bytes) -> None:
        match delivery.mode:
            case Mode.LOST:
                log.info("webhook %s of %s is lost", delivery.kind, delivery.ref)
                return
            case Mode.LATE:
                await asyncio.sleep(self.late_s)
        for _ in range(2 if delivery.mode is Mode.TWICE else 1):
            delivery.sent.append(await self._send(headers, body))

    async def _send(self, headers: dict[str, str], body: bytes) -> Sent:
        at, began_s = time.time(), time.monotonic()
        carried = {name: headers[name] for name in CARRIED if name in headers}
        try:
            async with self._session.post(self._target, data=body, headers=carried) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as problem:
            log.warning("webhook not delivered to %s: %s", self._target, problem)
            status = 0
        return Sent(at, time.monotonic() - began_s, status)
