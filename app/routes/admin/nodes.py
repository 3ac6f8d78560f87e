"""`/admin/nodes`: what clouds of bare metal say of their nodes, and what is done about it."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.dcim import SERVERS
from app.components.admin.decide import REASON
from app.components.admin.filters import Wanted
from app.components.admin.node_card import FROM_SERVER
from app.components.admin.node_deeds import NAME, node_deed_page
from app.components.admin.nodes import (
    CLOUD,
    DEEDS,
    NODES,
    SHOWN,
    VIEWS,
    NodesFile,
    nodes_list,
    nodes_page,
)
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.domain.accounts.views import AccountView
from app.domain.metal.find import NodeView, count_nodes, find_node, list_clouds, list_nodes
from app.domain.metal.order_remedy import NotTheWay, order_deed
from app.domain.metal.remedy import AT_CLOUD, TYPED, NodeDeed, deeds_for
from app.domain.metal.watch import ask_now
from app.routes.admin.query import wanted_of
from app.routes.admin.racks import CHANGES, READS, may_change
from app.routes.admin.reasons import reason_fault
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed


class Nodes(Controller):
    """The list follows what the workers read; a worker does what is done at a cloud."""

    path = NODES
    guards = READS
    include_in_schema = False

    @get()
    async def show(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, NODES, VIEWS, [CLOUD])
        async with db.snapshot() as tx:
            file = await _read(tx, wanted, me, frame.csrf)
            counts = await count_nodes(tx, connection=wanted.more[CLOUD])
        return html(nodes_page(file, counts, frame=frame))

    @get("/rows")
    async def refresh(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, NODES, VIEWS, [CLOUD])
        async with db.snapshot() as tx:
            file = await _read(tx, wanted, me, frame.csrf)
        return html(nodes_list(file))

    @post("/clouds/{name:str}/look", guards=CHANGES, status_code=200)
    async def look(self, request: HttpRequest, db: Db, name: FromPath[str]) -> Response[Any]:
        async with db.transaction() as tx:
            await ask_now(tx, name)
        return go(request, NODES, Flash("success", f"{name} is being asked. This page follows."))

    @get("/{node_id:uuid}/{deed:str}", guards=CHANGES)
    async def ask(
        self,
        request: HttpRequest,
        db: Db,
        frame: Frame,
        node_id: FromPath[UUID],
        deed: FromPath[str],
    ) -> Response[Any]:
        kind = _deed(deed, TYPED)
        async with db.snapshot() as tx:
            node = await find_node(tx, node_id)
        if kind not in deeds_for(node):
            return go(request, NODES, Flash("info", NotTheWay(node.name).message))
        return html(node_deed_page(node, kind, Form(csrf=frame.csrf), frame=frame))

    @post("/{node_id:uuid}/{deed:str}", guards=CHANGES, status_code=200)
    async def do(
        self,
        *,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        node_id: FromPath[UUID],
        deed: FromPath[str],
    ) -> Response[Any]:
        kind, values = _deed(deed, frozenset(NodeDeed)), await typed(request)
        async with db.snapshot() as tx:
            node = await find_node(tx, node_id)
        reason = " ".join(values.get(REASON, "").split())
        there = f"{SERVERS}/{node.server}" if node.server and values.get(FROM_SERVER) else NODES
        try:
            if kind in TYPED:
                _require_typed(values, node.name, reason)
            async with db.transaction() as tx:
                await order_deed(
                    tx,
                    node_id,
                    kind,
                    actor=me.id,
                    actor_label=me.email,
                    reason=reason,
                    shown=values.get(SHOWN, ""),
                )
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return html(node_deed_page(node, kind, form, frame=frame), status_code=422)
        except Conflict as refusal:
            return go(request, there, Flash("info", refusal.message))
        then = "a worker does it. This page follows." if kind in AT_CLOUD else "done."
        return go(request, there, Flash("success", f"{DEEDS[kind]}: {then}"))


def _deed(name: str, known: Collection[NodeDeed]) -> NodeDeed:
    """Return the deed of that name. Raises NotFound."""
    found = next((deed for deed in known if deed == name), None)
    if found is None:
        raise NotFound("page", name)
    return found


def _require_typed(values: Mapping[str, str], name: str, reason: str) -> None:
    """Raise Invalid without a reason, and where the name is not typed."""
    faults: dict[str, str] = {}
    if values.get(NAME, "").strip() != name:
        faults[NAME] = f"Type {name}, to be sure that it is the right one."
    if fault := reason_fault(reason):
        faults[REASON] = fault
    if faults:
        raise Invalid(faults)


async def _read(tx: Tx, wanted: Wanted, me: AccountView, csrf: str) -> NodesFile:
    """Read one page of the list; three statements."""
    return NodesFile(
        clouds=await list_clouds(tx),
        found=await list_nodes(
            tx,
            view=NodeView(wanted.view or NodeView.all),
            connection=wanted.more[CLOUD],
            search=wanted.search,
            page=wanted.page,
        ),
        wanted=wanted,
        may_change=may_change(me),
        csrf=csrf,
    )
