"""Tickets of a PVE cluster, got once for all who call it with one login."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

import msgspec

from app.drivers.http.client import HttpClient
from app.drivers.http.contract import Basic
from app.drivers.secret import Secret

MOST_TICKETS = 256


class Ticket(msgspec.Struct, frozen=True):
    """What PVE gives to who signed in, for two hours."""

    cookie: Secret
    csrf: Secret
    """Guards against forged requests."""


class Tickets:
    """Those of one process, by cluster and login: to sign in takes PVE longer than most calls."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Basic], Ticket] = {}
        self._locks: defaultdict[tuple[str, Basic], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, url: str, login: Basic, sign_in: Callable[[], Awaitable[Ticket]]) -> Ticket:
        """Return the ticket; of those that want one at once, one signs in."""
        key = url, login
        async with self._locks[key]:
            if key not in self._found:
                self._found[key] = await sign_in()
                while len(self._found) > MOST_TICKETS:
                    oldest = next(iter(self._found))
                    del self._found[oldest], self._locks[oldest]
            return self._found[key]

    def forget(self, url: str, login: Basic, *, refused: Ticket | None = None) -> None:
        """Forget the ticket, or only that one which was refused: another may have come since."""
        if refused is None or self._found.get((url, login)) is refused:
            self._found.pop((url, login), None)


_TICKETS: WeakKeyDictionary[HttpClient, Tickets] = WeakKeyDictionary()


def tickets_of(http: HttpClient) -> Tickets:
    """Return the tickets of who calls through this client, so of this process."""
    return _TICKETS.setdefault(http, Tickets())
