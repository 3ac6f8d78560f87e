"""`/admin/stock/products/{slug}/machines`: by which rules its virtual machines are made."""

import asyncio
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.machine_rules import Providers, machine_rules_page
from app.components.admin.outlook import STOCK, product_href
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database, Tx
from app.core.errors import Invalid
from app.core.secrets import Vault
from app.domain.accounts.roles import Permission
from app.domain.catalog.change_machine_rules import change_machine_rules
from app.domain.catalog.find import find_product
from app.domain.catalog.selection import OS
from app.domain.catalog.views import ProductView
from app.domain.connections.kinds import Kind
from app.domain.connections.open import open_connection
from app.drivers.errors import DriverError
from app.drivers.hypervisor.contract import HypervisorPeer, Offers
from app.drivers.peers import NoTurns, Peers
from app.routes.admin.machines_typed import machine_rules_of, values_of
from app.routes.security.dependencies import Calling, Db, Frame, HttpRequest, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

ASK_S = 8.0


class MachineRulesPage(Controller):
    """Who sells things says of what; the connections are there already."""

    path = f"{STOCK}/products/{{slug:str}}/machines"
    guards = (requires(Permission.CATALOGUE_CHANGE),)
    include_in_schema = False

    @get()
    async def ask(
        self, db: Db, frame: Frame, peers: Calling, vault: Sealing, *, slug: FromPath[str]
    ) -> Response[Any]:
        product, providers = await _read(db, vault, peers, slug)
        form = Form(values=values_of(product.machine_rules), csrf=frame.csrf)
        return _page(product, form, providers, frame)

    @post(status_code=200)
    async def set(
        self,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        *,
        peers: Calling,
        vault: Sealing,
        slug: FromPath[str],
    ) -> Response[Any]:
        values = await typed(request)
        product, providers = await _read(db, vault, peers, slug)
        try:
            rules, reason = machine_rules_of(values, [code for code, _ in _systems(product)])
            async with db.transaction() as tx:
                await change_machine_rules(
                    tx,
                    product.id,
                    rules,
                    offers=providers.offers,
                    actor=me.id,
                    actor_label=me.email,
                    reason=reason,
                )
        except Invalid as refusal:
            form = Form(values=values, errors=refusal.fields, csrf=frame.csrf)
            return _page(product, form, providers, frame, status=422)
        unasked = {place.connection for place in rules.places} - providers.offers.keys()
        told = Flash("success", "The machine rules are changed; the next order goes by them.")
        if unasked:
            names = ", ".join(sorted(unasked))
            told = Flash("warning", f"Saved. {names} could not be asked whether it has all that.")
        return go(request, product_href(slug), told)


def _page(
    product: ProductView, form: Form, providers: Providers, frame: PageFrame, *, status: int = 200
) -> Response[Any]:
    page = machine_rules_page(
        product.name, product.slug, form, _systems(product), providers, frame=frame
    )
    return html(page, status_code=status)


def _systems(product: ProductView) -> list[tuple[str, str]]:
    group = product.group(OS)
    return [(option.code, option.name) for option in group.options] if group else []


async def _read(
    db: Database, vault: Vault, peers: Peers, slug: str
) -> tuple[ProductView, Providers]:
    """Return the product and what its machines could be made of, as the providers say now."""
    async with db.snapshot() as tx:
        product = await find_product(tx, slug, hidden=True)
        sites = [row[0] for row in await tx.fetch("SELECT code FROM datacentre ORDER BY 1")]
        opened = await _open_all(tx, vault)
    answers = await asyncio.gather(*(_ask(peers, peer) for peer in opened))
    told = dict(zip((peer.name for peer in opened), answers, strict=True))
    return product, Providers(
        connections=list(told),
        datacentres=sites,
        offers={name: answer for name, answer in told.items() if isinstance(answer, Offers)},
        silent={name: answer for name, answer in told.items() if isinstance(answer, str)},
    )


async def _open_all(tx: Tx, vault: Vault) -> list[HypervisorPeer]:
    rows = await tx.fetch(
        "SELECT name FROM connection WHERE kind = $1 ORDER BY name", Kind.HYPERVISOR
    )
    opened = [await open_connection(tx, vault, row["name"]) for row in rows]
    return [peer for peer in opened if isinstance(peer, HypervisorPeer)]


async def _ask(peers: Peers, peer: HypervisorPeer) -> Offers | str:
    """Return what the provider has, or why it does not say."""
    try:
        async with asyncio.timeout(ASK_S):
            return await peers.hypervisor(peer, NoTurns()).offers()
    except DriverError as error:
        return f"{error.message}."
    except TimeoutError:
        return f"It does not answer within {ASK_S:g} s."
