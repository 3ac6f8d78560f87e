"""`/admin/address-audits`: what audits of the address space found."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.address_audits import audit_page, audits_page
from app.components.admin.address_space import AUDITS
from app.components.notice import Flash
from app.domain.accounts.roles import Permission, allows
from app.domain.addresses.audit import audit_addresses, find_audit, list_audits
from app.routes.admin.prefixes import CHANGES
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html


class AddressAudits(Controller):
    """Audits, for the staff."""

    path = AUDITS
    guards = (requires(Permission.ADDRESSES_READ),)
    include_in_schema = False

    @get()
    async def list(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            audits = await list_audits(tx)
        may_change = allows(me.role, Permission.ADDRESSES_CHANGE)
        return html(audits_page(audits, may_change=may_change, frame=frame))

    @post(guards=CHANGES, status_code=200)
    async def run(self, request: HttpRequest, db: Db) -> Response[Any]:
        async with db.transaction() as tx:
            result = await audit_addresses(tx)
        told = (
            Flash("warning", f"The audit found {len(result.found)} contradictions.")
            if result.found
            else Flash("success", f"Nothing contradicts: {result.claims:,} claims looked at.")
        )
        return go(request, AUDITS, told)

    @get("/{audit_id:uuid}")
    async def show(self, db: Db, frame: Frame, audit_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            audit = await find_audit(tx, audit_id)
        return html(audit_page(audit, frame=frame))
