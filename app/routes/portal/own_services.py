"""`/services`: the client's servers."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.portal.lists import services_page, services_region
from app.components.portal.own_service import ServiceStory, service_page, service_status
from app.components.portal.service_access import Shown
from app.components.portal.service_asks import asks
from app.domain.machines.own_panel import own_panel_of
from app.domain.services.credentials import AlreadyRevealed, reveal
from app.domain.services.find import find_service, services_of
from app.domain.services.switch import own_switching
from app.flows.find_flows import serving_triggers
from app.routes.portal.page_number import page_number
from app.routes.security.dependencies import Config, Db, Frame, HttpRequest, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.guards import signed_in
from app.routes.security.html import html
from app.routes.security.rate_limit import PASSWORD, limited


class Services(Controller):
    """A client sees nobody's services but their own: every look-up is by account."""

    path = "/services"
    guards = (signed_in,)
    include_in_schema = False

    @get()
    async def list_all(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            services = await services_of(tx, me.id, page=page_number(request))
        return html(services_page(services, f"account:{me.id}", frame=frame))

    @get("/rows")
    async def rows(self, request: HttpRequest, db: Db, me: Me) -> Response[Any]:
        async with db.snapshot() as tx:
            services = await services_of(tx, me.id, page=page_number(request))
        return html(services_region(services, f"account:{me.id}"))

    @get("/{service_id:uuid}")
    async def show(
        self, db: Db, me: Me, settings: Config, frame: Frame, service_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            service = await find_service(tx, service_id, account=me.id)
            served = await serving_triggers(tx, service_id)
            switching = await own_switching(tx, service_id)
            panel = await own_panel_of(tx, service_id, account=me.id)
        story = ServiceStory(
            service=service,
            ssh_port=settings.ssh_port,
            nameservers=settings.nameserver_list,
            served=served,
            switching=switching,
            own_panel=panel,
        )
        return html(service_page(story, frame=frame))

    @get("/{service_id:uuid}/status")
    async def status(
        self, db: Db, me: Me, frame: Frame, service_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            service = await find_service(tx, service_id, account=me.id)
            switching = await own_switching(tx, service_id)
            panel = await own_panel_of(tx, service_id, account=me.id)
        return html(service_status(service, switching, panel, csrf=frame.csrf))

    @get("/{service_id:uuid}/asks")
    async def asks(self, db: Db, me: Me, service_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            service = await find_service(tx, service_id, account=me.id)
            served = await serving_triggers(tx, service_id)
            switching = await own_switching(tx, service_id)
        return html(asks(service, served, switching))

    @get("/{service_id:uuid}/credentials/reveal")
    async def back(self, request: HttpRequest, service_id: FromPath[UUID]) -> Response[Any]:
        """Lead who opens the address of the revealed page again to the service."""
        return go(request, f"/services/{service_id}")

    @post("/{service_id:uuid}/credentials/reveal", guards=[limited(PASSWORD)], status_code=200)
    async def reveal(
        self,
        *,
        db: Db,
        me: Me,
        vault: Sealing,
        settings: Config,
        frame: Frame,
        service_id: FromPath[UUID],
    ) -> Response[Any]:
        """Show the password in the answer to this very request, and never again.

        The answer is kept by no cache, and a reload of it asks the browser's user first.
        """
        try:
            async with db.transaction() as tx:
                access = await reveal(tx, vault, service=service_id, account=me.id)
            shown = Shown(access.password)
        except AlreadyRevealed as refusal:
            shown = Shown(None, refusal.message)
        async with db.snapshot() as tx:
            service = await find_service(tx, service_id, account=me.id)
            served = await serving_triggers(tx, service_id)
            switching = await own_switching(tx, service_id)
            panel = await own_panel_of(tx, service_id, account=me.id)
        story = ServiceStory(
            service=service,
            ssh_port=settings.ssh_port,
            nameservers=settings.nameserver_list,
            shown=shown,
            served=served,
            switching=switching,
            own_panel=panel,
        )
        return html(service_page(story, frame=frame), status_code=200 if shown.password else 409)
