"""Ask a cloud for the nodes that are no server of ours, and propose which each may be."""

import asyncio
from collections.abc import Sequence

import msgspec

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.connections.errors import UnknownConnection
from app.domain.connections.open import open_connection
from app.domain.metal.propose import Stray, of_nobody, propose
from app.drivers.errors import DriverError
from app.drivers.metal.contract import MetalCloud, MetalNode, MetalPeer
from app.drivers.peers import Peers

LOOK_S = 20.0
SHOWN = 50
"""Nodes of an answer; the rest is found by a part of the name."""
ASKED = 10
"""Nodes whose serial number is asked for: three requests each."""


class Seen(msgspec.Struct, frozen=True):
    """Nodes of a cloud that nobody here has; `total` counts those too that are not shown."""

    strays: tuple[Stray, ...]
    total: int


async def look(
    database: Database, vault: Vault, peers: Peers, connection: str, *, search: str = ""
) -> Seen:
    """Return the nodes of a cloud whose name or id holds `search`, those with a proposal first.

    Raises UnknownConnection, DriverError, TimeoutError.
    """
    cloud = await _cloud(database, vault, peers, connection)
    async with asyncio.timeout(LOOK_S):
        nodes, cards = await asyncio.gather(cloud.nodes(), cloud.cards())
        async with database.snapshot() as tx:
            ours = await of_nobody(tx, connection, nodes)
            wanted = [one for one in ours if _fits(one, search)]
            first = await propose(tx, wanted, cards, {})
        unknown = [one.node for one in first if one.proposal is None]
        serials = await _serials(cloud, unknown[:ASKED])
        if not serials:
            return Seen(first[:SHOWN], len(first))
        async with database.snapshot() as tx:
            found = await propose(tx, wanted, cards, serials)
    return Seen(found[:SHOWN], len(found))


async def look_at(
    database: Database, vault: Vault, peers: Peers, connection: str, node: str
) -> Stray:
    """Return one node of a cloud and which server it may be. Raises as `look` does, NodeLost."""
    cloud = await _cloud(database, vault, peers, connection)
    async with asyncio.timeout(LOOK_S):
        found, facts = await asyncio.gather(cloud.read(node), cloud.facts(node))
    async with database.snapshot() as tx:
        (stray,) = await propose(tx, [found], {found.id: facts.macs}, {found.id: facts.serial})
    return stray


async def _cloud(database: Database, vault: Vault, peers: Peers, connection: str) -> MetalCloud:
    async with database.snapshot() as tx:
        peer = await open_connection(tx, vault, connection)
    if not isinstance(peer, MetalPeer):
        raise UnknownConnection(connection)
    return peers.metal(peer)


async def _serials(cloud: MetalCloud, nodes: Sequence[MetalNode]) -> dict[str, str]:
    """Return the serial numbers that inspections found, by node; what fails is left out."""

    async def serial(node: MetalNode) -> str:
        try:
            return (await cloud.facts(node.id)).serial
        except DriverError:
            return ""

    found = await asyncio.gather(*map(serial, nodes))
    return {node.id: text for node, text in zip(nodes, found, strict=True) if text}


def _fits(node: MetalNode, search: str) -> bool:
    words = search.strip().lower()
    return words in node.name.lower() or words == node.id
