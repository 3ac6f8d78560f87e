"""`/admin/machines/…/release`, `/remove`: what the staff decide about machines, with a reason."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import htpy as h
from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.decide import REASON
from app.components.admin.machine_deeds import TYPED, release_page, removal_page
from app.components.admin.machines import MACHINES
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Invalid, NotFound, Refusal
from app.domain.accounts.roles import Permission
from app.domain.accounts.views import AccountView
from app.domain.machines.drifts import find_drift, find_stray
from app.domain.machines.order_errand import order_release, order_removal
from app.routes.admin.reasons import reason_fault
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.errors import status_of
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

DONE = Flash("success", "A worker does it. This page follows.")
VERBS = {
    "services/release": order_release,
    "services/remove": order_removal,
    "strays/remove": order_removal,
}
PAGES = [
    "/services/{about:uuid}/release",
    "/services/{about:uuid}/remove",
    "/strays/{about:uuid}/remove",
]


class MachineDeeds(Controller):
    """Each decision has a page that says what it does; the name must be typed."""

    path = MACHINES
    guards = (requires(Permission.SERVICES_CHANGE),)
    include_in_schema = False

    @get(PAGES)
    async def ask(
        self, request: HttpRequest, db: Db, frame: Frame, about: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            page = await _page(tx, _kind(request), about, Form(csrf=frame.csrf), frame)
        return html(page)

    @post(PAGES, status_code=200)
    async def do(
        self,
        *,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        about: FromPath[UUID],
    ) -> Response[Any]:
        kind, values = _kind(request), await typed(request)
        try:
            async with db.transaction() as tx:
                await _order(tx, kind, about, values, me)
        except NotFound:
            raise
        except Refusal as refusal:
            errors = refusal.fields if isinstance(refusal, Invalid) else {"": refusal.message}
            form = Form(values=values, errors=errors, csrf=frame.csrf)
            async with db.snapshot() as tx:
                page = await _page(tx, kind, about, form, frame)
            return html(page, status_code=status_of(refusal))
        return go(request, MACHINES, DONE)


def _kind(request: HttpRequest) -> str:
    """Return whose machine, and what is to be done: `services/release` and so on."""
    *_, whose, _, deed = request.url.path.split("/")
    return f"{whose}/{deed}"


async def _order(
    tx: Tx, kind: str, about: UUID, values: Mapping[str, str], me: AccountView
) -> None:
    """Have it done. Raises Invalid without a reason, and where the name is not typed."""
    is_stray = kind.startswith("strays/")
    name = (
        (await find_stray(tx, about)).name if is_stray else (await find_drift(tx, about)).hostname
    )
    reason = " ".join(values.get(REASON, "").split())
    faults: dict[str, str] = {}
    if values.get(TYPED, "").strip() != name:
        faults[TYPED] = f"Type {name}, to be sure that it is the right one."
    if fault := reason_fault(reason):
        faults[REASON] = fault
    if faults:
        raise Invalid(faults)
    await VERBS[kind](tx, about, actor=me.id, actor_label=me.email, reason=reason)


async def _page(tx: Tx, kind: str, about: UUID, form: Form, frame: PageFrame) -> h.Element:
    if kind == "services/release":
        return release_page(await find_drift(tx, about), form, frame=frame)
    one = await (find_stray if kind.startswith("strays/") else find_drift)(tx, about)
    action = f"{MACHINES}/{kind.partition('/')[0]}/{about}/remove"
    return removal_page(one, form, action=action, frame=frame)
