"""A server in quarantine whose connection is no cloud of bare metal."""

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.secrets import Vault
from app.domain.connections.kinds import Kind
from app.domain.inventory.quarantine import quarantine
from app.domain.metal.link import link_node
from app.drivers.peers import open_peers
from tests.connections.world import add
from tests.inventory.hall import an_order
from tests.metal.aside import recheck, said, standing
from tests.metal.conftest import LOOPBACK
from tests.metal.errands import CLOUD, Hand, a_server


@pytest.mark.parametrize("kind", [Kind.HTTP, Kind.HYPERVISOR])
async def test_what_is_no_cloud_says_nothing_of_the_server(
    database: Database, clock: SetClock, vault: Vault, kind: Kind
) -> None:
    """Somebody made the connection anew, as another kind: that costs no look."""
    hand = Hand(database, clock, vault, open_peers(LOOPBACK, clock))
    await add(database, vault, kind, name=CLOUD)
    (server,) = (await hand.furnish(a_server(bmc=None))).values()
    async with database.transaction() as tx:
        await link_node(tx, server, CLOUD, "node-7")
        await tx.execute(
            "UPDATE server SET state = 'provisioning', holder = $2 WHERE id = $1",
            server,
            await an_order(tx),
        )
        await quarantine(tx, server, "it did not answer")
    assert await recheck(hand, minutes=15) == [server]
    assert await recheck(hand, minutes=15) == [server], "it is asked about again in a while"
    assert (await standing(hand, server))[::2] == ("quarantined", 0)
    assert await said(hand, server, "inventory.recheck") == []
    await hand.peers.close()
