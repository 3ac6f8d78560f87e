"""Readings of a cluster, shared by all who ask for one at the same moment."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from app.drivers.errors import DriverError
from app.drivers.http.client import HttpClient

MOST_READINGS = 64
Whose: TypeAlias = tuple[str, Any]
"""A cluster's address and the login: another one may see less of it."""


@dataclass(slots=True)
class _Line:
    """Who waits for a reading of one cluster."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun: int = 0
    began_s: float = 0.0
    found: Any = None
    """What the latest gave, or the error that it met; None while it is under way."""


class Readings:
    """Those of one process. One at a time is under way at a cluster; it answers all in line.

    What is returned was read after it was asked for, however many ask. With `within_s` it may
    be as old as that.
    """

    def __init__(self) -> None:
        self._lines: dict[Whose, _Line] = {}

    async def get(
        self, whose: Whose, read: Callable[[], Awaitable[Any]], *, within_s: float = 0.0
    ) -> Any:
        """Return what `read` gives. Raises the `DriverError` of the reading that is shared."""
        line = self._line(whose)
        asked, asked_s = line.begun, time.monotonic()
        async with line.lock:
            is_later = line.begun > asked or asked_s - line.began_s < within_s
            if line.found is None or not is_later:
                await self._read(line, read)
        if isinstance(line.found, DriverError):
            raise line.found.with_traceback(None)
        return line.found

    async def _read(self, line: _Line, read: Callable[[], Awaitable[Any]]) -> None:
        line.begun, line.began_s, line.found = line.begun + 1, time.monotonic(), None
        try:
            line.found = await read()
        except DriverError as error:
            line.found = error.with_traceback(None)

    def _line(self, whose: Whose) -> _Line:
        line = self._lines.pop(whose, None) or _Line()
        self._lines[whose] = line
        while len(self._lines) > MOST_READINGS:
            del self._lines[next(iter(self._lines))]
        return line


_READINGS: WeakKeyDictionary[HttpClient, Readings] = WeakKeyDictionary()


def readings_of(http: HttpClient) -> Readings:
    """Return the readings of who calls through this client, so of this process."""
    return _READINGS.setdefault(http, Readings())
