"""Live topics and doorbells over Redis publish/subscribe.

A message says only "look again": pages re-fetch their fragment and runners re-scan
their table, so a lost message costs a delay (a minute until the page looks by itself, the
worker's sweep) and never a wrong state.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from redis.asyncio import Redis
from redis.exceptions import RedisError

PREFIX = "slipway:"
EVERYTHING = "*"
DOORBELLS = "doorbell:*"
RECONNECT_S = 0.5
PUBLISH_S = 1.0
"""How long a commit waits at most until its topics are told; without Redis they are lost."""
log = logging.getLogger(__name__)


class Subscription:
    """What one listener has been told since it last asked; a topic is kept once."""

    def __init__(self, *, is_over: bool = False) -> None:
        self.is_over = is_over
        self._waiting: set[str] = set()
        self._rung = asyncio.Event()

    def ring(self, topic: str) -> None:
        self._waiting.add(topic)
        self._rung.set()

    def end(self) -> None:
        """Wake the listener once, to find that `is_over`."""
        self.is_over = True
        self._rung.set()

    async def wait(self, timeout_s: float) -> set[str]:
        """Return the topics rung since the last call; empty after `timeout_s` or at the end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        self._rung.clear()
        waiting, self._waiting = self._waiting, set()
        return waiting


Sweep = Callable[[], Awaitable[float]]


class Live:
    """The process's one subscriber, fanned out to any number of listeners.

    `hears` is a pattern of Redis: topics that nobody in this process listens to are not sent to it.
    """

    def __init__(self, redis: Redis, *, hears: str = EVERYTHING) -> None:
        self._redis = redis
        self._hears = hears
        self._listeners: dict[str, set[Subscription]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._is_over = False

    def hang_up(self) -> None:
        """End every subscription, and those yet to come: the process is about to stop."""
        self._is_over = True
        for listeners in self._listeners.values():
            for subscription in listeners:
                subscription.end()

    async def publish(self, topics: Iterable[str]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for topic in topics:
            pipeline.publish(PREFIX + topic, "")
        async with asyncio.timeout(PUBLISH_S):
            await pipeline.execute()

    @contextlib.asynccontextmanager
    async def listen(self, *topics: str) -> AsyncIterator[Subscription]:
        """Yield a subscription to `topics` for as long as the block runs."""
        subscription = Subscription(is_over=self._is_over)
        for topic in topics:
            self._listeners[topic].add(subscription)
        try:
            yield subscription
        finally:
            for topic in topics:
                self._listeners[topic].discard(subscription)
                if not self._listeners[topic]:
                    del self._listeners[topic]

    async def keep_sweeping(self, doorbell: str, sweep: Sweep, *, at_most_s: float) -> None:
        """Call `sweep` now, whenever the doorbell rings, and after the seconds it returned.

        The doorbell only shortens the wait: without Redis the pause, at most `at_most_s`, is
        what there is. A sweep that fails is logged and tried again. Runs until cancelled.
        """
        async with self.listen(doorbell) as bell:
            while True:
                try:
                    pause_s = await sweep()
                except Exception:
                    log.exception("the sweep of %s failed", doorbell)
                    pause_s = at_most_s
                await bell.wait(min(pause_s, at_most_s))

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="live")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self._relay()
            except (RedisError, OSError) as error:
                log.warning("live updates wait for Redis: %s", error)
            except Exception:
                log.exception("live updates failed")
            await asyncio.sleep(RECONNECT_S)

    async def _relay(self) -> None:
        async with self._redis.pubsub() as pubsub:
            await pubsub.psubscribe(PREFIX + self._hears)
            async for message in pubsub.listen():
                if message["type"] == "psubscribe":
                    # Now, and after each reconnection, which redis-py makes by itself: whatever
                    # was said while nobody listened.
                    self._ring_all()
                elif message["type"] == "pmessage":
                    channel = message["channel"]
                    if isinstance(channel, bytes):
                        channel = channel.decode(errors="replace")
                    topic = channel.removeprefix(PREFIX)
                    for subscription in tuple(self._listeners.get(topic, ())):
                        subscription.ring(topic)

    def _ring_all(self) -> None:
        for topic, listeners in tuple(self._listeners.items()):
            for subscription in tuple(listeners):
                subscription.ring(topic)
