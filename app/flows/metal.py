"""What the nodes about servers at a cloud of bare metal share: whose server, which node, where."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from app.domain.addresses.find import addresses_of
from app.domain.addresses.views import Claimed
from app.domain.connections.find import names_of
from app.domain.connections.kinds import Kind
from app.domain.inventory.find import server_of
from app.domain.inventory.put_back import note_clean
from app.domain.metal.link import Linked, link_node, node_of, note_node
from app.drivers.errors import DriverError
from app.drivers.metal.contract import Link, MetalCloud, MetalNode, MetalPeer, NodeLost, NodeRef
from app.flows.machines import drive, ref_of
from app.flows.node import Resource, Step, StepFailed, Wait
from app.flows.subject import order_of

Connection = Annotated[
    str,
    Meta(
        title="Connection",
        description="Which cloud: a connection of kind metal. The one that has the server when "
        "left out.",
        examples=["fra-ironic"],
        extra_json_schema={"x-connection": "metal"},
    ),
]


class ServerOutput(msgspec.Struct, frozen=True, kw_only=True):
    """A server as its cloud has it."""

    server: Annotated[UUID, Meta(description="Which server.")]
    node: Annotated[str, Meta(description="Its id at the cloud.")]
    state: Annotated[str, Meta(description="The cloud's own word: active, rescue.")]
    power: Annotated[str, Meta(description="on, off or unknown.")]


class At(msgspec.Struct, frozen=True):
    """The order's server at its cloud."""

    cloud: MetalCloud
    connection: str
    ref: NodeRef
    server: UUID
    mac: str
    order: UUID

    @property
    def resource(self) -> Resource:
        """How its node is named on the ledger."""
        return Resource("node", f"{self.connection} {self.ref.node}")


async def cloud_at(step: Step, connection: str) -> MetalCloud:
    """Return the cloud behind a connection. Raises UnknownConnection, WrongKind."""
    peer = await step.tools.connections.get(step, connection, MetalPeer)
    found: MetalCloud = step.tools.peers.metal(peer)
    return found


async def metal_at(step: Step, connection: str = "") -> At | None:
    """Return the server that the order has, at its cloud; None where it has none any more.

    The first time its node is looked for by the server's MAC and name, at all clouds where no
    `connection` is named, and written down. Raises StepFailed, NodeTaken, DriverError.
    """
    service = (await ref_of(step, None)).service
    async with step.database.snapshot() as tx:
        order = await order_of(tx, step)
        server = await server_of(tx, order)
        if server is None:
            return None
        mac: str = await tx.fetchval("SELECT mac FROM server WHERE id = $1", server.id)
        linked = await node_of(tx, server.id)
    if linked is None or connection not in {"", linked.connection}:
        linked = await _look_for(step, connection, name=server.name, mac=mac)
        async with step.database.transaction() as tx:
            await link_node(tx, server.id, linked.connection, linked.node)
    cloud = await cloud_at(step, linked.connection)
    ref = NodeRef(linked.node, service)
    return At(cloud, linked.connection, ref, server.id, mac, order)


async def _look_for(step: Step, connection: str, *, name: str, mac: str) -> Linked:
    """Return which node of which cloud has the card, else that name.

    By its name it is only looked for once each cloud said that it has no such card.
    """
    async with step.database.snapshot() as tx:
        clouds = (connection,) if connection else await names_of(tx, Kind.METAL)
    if not clouds:
        raise StepFailed("there is no connection of kind Bare metal: add one for the cloud")
    for asked in ({"macs": (mac,)}, {"name": name}):
        failed: DriverError | None = None
        for each in clouds:
            try:
                found = await (await cloud_at(step, each)).find(**asked)
            except DriverError as error:
                failed = error
                continue
            if found is not None:
                return Linked(each, found.id)
        if failed is not None:
            raise failed
    raise StepFailed(
        f"{' and '.join(clouds)} {'has' if len(clouds) == 1 else 'have'} no node with the card "
        f"{mac}, nor one that is called {name}: enrol the server there"
    )


async def need_metal(step: Step, connection: str = "") -> At:
    at = await metal_at(step, connection)
    if at is None:
        raise StepFailed("the order has no server")
    return at


async def seen(step: Step, at: At, node: MetalNode) -> ServerOutput:
    """Return the server as its cloud has it now, and note that."""
    async with step.database.transaction() as tx:
        await note_node(tx, at.server, node)
    return ServerOutput(server=at.server, node=node.id, state=node.state, power=node.power)


async def taken_down(step: Step, at: At) -> Wait | bool:
    """Have the cloud take the system off the node; returns, once it has, whether it cleaned it.

    Some nodes are not to be cleaned, and of one that is not there any more nobody knows.
    """
    left = await drive(step, at.connection, partial(at.cloud.release, at.ref))
    if isinstance(left, Wait):
        return left
    try:
        is_clean = (await at.cloud.read(at.ref.node)).is_cleaned
    except NodeLost:
        return False
    if is_clean:
        async with step.database.transaction() as tx:
            await note_clean(tx, at.server)
    return is_clean


async def link_of(step: Step, at: At) -> Link:
    """Return the network that the order was given, on the server's card. Raises StepFailed."""
    async with step.database.snapshot() as tx:
        claimed = await addresses_of(tx, at.order)
    if not claimed.ip4:
        raise StepFailed("the order has no addresses; allocate them before it is installed")
    return _link(claimed, at.mac, step.tools.site.nameservers)


def _link(claimed: Claimed, mac: str, nameservers: tuple[str, ...]) -> Link:
    primary, *more = claimed.ip4
    six: Any = claimed.ip6[0] if claimed.ip6 else None
    return Link(
        mac=mac,
        vlan=claimed.vlan,
        address4=f"{primary.address}/{primary.prefix_length}",
        gateway4="" if primary.gateway is None else str(primary.gateway),
        more4=tuple(f"{each.address}/{each.prefix_length}" for each in more),
        address6="" if six is None else f"{six.host_address}/{six.network.prefixlen}",
        gateway6="" if six is None or six.gateway is None else str(six.gateway),
        nameservers=nameservers,
    )
