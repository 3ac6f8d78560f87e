"""`/api/v1/servers/…/node` and beside it: servers at clouds of bare metal."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import JSONBody, QueryParameter

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.connections.find import id_of
from app.domain.inventory.find import find_server
from app.domain.metal.ask import ask_adopt, ask_again, ask_enrol, ask_inspect, ask_withdraw
from app.domain.metal.errand import find_errand, stop
from app.domain.metal.errors import CloudSilent
from app.domain.metal.look import LOOK_S, look
from app.domain.metal.standing import standing_of
from app.domain.metal.want import Adopt, Enrol
from app.drivers.errors import DriverError
from app.routes.api.answer import answer, tagged
from app.routes.api.cloud_json import CloudName
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.node_json import (
    AdoptAsk,
    EnrolAsk,
    ErrandId,
    NodeErrand,
    ServerNode,
    StrayNodes,
    WithdrawAsk,
    errand_line,
    node_line,
    stray_line,
)
from app.routes.api.once import Ask, Asked
from app.routes.api.server_json import ServerId
from app.routes.api.servers import by
from app.routes.security.dependencies import Calling, Db, Sealing


class ServerNodes(Controller):
    """Which node of which cloud a server is, and what is done about that."""

    path = "/servers/{server_id:uuid}/node"
    tags = ("Servers",)

    @get(
        **needs(Scope.SERVERS_READ, 304),
        response_headers=[ETAG],
        operation_id="showServerNode",
        summary="Show a server at its cloud",
        description="The node that a server is, and what was asked for last.",
    )
    async def show(
        self, db: Db, server_id: ServerId, if_none_match: IfNoneMatch = None
    ) -> Response[ServerNode]:
        async with db.snapshot() as tx:
            await find_server(tx, server_id)
            line = node_line(await standing_of(tx, server_id))
        return tagged(line, if_none_match)

    @post(
        "/enrol",
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        status_code=202,
        operation_id="enrolServer",
        summary="Enrol a server at a cloud",
        description="A worker has the cloud know it, inspect it and offer it: look at the errand. "
        "The server must be out of stock.",
    )
    async def enrol(
        self, ask: Asked, server_id: ServerId, data: JSONBody[EnrolAsk]
    ) -> Response[NodeErrand]:
        async def deed(tx: Tx) -> UUID:
            facts = msgspec.structs.asdict(data)
            connection = facts.pop("connection")
            facts["name"] = data.name or (await find_server(tx, server_id)).name
            return await ask_enrol(tx, server_id, connection, Enrol(**facts), **by(ask))

        return await _once(ask, deed)

    @post(
        "/adopt",
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        status_code=202,
        operation_id="adoptNode",
        summary="Adopt a node for a server",
        description="A node that the cloud has is this server from then on.",
    )
    async def adopt(
        self, ask: Asked, server_id: ServerId, data: JSONBody[AdoptAsk]
    ) -> Response[NodeErrand]:
        want = Adopt(node=data.node, how=data.how, inspect=data.inspect)
        return await _once(
            ask, lambda tx: ask_adopt(tx, server_id, data.connection, want, **by(ask))
        )

    @post(
        "/inspect",
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        status_code=202,
        operation_id="inspectServer",
        summary="Have a server's cloud inspect it",
        description="What it finds is compared with the record: see the server's `hardware`.",
    )
    async def inspect(self, ask: Asked, server_id: ServerId) -> Response[NodeErrand]:
        return await _once(ask, lambda tx: ask_inspect(tx, server_id, **by(ask)))

    @post(
        "/withdraw",
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        status_code=202,
        operation_id="withdrawServer",
        summary="Take a server out of its cloud",
        description="A node that we enrolled is deleted there; another one stays, without our "
        "mark.",
    )
    async def withdraw(
        self, ask: Asked, server_id: ServerId, data: JSONBody[WithdrawAsk]
    ) -> Response[NodeErrand]:
        return await _once(
            ask, lambda tx: ask_withdraw(tx, server_id, **by(ask), reason=data.reason)
        )


class NodeErrands(Controller):
    """What workers do about servers at clouds."""

    path = "/node-errands/{errand_id:uuid}"
    tags = ("Servers",)

    @get(
        **needs(Scope.SERVERS_READ, 304),
        response_headers=[ETAG],
        operation_id="showNodeErrand",
        summary="Show an errand",
        description="How far it is, and what stands in its way, in the cloud's words.",
    )
    async def show(
        self, db: Db, errand_id: ErrandId, if_none_match: IfNoneMatch = None
    ) -> Response[NodeErrand]:
        async with db.snapshot() as tx:
            line = errand_line(await find_errand(tx, errand_id))
        return tagged(line, if_none_match)

    @post(
        "/again",
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        status_code=202,
        operation_id="repeatNodeErrand",
        summary="Go on with an errand",
        description="Begin one that failed or was stopped anew; it goes on from what is at the "
        "cloud. Returns the new one.",
    )
    async def again(self, ask: Asked, errand_id: ErrandId) -> Response[NodeErrand]:
        return await _once(ask, lambda tx: ask_again(tx, errand_id, **by(ask)))

    @post(
        "/stop",
        **needs(Scope.SERVERS_WRITE, 409),
        response_headers=[ETAG],
        status_code=200,
        operation_id="stopNodeErrand",
        summary="Stop an errand",
        description="What was done stays; `withdraw` undoes it.",
    )
    async def stop(self, ask: Asked, errand_id: ErrandId) -> Response[NodeErrand]:
        async def deed(tx: Tx) -> UUID:
            await stop(tx, errand_id, **by(ask))
            return errand_id

        return await _once(ask, deed, status=200)


class StrayNodesOf(Controller):
    """Nodes of clouds that are no server of ours."""

    path = "/metal-clouds/{name:str}/strays"
    tags = ("Servers",)

    @get(
        **needs(Scope.SERVERS_READ, 409),
        operation_id="listStrayNodes",
        summary="List nodes to adopt",
        description="Asks the cloud itself, within 20 s, and proposes the server that each may be.",
    )
    async def list(
        self,
        *,
        db: Db,
        vault: Sealing,
        peers: Calling,
        name: CloudName,
        search: Annotated[
            str, QueryParameter(description="A part of the node's name.", max_length=200)
        ] = "",
    ) -> Response[StrayNodes]:
        async with db.snapshot() as tx:
            await id_of(tx, name)
        try:
            seen = await look(db, vault, peers, name, search=search)
        except TimeoutError as error:
            raise CloudSilent(name, f"no answer within {LOOK_S:g} s") from error
        except DriverError as error:
            raise CloudSilent(name, error.message) from error
        return answer(StrayNodes(items=tuple(map(stray_line, seen.strays)), total=seen.total))


async def _once(
    ask: Ask, deed: Callable[[Tx], Awaitable[UUID]], *, status: int = 202
) -> Response[Any]:
    """Do what asks for an errand, once, and answer with it: it has only begun."""

    async def done(tx: Tx) -> NodeErrand:
        return errand_line(await find_errand(tx, await deed(tx)))

    return await ask.once(done, status=status)


SERVER_NODE_ROUTES = (ServerNodes, NodeErrands, StrayNodesOf)
