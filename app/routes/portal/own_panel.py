"""`/services/…/panel`: into the provider's own panel, by a link for one use."""

import asyncio
from typing import Any
from uuid import UUID

import structlog
from litestar import Controller, Response, post
from litestar.params import FromPath

from app.components.notice import Flash
from app.components.portal.own_panel import going_page
from app.core.database import Database
from app.core.secrets import Vault
from app.domain.connections.open import open_connection
from app.domain.machines.own_panel import NoPanel, OwnPanel, note_opened, panel_to_open
from app.drivers.errors import DriverError
from app.drivers.hypervisor.contract import HypervisorPeer, SignsOn
from app.drivers.peers import NoTurns, Peers
from app.drivers.secret import Secret
from app.routes.security.dependencies import Calling, Db, Frame, HttpRequest, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.guards import signed_in
from app.routes.security.html import html
from app.routes.security.rate_limit import PASSWORD, limited

ASK_S = 20.0
log = structlog.get_logger()


class OwnProviderPanel(Controller):
    """A client gets into nobody's machine but their own."""

    path = "/services/{service_id:uuid}/panel"
    guards = (signed_in,)
    include_in_schema = False

    @post(guards=[limited(PASSWORD)], status_code=200)
    async def open(
        self,
        *,
        request: HttpRequest,
        db: Db,
        me: Me,
        vault: Sealing,
        peers: Calling,
        frame: Frame,
        service_id: FromPath[UUID],
    ) -> Response[Any]:
        """Lead the browser on by `Refresh`: a redirect would not pass the policy of forms."""
        async with db.snapshot() as tx:
            panel = await panel_to_open(tx, service_id, account=me.id)
        try:
            url = await _way_in(db, vault, peers, panel)
        except NoPanel as refusal:
            return go(request, f"/services/{service_id}", Flash("danger", refusal.message))
        async with db.transaction() as tx:
            await note_opened(tx, panel, account=me.id, actor_label=me.email)
        page = going_page(panel.ref.hostname, url.reveal(), frame=frame)
        headers = {
            "Refresh": f"0; url={url.reveal()}",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        return html(page, headers=headers)


async def _way_in(db: Database, vault: Vault, peers: Peers, panel: OwnPanel) -> Secret:
    """Return the link that the provider gives. Raises NoPanel."""
    try:
        async with db.snapshot() as tx:
            peer = await open_connection(tx, vault, panel.connection)
        if isinstance(peer, HypervisorPeer):
            hypervisor = peers.hypervisor(peer, NoTurns())
            if isinstance(hypervisor, SignsOn):
                async with asyncio.timeout(ASK_S):
                    return await hypervisor.sign_on(panel.ref)
    except (DriverError, TimeoutError) as error:
        log.warning("panel.not_opened", service=str(panel.ref.service), error=str(error))
    words = f"The panel of {panel.ref.hostname} cannot be opened just now. Try again in a moment."
    raise NoPanel(words)
