"""`/services/…/reinstall`, `/rescue`, `/unrescue`: what a client asks of a server of their own."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.form import Form
from app.components.notice import Flash
from app.components.portal.service_asks import TYPED, reinstall_page
from app.core.database import Tx
from app.core.errors import Invalid, NotFound, Refusal
from app.domain.services.ask import Asked, ask_reinstall, ask_rescue, ask_unrescue, systems_for
from app.domain.services.find import find_service
from app.domain.services.views import ServiceView
from app.flows.find_flows import serving_triggers
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.errors import status_of
from app.routes.security.flashes import go
from app.routes.security.guards import signed_in
from app.routes.security.html import html
from app.routes.security.typed import typed

BY_CLIENT = "asked for in the portal"
VERBS = {Asked.rescue: ask_rescue, Asked.unrescue: ask_unrescue}


class ServiceAsks(Controller):
    """The service is looked up by account; what no flow would do is not found."""

    path = "/services/{service_id:uuid}"
    guards = (signed_in,)
    include_in_schema = False

    @get("/reinstall")
    async def choose(
        self, db: Db, me: Me, frame: Frame, service_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            service = await _served(tx, service_id, me.id, Asked.reinstall)
            systems = await systems_for(tx, service_id)
        form = Form(values={"os": service.os_code}, csrf=frame.csrf)
        return html(reinstall_page(service, systems, form, frame=frame))

    @post("/reinstall", status_code=200)
    async def reinstall(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, service_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        async with db.snapshot() as tx:
            service = await _served(tx, service_id, me.id, Asked.reinstall)
            systems = await systems_for(tx, service_id)
        try:
            if values.get(TYPED, "").strip() != service.hostname:
                raise Invalid({TYPED: f"Type {service.hostname}, to be sure it is the right one."})
            async with db.transaction() as tx:
                await ask_reinstall(
                    tx,
                    service_id,
                    os=values.get("os", ""),
                    actor=me.id,
                    actor_label=me.email,
                    reason=BY_CLIENT,
                )
        except Refusal as refusal:
            errors = refusal.fields if isinstance(refusal, Invalid) else {"": refusal.message}
            form = Form(values=values, errors=errors, csrf=frame.csrf)
            page = reinstall_page(service, systems, form, frame=frame)
            return html(page, status_code=status_of(refusal))
        return go(request, f"/services/{service_id}")

    @post("/rescue", status_code=200)
    async def rescue(
        self, request: HttpRequest, db: Db, me: Me, service_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _ask(request, db, me, service_id, Asked.rescue)

    @post("/unrescue", status_code=200)
    async def unrescue(
        self, request: HttpRequest, db: Db, me: Me, service_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _ask(request, db, me, service_id, Asked.unrescue)


async def _ask(
    request: HttpRequest, db: Db, me: Me, service_id: UUID, what: Asked
) -> Response[Any]:
    async with db.snapshot() as tx:
        await _served(tx, service_id, me.id, what)
    said: list[Flash] = []
    try:
        async with db.transaction() as tx:
            await VERBS[what](tx, service_id, actor=me.id, actor_label=me.email, reason=BY_CLIENT)
    except NotFound:
        raise
    except Refusal as refusal:
        said = [Flash("danger", refusal.message)]
    # That it was asked for, the page tells itself, for as long as nothing of it has begun.
    return go(request, f"/services/{service_id}", *said)


async def _served(tx: Tx, service_id: UUID, account: UUID, what: Asked) -> ServiceView:
    """Return the client's own service. Raises NotFound, also where no flow would do it."""
    service = await find_service(tx, service_id, account=account)
    if what not in await serving_triggers(tx, service_id):
        raise NotFound("page", what)
    return service
