"""Publish topics beside what goes on: who committed does not wait for Redis."""

import asyncio
import contextlib
from collections.abc import Iterable

import structlog

from app.core.database import Database

log = structlog.get_logger()


class Teller:
    """Publishes for one process.

    The topics of `gather_s` go together, and after each time it rests for `pause_s`: what comes
    meanwhile goes together too.
    """

    def __init__(self, database: Database, *, gather_s: float = 0.0, pause_s: float = 0.0) -> None:
        self._database = database
        self._gather_s = gather_s
        self._pause_s = pause_s
        self._topics: set[str] = set()
        self._telling: asyncio.Task[None] | None = None

    def tell(self, topics: Iterable[str]) -> None:
        """Return at once. Lost if nobody listens, and while Redis is away."""
        if self._database.after_commit is None:
            return
        self._topics.update(topics)
        if self._topics and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell(), name="teller")

    async def close(self) -> None:
        """Stop; what was not told is not told."""
        if self._telling is not None:
            self._telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._telling
        self._telling = None

    async def _tell(self) -> None:
        while self._topics and self._database.after_commit is not None:
            if self._gather_s:
                await asyncio.sleep(self._gather_s)
            topics, self._topics = frozenset(self._topics), set()
            try:
                await self._database.after_commit(topics)
            except Exception as error:  # noqa: BLE001 - the pages' own poll and the sweep find it
                log.warning("topics.not_told", topics=len(topics), error=str(error))
            if self._pause_s:
                await asyncio.sleep(self._pause_s)
