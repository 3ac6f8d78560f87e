"""Serial over LAN: a session and a process of its own beside those of the BMC's calls."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec

from app.drivers.bmc.contract import BmcAddress
from app.drivers.bmc.guard import WAIT_S, BmcGuard
from app.drivers.bmc.ipmi.link import error_of, sign_in_of
from app.drivers.bmc.ipmi.process import Child, Gone, Nursery
from app.drivers.bmc.ipmi.wire import Answer, Ask, Fault, Heard, Typed
from app.drivers.errors import Busy, InUse, Retriable, Unreachable
from app.drivers.serial import MOST_BYTES

FOR_ANOTHER = "active for another"
"""What pyghmi says to completion code 0x80 of Activate Payload."""
OPEN_S = 6.0
"""For sign-in, payload activation, and a look at whose BMC it is."""


class IpmiLine:
    """Adapter of `app.drivers.serial.SerialLine`."""

    def __init__(self, peer: str, child: Child) -> None:
        self._peer = peer
        self._child = child

    async def read(self) -> bytes:
        try:
            heard = msgspec.json.decode(await self._child.hear(), type=Heard)
        except Gone:
            raise Unreachable(self._peer, "the console's process has ended") from None
        if heard.ended is not None:
            raise Unreachable(self._peer, heard.ended)
        return heard.data

    async def write(self, data: bytes) -> None:
        if len(data) > MOST_BYTES:
            raise ValueError(f"{len(data)} bytes at once; at most {MOST_BYTES} are typed")
        try:
            await self._child.say(msgspec.json.encode(Typed(data)))
        except Gone:
            raise Unreachable(self._peer, "the console's process has ended") from None


@contextlib.asynccontextmanager
async def open_serial(
    address: BmcAddress, nursery: Nursery, guard: BmcGuard, *, take_over: bool
) -> AsyncIterator[IpmiLine]:
    """Have the line for the block. Opening is a turn at the BMC; what is typed then is not.

    One that is given up as it opens is killed wherever it is, and may leave the line active at the
    BMC for nobody, which would refuse the next one for a minute: that one ends it first.
    """
    child: Child | None = None
    try:
        async with asyncio.timeout(WAIT_S + OPEN_S), guard.turn(address) as turn:
            try:
                child = await nursery.bear()
            except OSError as error:
                raise Retriable(address.url, f"no process for it could start: {error}") from error
            child.sign_in(sign_in_of(address, turn.cipher_suite))
            take_over, turn.serial_is_left = take_over or turn.serial_is_left, True
            answer = await _answered(child, address.url, take_over=take_over)
            turn.serial_is_left = False
            turn.cipher_suite = _opened(address.url, answer).cipher_suite
            turn.signed_in = True
    except BaseException as error:  # also one on the way out of the turn
        if child is not None:
            child.kill()
        if isinstance(error, TimeoutError):
            raise Busy(address.url, f"busy for {WAIT_S + OPEN_S:g} s") from None
        raise
    try:
        yield IpmiLine(address.url, child)
    finally:
        await child.dismiss()


async def _answered(child: Child, peer: str, *, take_over: bool) -> Answer:
    ask = Ask(verb="serial", given={"take_over": take_over}, deadline_s=OPEN_S)
    try:
        async with asyncio.timeout(OPEN_S):
            return await child.ask(ask)
    except (TimeoutError, Gone):
        raise Unreachable(peer, f"no answer within {OPEN_S:g} s") from None


def _opened(peer: str, answer: Answer) -> Answer:
    """Return the answer of a line that is open. Raises what it is otherwise."""
    if answer.fault is Fault.REFUSED and FOR_ANOTHER in answer.words:
        raise InUse(peer, field=answer.field, reason=answer.words)
    if answer.fault is not None:
        raise error_of(peer, answer)
    return answer
