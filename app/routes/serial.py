"""The way from a browser to the serial line of a server, by a ticket for one use."""

import asyncio
import contextlib
from collections.abc import Coroutine
from uuid import UUID

import msgspec
import structlog
from litestar.exceptions import WebSocketDisconnect

from app.core.database import Database
from app.core.errors import NotFound
from app.core.secrets import Vault
from app.domain.accounts.roles import Permission, allows
from app.domain.inventory.errors import NoBmc
from app.domain.inventory.find import bmc_of
from app.domain.machines.console import SerialOpening, issue_serial_ticket
from app.domain.machines.serial import NoSerial, serial_of
from app.drivers.bmc.contract import BmcAddress
from app.drivers.errors import DriverError, InUse, Refused
from app.drivers.serial import MOST_BYTES, SerialFleet, SerialLine
from app.routes.console import PATH, Socket
from app.routes.security.visit import account_of

LONGEST_S = 4 * 3_600.0
LOOK_S = 15.0
"""How often it is looked whether an open line may still be seen."""
OPEN = "open"
"""Told as text once the line is open; all else is bytes."""
ENDED, TOO_LONG, IN_USE, BROKEN = 4401, 4408, 4409, 4502
"""Close codes of our own: it may be seen no more; after `LONGEST_S`; another has it; the BMC."""
MOST_REASON_BYTES = 123
"""Source: RFC 6455, section 5.5: a control frame has 125 bytes at most, two are the code."""
UNSEEN = "You may not see this console any more."
AWAY = "The serial console cannot be opened just now. Try again in a moment."
NONE = "This server's serial console cannot be opened here. Ask us if you need it."
BROKE = "The serial console ended. Another may have opened it, or the controller does not answer."
log = structlog.get_logger()


class SerialTicket(msgspec.Struct, frozen=True, kw_only=True):
    """What the page opens the line by, within seconds."""

    path: str


class Over(Exception):
    """The console ends; `code` and `reason` are told to the browser."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def give_serial_ticket(
    db: Database,
    vault: Vault,
    service: UUID,
    *,
    account: UUID,
    client: UUID | None,
    take_over: bool,
    by_command_line: bool = False,
) -> SerialTicket:
    """Return a ticket for `account` to the service's serial line.

    With `client`, the service must be theirs. Raises NotFound, NoSerial.
    """
    async with db.transaction() as tx:
        found = await serial_of(tx, service, account=client, by_command_line=by_command_line)
        opening = SerialOpening(
            service=service,
            server=found.server,
            take_over=take_over,
            client=client,
            by_command_line=by_command_line,
        )
        token = await issue_serial_ticket(tx, vault, opening, account=account)
    return SerialTicket(path=f"{PATH}/{token}")


async def carry_serial(
    socket: Socket, db: Database, vault: Vault, serials: SerialFleet, opening: SerialOpening
) -> None:
    """Open the line and carry bytes both ways until it is over; close the socket with the reason.

    The socket is accepted first: one that is refused tells its page nothing.
    """
    await socket.accept()
    try:
        address = await _address(socket, db, vault, opening)
        async with serials.serial(
            address, take_over=opening.take_over, by_command_line=opening.by_command_line
        ) as line:
            await socket.send_text(OPEN)
            await _relay(socket, line, db, opening)
    except Over as over:
        code, reason = over.code, over.reason
    except InUse:
        code, reason = IN_USE, "Another has this console open."
    except DriverError as error:
        log.warning("serial.not_opened", server=str(opening.server), error=str(error))
        for_clients = NONE if isinstance(error, Refused) else AWAY
        code, reason = BROKEN, for_clients if opening.client else error.message
    except WebSocketDisconnect:
        return
    else:
        return
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(code=code, reason=_short(reason))


async def _address(
    socket: Socket, db: Database, vault: Vault, opening: SerialOpening
) -> BmcAddress:
    """Return whose line it is to be. Raises Over unless it may still be seen."""
    await _look(socket, db, opening)
    try:
        async with db.snapshot() as tx:
            address, _ = await bmc_of(tx, vault, opening.server)
    except NoBmc:
        raise Over(ENDED, UNSEEN) from None
    return address


async def _look(socket: Socket, db: Database, opening: SerialOpening) -> None:
    """Raise Over once who looks may not: signed out, no more theirs, or no more this server's."""
    account = await account_of(socket)
    if account is None:
        raise Over(ENDED, "You are signed out.")
    needed = [Permission.SERVICES_CHANGE] if opening.client is None else []
    if opening.by_command_line:
        needed.append(Permission.SERVERS_CHANGE)
    if not all(allows(account.role, each) for each in needed):
        raise Over(ENDED, UNSEEN)
    try:
        async with db.snapshot() as tx:
            found = await serial_of(
                tx,
                opening.service,
                account=opening.client,
                by_command_line=opening.by_command_line,
            )
    except NoSerial as why:
        raise Over(ENDED, why.message) from None
    except NotFound:
        raise Over(ENDED, UNSEEN) from None
    if found.server != opening.server:
        raise Over(ENDED, "The service has another server now. Open its console again.")


async def _relay(socket: Socket, line: SerialLine, db: Database, opening: SerialOpening) -> None:
    """Return when the browser has gone; raise Over when the console ends otherwise."""

    async def out() -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                typed = await socket.receive_bytes()
                for start in range(0, len(typed), MOST_BYTES):
                    await line.write(typed[start : start + MOST_BYTES])

    async def back() -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await socket.send_bytes(await line.read())

    async def watch() -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await _look(socket, db, opening)

    try:
        await _first(out(), back(), watch())
    except DriverError as error:
        log.warning("serial.ended", server=str(opening.server), error=str(error))
        raise Over(BROKEN, BROKE if opening.client else error.message) from None


async def _first(*ways: Coroutine[None, None, None]) -> None:
    """Return or raise as the first of them does, with the others at an end."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if not done:
        raise Over(TOO_LONG, f"It was open for {LONGEST_S / 3_600:g} hours. Open it again.")
    for task in done:
        task.result()


def _short(reason: str) -> str:
    return reason.encode()[:MOST_REASON_BYTES].decode(errors="ignore")
