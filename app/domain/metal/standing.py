"""How a server stands with clouds of bare metal, as its page shows it."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.metal.ask import clouds
from app.domain.metal.errand import ErrandView, last_errand


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
    errand: ErrandView | None

    @property
    def is_worth_showing(self) -> bool:
        return bool(self.clouds or self.node or self.errand)


async def standing_of(tx: Tx, server: UUID) -> CloudStanding:
    """Return how a server stands; three statements."""
    row = await tx.fetchrow(
        "SELECT connection, node, state, power, error, seen_at FROM metal_node WHERE server = $1",
        server,
    )
    return CloudStanding(
        clouds=await clouds(tx),
        node=None if row is None else NodeStanding(**dict(row)),
        errand=await last_errand(tx, server),
    )
