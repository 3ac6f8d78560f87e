"""`/console/…`: from a browser to the screen or serial line of a machine, by its ticket."""

from urllib.parse import urlsplit

from litestar import websocket
from litestar.params import FromPath

from app.domain.machines.console import BadTicket, SerialOpening, take_ticket
from app.routes.console import PATH, Socket, carry_screen
from app.routes.security.dependencies import Calling, Db, Sealing, Serials
from app.routes.security.visit import account_of
from app.routes.serial import carry_serial

REFUSED = 4403
"""A close code of our own: the ticket is no good."""


@websocket(PATH + "/{token:str}", include_in_schema=False)
async def open_console(
    socket: Socket,
    *,
    db: Db,
    vault: Sealing,
    peers: Calling,
    serials: Serials,
    token: FromPath[str],
) -> None:
    """Carry bytes both ways until one end closes; what does not hold is refused before that."""
    account = await account_of(socket)
    if account is None or not _is_from_here(socket):
        await socket.close(code=REFUSED)
        return
    try:
        async with db.transaction() as tx:
            opened = await take_ticket(
                tx, vault, token, account=account.id, actor_label=account.email
            )
    except BadTicket:
        await socket.close(code=REFUSED)
        return
    if isinstance(opened, SerialOpening):
        await carry_serial(socket, db, vault, serials, opened)
    else:
        await carry_screen(socket, db, vault, peers, opened)


def _is_from_here(socket: Socket) -> bool:
    """Say whether a page of ours opens it: other sites' pages would bring the cookie, too."""
    origin = urlsplit(socket.headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == socket.headers.get("host", "")
