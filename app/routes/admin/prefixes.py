"""`/admin/prefixes`: the tree of prefixes, and what is added to it."""

from typing import Any

from litestar import Controller, Response, get, post

from app.components.admin.address_space import PREFIXES
from app.components.admin.filters import Wanted
from app.components.admin.prefix_form import Choices, new_prefix_page
from app.components.admin.prefixes import DATACENTRE, GLOBAL, VRF, prefixes_list, prefixes_page
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Invalid, Refusal
from app.core.paging import Page
from app.domain.accounts.roles import Permission, allows
from app.domain.addresses.add import add_prefix
from app.domain.addresses.errors import InUse, PrefixOverlaps
from app.domain.addresses.find import list_vlan_groups, list_vrfs
from app.domain.addresses.seed import PrefixSeed
from app.domain.addresses.states import PrefixStatus
from app.domain.addresses.tree import TreeLine, prefix_tree
from app.domain.inventory.find import list_datacentres
from app.routes.admin.query import wanted_of
from app.routes.admin.space_typed import prefix_of, values_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

CHANGES = (requires(Permission.ADDRESSES_CHANGE),)


class Prefixes(Controller):
    """The tree, for the staff."""

    path = PREFIXES
    guards = (requires(Permission.ADDRESSES_READ),)
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        wanted = _wanted(request)
        async with db.snapshot() as tx:
            found = await _tree(tx, wanted)
            vrfs = await list_vrfs(tx)
            sites = await list_datacentres(tx)
        may_change = allows(me.role, Permission.ADDRESSES_CHANGE)
        return html(prefixes_page(found, vrfs, sites, wanted, may_change=may_change, frame=frame))

    @get("/rows")
    async def refresh(self, request: HttpRequest, db: Db, me: Me) -> Response[Any]:
        wanted = _wanted(request)
        async with db.snapshot() as tx:
            found = await _tree(tx, wanted)
        may_change = allows(me.role, Permission.ADDRESSES_CHANGE)
        return html(prefixes_list(found, wanted, may_change=may_change))

    @get("/new", guards=CHANGES)
    async def begin(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        asked = {name: request.query_params.get(name, "") for name in ("network", "vrf")}
        async with db.snapshot() as tx:
            choices = await choices_of(tx)
        site = choices.sites[0].code if choices.sites else ""
        usual = PrefixSeed(network="", datacentre=site, status=PrefixStatus.active)
        form = Form(values=values_of(usual) | asked, csrf=frame.csrf)
        return html(new_prefix_page(form, choices, frame=frame))

    @post("/new", guards=CHANGES, status_code=200)
    async def add(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                made = await add_prefix(tx, prefix_of(values), actor=me.id, actor_label=me.email)
        except (Invalid, PrefixOverlaps, InUse) as refusal:
            async with db.snapshot() as tx:
                choices = await choices_of(tx)
            form = refused(refusal, values, frame.csrf)
            return html(new_prefix_page(form, choices, frame=frame), status_code=422)
        return go(request, f"{PREFIXES}/{made}", Flash("success", "The prefix is added."))


def refused(refusal: Refusal, values: dict[str, str], csrf: str) -> Form:
    """Return the form as it was sent, with what is wrong: beside fields, or above all of them."""
    errors = refusal.fields if isinstance(refusal, Invalid) else {"": refusal.message}
    return Form(values=values, errors=errors, csrf=csrf)


async def choices_of(tx: Tx) -> Choices:
    """Return what the fields of a prefix offer."""
    return Choices(
        vrfs=await list_vrfs(tx),
        sites=await list_datacentres(tx),
        vlan_groups=[group.name for group in await list_vlan_groups(tx)],
    )


def _wanted(request: HttpRequest) -> Wanted:
    return wanted_of(request, PREFIXES, (), [VRF, DATACENTRE])


async def _tree(tx: Tx, wanted: Wanted) -> Page[TreeLine]:
    vrf = wanted.more[VRF]
    return await prefix_tree(
        tx,
        vrf={"": None, GLOBAL: ""}.get(vrf, vrf),
        datacentre=wanted.more[DATACENTRE],
        search=wanted.search,
        page=wanted.page,
    )
