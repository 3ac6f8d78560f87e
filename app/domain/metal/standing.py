"""How a server stands with clouds of bare metal, as its page shows it."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.metal.ask import clouds
from app.domain.metal.errand import ErrandView, last_errand
from app.domain.metal.find import node_of_server
from app.domain.metal.views import NodeRow


class NodeStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The node that a server is, as its cloud last said."""

    connection: str
    node: str
    state: str
    power: str
    error: str
    seen_at: datetime | None


class CloudStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What clouds there are, which has the server, and what was asked for last."""

    clouds: tuple[str, ...]
    node: NodeStanding | None
    shown: NodeRow | None
    """The same as its cloud last showed it among all its nodes."""
    errand: ErrandView | None

    @property
    def is_worth_showing(self) -> bool:
        return bool(self.clouds or self.node or self.errand)


async def standing_of(tx: Tx, server: UUID) -> CloudStanding:
    """Return how a server stands; four statements."""
    row = await tx.fetchrow(
        "SELECT connection, node, state, power, error, seen_at FROM metal_node WHERE server = $1",
        server,
    )
    return CloudStanding(
        clouds=await clouds(tx),
        node=None if row is None else NodeStanding(**dict(row)),
        shown=await node_of_server(tx, server),
        errand=await last_errand(tx, server),
    )
