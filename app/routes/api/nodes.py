"""`/api/v1/metal-clouds` and `/nodes`: what clouds of bare metal say, and what is done about it."""

from collections.abc import Sequence
from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.params import JSONBody, QueryParameter

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.connections.find import id_of
from app.domain.metal.find import NodeView, find_node, latest_nodes, list_clouds
from app.domain.metal.order_remedy import order_deed
from app.domain.metal.views import NodeRow
from app.domain.metal.watch import ask_now
from app.routes.api.answer import answer
from app.routes.api.cloud_json import (
    CloudList,
    CloudLook,
    CloudName,
    NodeId,
    NodeLine,
    NodeList,
    NodeOrder,
    NodeOrdered,
    cloud_line,
    node_line,
)
from app.routes.api.listing import USUAL, Cursor, Limit, page_answer, position_of
from app.routes.api.needs import needs
from app.routes.api.once import Asked
from app.routes.api.servers import by
from app.routes.security.dependencies import Db, HttpRequest


class Clouds(Controller):
    """Who has the BMCs of servers that we do not drive ourselves."""

    path = "/metal-clouds"
    tags = ("Nodes",)

    @get(
        **needs(Scope.SERVERS_READ),
        operation_id="listClouds",
        summary="List clouds",
        description="Clouds of bare metal, and what each last said of all its nodes.",
    )
    async def list(self, db: Db) -> Response[CloudList]:
        async with db.snapshot() as tx:
            rows = await list_clouds(tx)
        return answer(CloudList(tuple(map(cloud_line, rows))))

    @post(
        "/{name:str}/look",
        **needs(Scope.SERVERS_WRITE, 409),
        status_code=202,
        operation_id="lookAtCloud",
        summary="Look now",
        description="Have a cloud asked for all its nodes now instead of within two minutes.",
    )
    async def look(self, ask: Asked, name: CloudName) -> Response[CloudLook]:
        async def deed(tx: Tx) -> CloudLook:
            await id_of(tx, name)
            await ask_now(tx, name)
            return CloudLook(connection=name)

        return await ask.once(deed, status=202)


class Nodes(Controller):
    """Their machines."""

    path = "/nodes"
    tags = ("Nodes",)

    @get(
        **needs(Scope.SERVERS_READ),
        operation_id="listNodes",
        summary="List nodes",
        description="Nodes of clouds of bare metal, the latest first, with how they differ from "
        "servers and services here. Nothing that differs is put right by itself.",
    )
    async def list(
        self,
        *,
        request: HttpRequest,
        db: Db,
        view: Annotated[
            NodeView | None,
            QueryParameter(description="Only these; `differs`: what somebody should look at."),
        ] = None,
        cloud: Annotated[str, QueryParameter(description="Name of a connection.")] = "",
        limit: Limit = USUAL,
        cursor: Cursor = None,
    ) -> Response[NodeList]:
        before = position_of(cursor)
        async with db.snapshot() as tx:
            rows = await latest_nodes(
                tx, view=view or NodeView.all, connection=cloud, before=before, limit=limit + 1
            )
        return page_answer(request, rows, limit, position=lambda row: row.id, page=_list_of)

    @get(
        "/{node_id:uuid}",
        **needs(Scope.SERVERS_READ),
        operation_id="showNode",
        summary="Show a node",
        description="A node as its cloud last showed it, and what may be done about it.",
    )
    async def show(self, db: Db, node_id: NodeId) -> Response[NodeLine]:
        async with db.snapshot() as tx:
            node = await find_node(tx, node_id)
        return answer(node_line(node))

    @post(
        "/{node_id:uuid}/deeds",
        **needs(Scope.SERVERS_WRITE, 409),
        status_code=202,
        operation_id="putNodeRight",
        summary="Put a node right",
        description="Have one of its `deeds` done: here at once, or at its cloud by a worker.",
    )
    async def put_right(
        self, ask: Asked, node_id: NodeId, data: JSONBody[NodeOrder]
    ) -> Response[NodeOrdered]:
        async def deed(tx: Tx) -> NodeOrdered:
            await order_deed(
                tx,
                node_id,
                data.deed,
                **by(ask),
                reason=data.reason,
                shown=data.maintenance_reason,
            )
            return NodeOrdered(about=node_id, deed=data.deed)

        return await ask.once(deed, status=202)


NODE_ROUTES = (Clouds, Nodes)


def _list_of(rows: Sequence[NodeRow], following: str | None) -> NodeList:
    return NodeList(items=tuple(map(node_line, rows)), next=following)
