"""Servers that are taken out of stock for a while, and put back."""

import contextlib
from collections.abc import AsyncIterator

from app.domain.inventory.states import ServerState, move
from tests.journeys.conftest import Provider

PRODUCT = "metal-l"
SITE = "fra1"


@contextlib.asynccontextmanager
async def sold_out(provider: Provider) -> AsyncIterator[list[str]]:
    """Take every free server of the site that could serve the product out of stock meanwhile."""
    async with provider.database.transaction() as tx:
        rows = await tx.fetch(
            "UPDATE server SET state = $1, state_reason = 'test' FROM rack r, datacentre d "
            "WHERE r.id = server.rack AND d.id = r.datacentre AND d.code = $2 "
            "AND server.state = 'available' AND server.ram_gb >= 128 RETURNING server.name",
            ServerState.maintenance,
            SITE,
        )
    names = [row["name"] for row in rows]
    assert names
    try:
        yield names
    finally:
        async with provider.database.transaction() as tx:
            for row in await tx.fetch(
                "SELECT id FROM server WHERE name = ANY($1) AND state = $2",
                names,
                ServerState.maintenance,
            ):
                await move(tx, row["id"], ServerState.available)
