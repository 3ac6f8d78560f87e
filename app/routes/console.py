"""The way from a browser to the screen of a virtual machine, by a ticket for one use."""

import asyncio
import contextlib
from typing import Any
from uuid import UUID

import msgspec
import structlog
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from app.core.database import Database
from app.core.errors import NotFound
from app.core.secrets import Vault
from app.domain.connections.open import open_connection
from app.domain.machines.console import NoScreen, Opened, Screen, issue_ticket, screen_of
from app.drivers.errors import DriverError
from app.drivers.http.socket import ByteSocket
from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.peers import NoTurns, Peers
from app.routes.security.visit import account_of

PATH = "/console"
ASK_S = 15.0
LONGEST_S = 4 * 3_600.0
LOOK_S = 15.0
"""How often it is looked whether an open screen may still be seen."""
BROKEN = 4502
"""A close code of our own: the provider's end did not open, or broke."""
Socket = WebSocket[Any, Any, Any]
log = structlog.get_logger()


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What the page opens the screen by; the password is for this one screen, and for seconds."""

    path: str
    password: str


async def give_ticket(
    db: Database,
    vault: Vault,
    peers: Peers,
    service: UUID,
    *,
    account: UUID,
    client: UUID | None,
) -> Ticket:
    """Have the provider offer the screen, and return a ticket to it for `account`.

    With `client`, the service must be theirs. Raises NotFound, NoScreen.
    """
    async with db.snapshot() as tx:
        screen = await screen_of(tx, service, account=client)
        peer = await open_connection(tx, vault, screen.connection)
    try:
        if not isinstance(peer, HypervisorPeer):
            raise NotFound("provider", screen.connection)
        async with asyncio.timeout(ASK_S):
            console = await peers.hypervisor(peer, NoTurns()).console(screen.ref)
    except TimeoutError:
        raise NoScreen(_away(screen)) from None
    except DriverError as error:
        log.warning("console.not_offered", service=str(service), error=str(error))
        raise NoScreen(_away(screen)) from None
    async with db.transaction() as tx:
        token = await issue_ticket(tx, vault, screen, console, account=account)
    return Ticket(path=f"{PATH}/{token}", password=console.password.reveal())


def _away(screen: Screen) -> str:
    return f"The screen of {screen.ref.hostname} cannot be opened just now. Try again in a moment."


async def carry_screen(
    socket: Socket, db: Database, vault: Vault, peers: Peers, opened: Opened
) -> None:
    """Carry a screen's bytes both ways until one end closes; close the socket."""
    async with db.snapshot() as tx:
        peer = await open_connection(tx, vault, opened.connection)
    if not isinstance(peer, HypervisorPeer):
        await socket.close(code=BROKEN)
        return
    try:
        async with peers.http.socket(
            opened.url, headers=opened.headers, tls=peer.tls, name=opened.connection
        ) as there:
            wanted = socket.scope.get("subprotocols") or []
            await socket.accept(subprotocols="binary" if "binary" in wanted else None)
            await _relay(socket, there, db, opened.service)
    except DriverError as error:
        log.warning("console.broken", connection=opened.connection, error=str(error))
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(code=BROKEN)
        return
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await socket.close()


async def _relay(socket: Socket, there: ByteSocket, db: Database, service: UUID) -> None:
    """Return when either end has closed, nobody may look any more, or after four hours."""

    async def out() -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await there.send(await socket.receive_bytes())

    async def back() -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while (data := await there.receive()) is not None:
                await socket.send_bytes(data)

    async def watch() -> None:
        """Return once who looks is signed out, or the service is active no more."""
        with contextlib.suppress(NoScreen, NotFound):
            while await account_of(socket) is not None:
                async with db.snapshot() as tx:
                    await screen_of(tx, service, account=None)
                await asyncio.sleep(LOOK_S)

    ways = [asyncio.create_task(way()) for way in (out, back, watch)]
    try:
        done, _ = await asyncio.wait(ways, timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        results = await asyncio.gather(*ways, return_exceptions=True)
    del done
    for result in results:
        if isinstance(result, DriverError):
            raise result
