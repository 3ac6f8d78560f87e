"""`/admin/servers/…/bmc`: how a server's BMC is reached."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.bmc_form import bmc_page
from app.components.admin.dcim import SERVERS
from app.components.form import Form
from app.components.notice import Flash
from app.core.errors import Invalid
from app.core.secrets import Vault
from app.domain.accounts.roles import Permission
from app.domain.inventory.bmc import change_bmc, find_bmc, rejection_of
from app.domain.inventory.seed import BmcSeed
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

FIELDS = frozenset(BmcSeed.__struct_fields__)


class ServerBmc(Controller):
    """The BMC of one server, for who may change servers: its credentials are the keys to it."""

    path = f"{SERVERS}/{{server_id:uuid}}/bmc"
    guards = (requires(Permission.SERVERS_CHANGE),)
    include_in_schema = False

    @get()
    async def show(
        self, db: Db, frame: Frame, vault: Sealing, server_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _page(db, vault, frame, server_id)

    @post(status_code=200)
    async def change(
        self,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        *,
        vault: Sealing,
        server_id: FromPath[UUID],
    ) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                await change_bmc(
                    tx, vault, server_id, _seed(values), actor=me.id, actor_label=me.email
                )
        except Invalid as invalid:
            shown = {name: value for name, value in values.items() if name != "password"}
            form = Form(values=shown, errors=invalid.fields, csrf=frame.csrf)
            return await _page(db, vault, frame, server_id, form, status=422)
        flash = Flash("success", "Saved. The BMC is asked within a minute.")
        return go(request, f"{SERVERS}/{server_id}", flash)


async def _page(
    db: Db,
    vault: Vault,
    frame: Frame,
    server: UUID,
    form: Form | None = None,
    *,
    status: int = 200,
) -> Response[Any]:
    async with db.snapshot() as tx:
        bmc = await find_bmc(tx, server)
        rejection = await rejection_of(tx, vault, server)
    form = form or Form(values=bmc.facts(), csrf=frame.csrf)
    return html(bmc_page(bmc, rejection, form, frame=frame), status_code=status)


def _seed(values: dict[str, str]) -> BmcSeed:
    """Return what was typed. Raises Invalid for what no choice of the form is."""
    given = {name: value.strip() for name, value in values.items() if name in FIELDS}
    typed_url, given["password"] = given.pop("url", ""), values.get("password", "")
    try:
        seed = msgspec.convert({"username": "", **given, "url": "https://checked.later"}, BmcSeed)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`")
        raise Invalid({field: "Choose one of those that are offered."}) from error
    return msgspec.structs.replace(seed, url=typed_url)
