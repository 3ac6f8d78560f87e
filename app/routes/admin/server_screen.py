"""`/admin/servers/…/screen`: to the machine's screen at its BMC, by an address for one opening."""

import asyncio
from typing import Any
from uuid import UUID

import structlog
from litestar import Controller, Response, post
from litestar.params import FromPath

from app.components.admin.dcim import SERVERS
from app.components.admin.server_screen import DEED, going_page
from app.components.notice import Flash
from app.domain.accounts.roles import Permission
from app.domain.inventory.find import bmc_of
from app.domain.inventory.screen import note_screen_opened, screen_to_open
from app.drivers.errors import DriverError
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me, Sealing, Serials
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.rate_limit import PASSWORD, limited

ASK_S = 15.0
log = structlog.get_logger()


class ServerScreen(Controller):
    """For who may change servers: at its screen they may do anything to the machine."""

    path = f"{SERVERS}/{{server_id:uuid}}/{DEED}"
    guards = (requires(Permission.SERVERS_CHANGE),)
    include_in_schema = False

    @post(guards=[limited(PASSWORD)], status_code=200)
    async def open(
        self,
        *,
        request: HttpRequest,
        db: Db,
        me: Me,
        vault: Sealing,
        serials: Serials,
        frame: Frame,
        server_id: FromPath[UUID],
    ) -> Response[Any]:
        """Lead the browser on by `Refresh`: a redirect would not pass the policy of forms."""
        async with db.snapshot() as tx:
            screen = await screen_to_open(tx, server_id)
            address, _ = await bmc_of(tx, vault, server_id)
        try:
            async with asyncio.timeout(ASK_S):
                url = await serials.bmc(address).screen()
        except (DriverError, TimeoutError) as error:
            words = error.message if isinstance(error, DriverError) else "no answer in time"
            log.warning("screen.not_opened", server=str(server_id), error=words)
            flash = Flash("danger", f"The screen cannot be opened: {words}")
            return go(request, f"{SERVERS}/{server_id}", flash)
        async with db.transaction() as tx:
            await note_screen_opened(tx, screen, actor=me.id, actor_label=me.email)
        headers = {
            "Refresh": f"0; url={url.reveal()}",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        return html(going_page(screen, url.reveal(), frame=frame), headers=headers)
