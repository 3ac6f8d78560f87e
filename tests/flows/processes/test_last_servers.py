"""A thousand clients want the last hundred servers, and one of the processes dies meanwhile."""

from app.core.database import Tx
from app.core.secrets import Vault, new_key
from app.domain.addresses.register import register_addresses
from app.domain.addresses.seed import AddressSeed, PrefixSeed, VlanGroupSeed
from app.domain.inventory.register import register_inventory
from app.domain.inventory.seed import CpuSeed, DatacentreSeed, InventorySeed, RackSeed
from app.solver.want import ServerWant
from tests.flows.processes.conftest import Yard
from tests.flows.processes.shoppers import CLIENTS, offer, rush
from tests.flows.processes.test_last_addresses import LEAKED, UNSERVED
from tests.inventory.hall import machine

RACKS, IN_RACK = 5, 26
WATTS = 300
POWERED = 20
"""Servers that each rack has power for, of those that stand there."""
SERVERS = RACKS * POWERED
SITE = "last2"

OWNERS = """
SELECT s.name, o.number, count(*) OVER (PARTITION BY o.id) AS servers, o.state
FROM server s LEFT JOIN client_order o ON o.id = s.holder
WHERE s.state <> 'available'
"""
"""Every server that is taken, with its owner."""

INVARIANT = f"""
WITH taken AS ({OWNERS})
SELECT 'owned by no order' AS fault, name FROM taken WHERE number IS NULL
UNION ALL SELECT 'one of several of its order', name FROM taken WHERE servers > 1
UNION ALL SELECT 'of an order that is over', name FROM taken WHERE state = 'cancelled'
UNION ALL SELECT 'held by an order and free', name FROM server
    WHERE state = 'available' AND holder IS NOT NULL
UNION ALL SELECT 'an order without a server', o.number::text FROM client_order o
    WHERE NOT EXISTS (SELECT FROM server s WHERE s.holder = o.id)
UNION ALL SELECT 'a rack above its power', r.name FROM rack r JOIN server s ON s.rack = r.id
    WHERE s.state <> 'available' GROUP BY r.id, r.name, r.power_budget_watts
    HAVING sum(s.power_draw_watts) > r.power_budget_watts
"""
"""What must never be; empty when all is right."""


async def test_the_last_servers_go_to_as_many_clients_and_never_two_to_one(yard: Yard) -> None:
    """pitfalls.md: the last unit is sold twice; two orders claim one server."""
    async with yard.database.transaction() as tx:
        await lay_out(tx)
    answers = await rush(yard, SERVERS // 4)
    assert answers == {"served": SERVERS, "told why": CLIENTS - SERVERS}
    taken = await yard.fetch(OWNERS)
    assert len({row["number"] for row in taken}) == len(taken) == SERVERS
    for rows in (await yard.fetch(INVARIANT), await yard.fetch(UNSERVED), await yard.fetch(LEAKED)):
        assert rows == []


async def lay_out(tx: Tx) -> None:
    """Write down racks with more servers than they have power for, and addresses for all."""
    await register_inventory(
        tx,
        Vault([new_key()]),
        InventorySeed(
            datacentres=(DatacentreSeed(code=SITE, name="Last"),),
            racks=tuple(
                RackSeed(
                    datacentre=SITE,
                    name=f"L{rack}",
                    power_budget_watts=POWERED * WATTS + WATTS // 2,
                )
                for rack in range(RACKS)
            ),
            cpu_models=(CpuSeed(name="Xeon", cores=8, threads=16, base_mhz=3200),),
            servers=tuple(
                machine(
                    unit,
                    name=f"last{rack}{unit:02d}",
                    serial=f"L{rack}{unit:02d}",
                    datacentre=SITE,
                    rack=f"L{rack}",
                    power_draw_watts=WATTS,
                    mac=f"02:00:00:02:{rack:02x}:{unit:02x}",
                )
                for rack in range(RACKS)
                for unit in range(1, IN_RACK + 1)
            ),
        ),
    )
    await register_addresses(
        tx,
        AddressSeed(
            prefixes=(
                PrefixSeed(network="10.78.0.0/22", datacentre=SITE),
                PrefixSeed(network="2001:db8:78::/48", datacentre=SITE),
            ),
            vlan_groups=(VlanGroupSeed(name=SITE, datacentre=SITE),),
        ),
    )
    await offer(tx, ServerWant(ram_gb=32, datacentres=(SITE,), datacentre_required=True))
