"""One BMC's link: sushy in threads, one request at a time, seen as hung in about 3 s."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from sushy import exceptions as sushy_errors

from app.drivers.bmc.contract import BmcAddress
from app.drivers.bmc.guard import BmcGuard, Turn
from app.drivers.bmc.redfish.kept import KeptSessions
from app.drivers.bmc.redfish.session import READ_TIMEOUT_S, Session
from app.drivers.bmc.redfish.words import translate
from app.drivers.errors import Busy, DriverError, Unreachable

CALL_DEADLINE_S = 10.0
MIN_INTERVAL_S = 0.02
"""BMCs freeze under bursts; this costs nothing beside their own 50 ms an answer."""
IDLE_S = 1.0
"""How long a connection stays open for the next call."""

T = TypeVar("T")


class Link:
    """Runs work against one BMC, never two at once."""

    def __init__(
        self,
        address: BmcAddress,
        pool: ThreadPoolExecutor,
        guard: BmcGuard,
        kept: KeptSessions,
    ) -> None:
        self.peer = address.url
        self.username = address.username
        self.commands = asyncio.Lock()
        """Held by whoever changes the machine; reading does not need it."""
        self._address = address
        self._pool = pool
        self._guard = guard
        self._kept = kept
        self._slot = asyncio.Lock()
        self._session: Session | None = None
        self._answered_at_s = 0.0
        self._hanging_up: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def has_session(self) -> bool:
        return self._session is not None

    async def call(
        self,
        work: Callable[[Any], T],
        *,
        deadline_s: float = CALL_DEADLINE_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> T:
        """Return `work(system)`, where `system` is the kept `sushy` System.

        A thread cannot be stopped: when the deadline passes, the slot and the turn stay taken
        until the thread ends by its own time-outs. So a hung BMC costs the pool one
        thread at most, and whoever asks it meanwhile is told that it is busy.
        """
        return await self._in_turn(partial(self._run, work, read_timeout_s), deadline_s)

    async def close(self) -> None:
        """End the session after the call under way, if any. The pool may be gone from then on."""
        self._is_closed = True
        if self.has_session or self._slot.locked():
            with contextlib.suppress(DriverError):
                await self._in_turn(lambda _: self._drop(), CALL_DEADLINE_S)

    async def forget_session(self) -> None:
        """Have no session any more, and ask nothing of a BMC that has just forgotten it.

        A call under way is waited for; one that takes too long finds out by itself.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CALL_DEADLINE_S), self._slot:
                session, self._session = self._session, None
                if session is not None and not self._is_closed:
                    loop = asyncio.get_running_loop()
                    await loop.run_in_executor(self._pool, session.forget)

    async def give_back(self) -> None:
        """End the session, unless a call comes between, or the BMC is busy for long."""
        seen_at_s = self._answered_at_s

        def drop(_: Turn) -> None:
            if self._answered_at_s == seen_at_s:
                self._drop()

        if self.has_session:
            with contextlib.suppress(DriverError):
                await self._in_turn(drop, CALL_DEADLINE_S)

    async def _in_turn(self, asking: Callable[[Turn], T], deadline_s: float) -> T:
        """Return what `asking` returns, in a thread and in the BMC's turn."""
        has_begun = False
        try:
            async with asyncio.timeout(deadline_s):
                async with contextlib.AsyncExitStack() as waiting:
                    await waiting.enter_async_context(self._slot)
                    turn = await waiting.enter_async_context(self._guard.turn(self._address))
                    begun = waiting.pop_all()
                has_begun = True
                task = asyncio.create_task(self._finish(begun, partial(asking, turn)))
                task.add_done_callback(_seen)
                return await asyncio.shield(task)
        except TimeoutError:
            if not has_begun:
                raise Busy(self.peer, f"busy for {deadline_s:g} s") from None
            raise Unreachable(self.peer, f"no answer within {deadline_s:g} s") from None

    async def _finish(self, begun: contextlib.AsyncExitStack, asking: Callable[[], T]) -> T:
        """Run the thread to its end, whoever still waits for it, and give slot and turn back."""
        loop = asyncio.get_running_loop()
        async with begun:
            try:
                return await loop.run_in_executor(self._pool, self._paced, asking)
            finally:
                self._kept.note(self)
                loop.call_later(IDLE_S, self._hang_up_when_idle)

    def _hang_up_when_idle(self) -> None:
        """Close the connection unless a call is under way or was just now."""
        if self._is_idle and not self._slot.locked():
            self._hanging_up = asyncio.create_task(self._hang_up())

    async def _hang_up(self) -> None:
        """Close it in a thread: many at once would keep the event loop."""
        async with self._slot:
            session = self._session
            if session is not None and self._is_idle:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._pool, session.connector.hang_up)

    @property
    def _is_idle(self) -> bool:
        idle_s = time.monotonic() - self._answered_at_s
        return self._session is not None and not self._is_closed and idle_s >= IDLE_S * 0.9

    def _paced(self, asking: Callable[[], T]) -> T:
        time.sleep(max(0.0, self._answered_at_s + MIN_INTERVAL_S - time.monotonic()))
        return asking()

    def _run(self, work: Callable[[Any], T], read_timeout_s: float, turn: Turn) -> T:
        try:
            return self._worked(work, read_timeout_s, turn)
        except sushy_errors.AccessError as error:
            self._drop()  # other credentials may be right at the next call
            raise translate(self.peer, error) from error
        except Exception as error:
            raise translate(self.peer, error) from error
        finally:
            if self._session is not None and self._session.is_stopgap:
                self._drop()
            self._answered_at_s = time.monotonic()

    def _worked(self, work: Callable[[Any], T], read_timeout_s: float, turn: Turn) -> T:
        if self._session is None:
            self._session = Session(self._address)
            turn.signed_in = True
        session = self._session
        session.connector.be_patient(read_timeout_s)
        sign_ins = session.sign_ins
        try:
            done = work(session.system)
        except sushy_errors.AccessError as error:
            session.require_room(error)
            raise
        turn.signed_in |= sign_ins is None or session.sign_ins != sign_ins
        return done

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
            self._answered_at_s = time.monotonic()


def _seen(done: "asyncio.Task[Any]") -> None:
    """Look at how it ended, for the caller may have given up already."""
    if not done.cancelled():
        done.exception()
