"""`/admin/services/…/suspend`, `/unsuspend`, `/terminate`: what the staff decide."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.client_services import SERVICES
from app.components.admin.decide import REASON
from app.components.admin.service_deeds import DEEDS, OS, TYPED, Deed, deed_page
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Invalid, NotFound, Refusal
from app.domain.accounts.roles import Permission
from app.domain.services.ask import ask_reinstall, ask_rescue, ask_unrescue, systems_for
from app.domain.services.list import service_details
from app.domain.services.suspend import suspend_service, unsuspend_service
from app.domain.services.terminate import terminate_service
from app.flows.find_flows import name_of_serving
from app.routes.admin.reasons import reason_fault
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.errors import status_of
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class Verb(Protocol):
    """Changes a service's state; the flow bound to that event does the rest."""

    async def __call__(
        self, tx: Tx, service: UUID, *, actor: UUID | None, actor_label: str, reason: str
    ) -> None: ...


VERBS: Mapping[str, Verb] = {
    "suspend": suspend_service,
    "unsuspend": unsuspend_service,
    "terminate": terminate_service,
    "rescue": ask_rescue,
    "unrescue": ask_unrescue,
}


class ServiceDeeds(Controller):
    """Each decision has a page that says what it does, and which flow makes it so."""

    path = f"{SERVICES}/{{service_id:uuid}}/{{slug:str}}"
    guards = (requires(Permission.SERVICES_CHANGE),)
    include_in_schema = False

    @get()
    async def ask(
        self, db: Db, frame: Frame, service_id: FromPath[UUID], slug: FromPath[str]
    ) -> Response[Any]:
        return await _page(db, frame, service_id, _deed(slug), Form(csrf=frame.csrf))

    @post(status_code=200)
    async def do(
        self,
        *,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        service_id: FromPath[UUID],
        slug: FromPath[str],
    ) -> Response[Any]:
        deed, values = _deed(slug), await typed(request)
        try:
            async with db.transaction() as tx:
                reason = await _confirmed(tx, service_id, deed, values)
                verb = (
                    partial(ask_reinstall, os=values.get(OS, ""))
                    if slug == "reinstall"
                    else VERBS[slug]
                )
                await verb(tx, service_id, actor=me.id, actor_label=me.email, reason=reason)
        except NotFound:
            raise
        except Refusal as refusal:
            errors = refusal.fields if isinstance(refusal, Invalid) else {"": refusal.message}
            form = Form(values=values, errors=errors, csrf=frame.csrf)
            return await _page(db, frame, service_id, deed, form, status=status_of(refusal))
        return go(request, f"{SERVICES}/{service_id}", Flash("success", deed.done))


def _deed(slug: str) -> Deed:
    if slug not in DEEDS:
        raise NotFound("page", slug)
    return DEEDS[slug]


async def _confirmed(tx: Tx, service: UUID, deed: Deed, values: Mapping[str, str]) -> str:
    """Return the reason. Raises Invalid without one, and where the host name is not typed."""
    line = (await service_details(tx, service)).line
    reason = " ".join(values.get(REASON, "").split())
    faults: dict[str, str] = {}
    if deed.is_final and values.get(TYPED, "").strip() != line.hostname:
        faults[TYPED] = f"Type {line.hostname}, to be sure that it is the right one."
    if fault := reason_fault(reason):
        faults[REASON] = fault
    if faults:
        raise Invalid(faults)
    return reason


async def _page(
    db: Db, frame: Frame, service: UUID, deed: Deed, form: Form, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        line = (await service_details(tx, service)).line
        flow = await name_of_serving(tx, line.category_id, deed.trigger)
        systems = await systems_for(tx, service) if deed.slug == "reinstall" else ()
    page = deed_page(deed, line, form, flow=flow, frame=frame, systems=systems)
    return html(page, status_code=status)
