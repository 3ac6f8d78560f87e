"""One BMC's link: a process of its own, one request at a time, seen as hung in 3 s."""

import asyncio
import time
from typing import Any

from app.drivers.bmc.contract import BmcAddress
from app.drivers.bmc.guard import WAIT_S, BmcGuard, Turn
from app.drivers.bmc.ipmi.process import Child, Gone, Nursery
from app.drivers.bmc.ipmi.wire import Answer, Ask, Fault, SignIn
from app.drivers.errors import Busy, DriverError, Refused, Retriable, Unauthorised, Unreachable

ANSWER_S = 2.8
"""For the process, sign-in and answer, so that a hung BMC is told within 3 s. pyghmi sends again
after 0.5 to 1 s, so a lost packet is borne."""
MIN_INTERVAL_S = 0.02
SESSIONLESS = frozenset({Fault.UNAUTHORISED, Fault.UNREACHABLE, Fault.SESSION_LOST})
IDLE_S = 10.0
"""How long a session is kept for the next call. BMCs have few, and end idle ones after 60 s."""


class Link:
    """Runs verbs against one BMC, never two at once."""

    def __init__(self, address: BmcAddress, nursery: Nursery, guard: BmcGuard) -> None:
        self.peer = address.url
        self.commands = asyncio.Lock()
        """Held by whoever changes the machine; reading does not need it."""
        self._address = address
        self._nursery = nursery
        self._guard = guard
        self._slot = asyncio.Lock()
        self._child: Child | None = None
        self._answered_at_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def idle_since_s(self) -> float | None:
        """Return when it was last used, monotonic; None while it is in use or has no session."""
        is_idle = self._child is not None and not self._slot.locked()
        return self._answered_at_s if is_idle else None

    async def call(self, verb: str, *, answer_s: float = ANSWER_S, **given: Any) -> Any:
        """Return what `verbs.VERBS[verb]` returns.

        A call that takes longer than `answer_s` ends with its process, and only that BMC's.
        """
        deadline_s = WAIT_S + answer_s
        ask = Ask(verb=verb, given=given, deadline_s=answer_s)
        try:
            async with (
                asyncio.timeout(deadline_s),
                self._slot,
                self._guard.turn(self._address) as turn,
            ):
                return await self._have(turn, ask)
        except TimeoutError:
            raise Busy(self.peer, f"busy for {deadline_s:g} s") from None

    async def close(self) -> None:
        """Sign out after the call under way, if any."""
        if self._timer is not None:
            self._timer.cancel()
        async with self._slot:
            child, self._child = self._child, None
            if child is not None:
                await child.dismiss()

    async def _have(self, turn: Turn, ask: Ask) -> Any:
        pause_s = self._answered_at_s + MIN_INTERVAL_S - time.monotonic()
        if pause_s > 0:
            await asyncio.sleep(pause_s)
        is_reused = self._child is not None
        answer = await self._answer(turn, ask)
        if answer.fault is Fault.SESSION_LOST and is_reused and ask.given.get("order") != "reset":
            # The BMC was restarted, or had no room for a session that idled.
            answer = await self._answer(turn, ask)
        if answer.fault is not None:
            raise error_of(self.peer, answer)
        turn.cipher_suite = answer.cipher_suite
        return answer.value

    async def _answer(self, turn: Turn, ask: Ask) -> Answer:
        if self._child is None:
            # Once a worker, and none of the BMC's time.
            await self._nursery.prepare()
        try:
            async with asyncio.timeout(ask.deadline_s):
                child = self._child = self._child or await self._born(turn)
                answer = await child.ask(ask)
        except (TimeoutError, Gone):
            self._drop()
            raise Unreachable(self.peer, f"no answer within {ask.deadline_s:g} s") from None
        except BaseException:
            # Nobody waits for the answer any more, and the next must not take it for its own.
            self._drop()
            raise
        if answer.fault in SESSIONLESS:
            self._drop()
        elif answer.fault is not Fault.RETRIABLE and not child.is_signed_in:
            child.is_signed_in = turn.signed_in = True
        self._answered_at_s = time.monotonic()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(IDLE_S, self._close_when_idle)
        return answer

    async def _born(self, turn: Turn) -> Child:
        try:
            child = await self._nursery.bear()
        except OSError as error:
            raise Retriable(self.peer, f"no process for it could be started: {error}") from error
        child.sign_in(sign_in_of(self._address, turn.cipher_suite))
        return child

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def _close_when_idle(self) -> None:
        """Sign out, unless a call is under way; it sets the timer anew."""
        if not self._slot.locked():
            self._closing = asyncio.create_task(self.close())


def sign_in_of(address: BmcAddress, cipher_suite: int | None) -> SignIn:
    return SignIn(
        host=address.host,
        port=address.ipmi_port,
        username=address.username,
        password=address.password.reveal(),
        cipher_suite=cipher_suite,
    )


def error_of(peer: str, answer: Answer) -> DriverError:
    """Return what the fault of an answer is to those who asked."""
    match answer.fault:
        case Fault.UNAUTHORISED:
            return Unauthorised(peer, answer.words)
        case Fault.REFUSED:
            return Refused(peer, field=answer.field, reason=answer.words)
        case Fault.UNREACHABLE | Fault.SESSION_LOST:
            return Unreachable(peer, answer.words)
        case _:
            return Retriable(peer, answer.words)
