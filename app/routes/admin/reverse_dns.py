"""`/admin/reverse-dns`: the host names of addresses, and what stands in their way."""

from ipaddress import ip_network
from typing import Any

from litestar import Controller, Response, get, post

from app.components.admin.reverse_dns import REVERSE_DNS, VIEWS, names_list, reverse_dns_page
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission, allows
from app.domain.addresses.name_address import name_address
from app.domain.addresses.names import count_names, list_names, names_in
from app.routes.admin.query import wanted_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class ReverseDns(Controller):
    """Names, for the staff."""

    path = REVERSE_DNS
    guards = (requires(Permission.ADDRESSES_READ),)
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        """Show the names, and the form for the address of the query."""
        may_change = allows(me.role, Permission.ADDRESSES_CHANGE)
        values = await _named(db, request.query_params.get("address", ""))
        form = Form(values=values, csrf=frame.csrf) if may_change else None
        return await _page(request, db, frame, form)

    @get("/rows")
    async def refresh_list(self, request: HttpRequest, db: Db) -> Response[Any]:
        wanted = wanted_of(request, REVERSE_DNS, VIEWS)
        async with db.snapshot() as tx:
            found = await list_names(
                tx, states=VIEWS[wanted.view][1], search=wanted.search, page=wanted.page
            )
        return html(names_list(found, wanted))

    @post(guards=[requires(Permission.ADDRESSES_CHANGE)], status_code=200)
    async def save(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        address, hostname = values.get("address", ""), values.get("hostname", "")
        try:
            async with db.transaction() as tx:
                await name_address(
                    tx, address, hostname, holder=None, actor=me.id, actor_label=me.email
                )
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _page(request, db, frame, form)
        words = "is being set" if hostname.strip() else "is being removed"
        flash = Flash("success", f"The host name of {address.strip()} {words}.")
        return go(request, REVERSE_DNS, flash)


async def _named(db: Database, address: str) -> dict[str, str]:
    """Return the address with the name that it has, as the form asks for both."""
    try:
        wanted = ip_network(address)
    except ValueError:
        return {"address": address}
    async with db.snapshot() as tx:
        names = await names_in(tx, wanted)
    return {"address": address, "hostname": (names[0].hostname or "") if names else ""}


async def _page(
    request: HttpRequest, db: Database, frame: Frame, form: Form | None
) -> Response[Any]:
    """Return the list, with 422 when the form was refused."""
    wanted = wanted_of(request, REVERSE_DNS, VIEWS)
    async with db.snapshot() as tx:
        found = await list_names(
            tx, states=VIEWS[wanted.view][1], search=wanted.search, page=wanted.page
        )
        counts = await count_names(tx)
    page = reverse_dns_page(found, counts, wanted, form, frame=frame)
    return html(page, status_code=422 if form is not None and form.errors else 200)
