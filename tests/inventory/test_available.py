"""The stock as the solver reads it: kept while nothing changes, and never older than that."""

import pytest

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.inventory.available import read_available
from app.domain.inventory.reserve import reserve
from app.solver.want import ServerWant
from tests.inventory.hall import furnish, machine

CHANGES = {
    "memory": "UPDATE server SET ram_gb = 256 WHERE name = 'm001'",
    "state": "UPDATE server SET state = 'maintenance' WHERE name = 'm001'",
    "disk": "UPDATE disk SET capacity_gb = 1920 WHERE server = "
    "(SELECT id FROM server WHERE name = 'm001')",
    "no disks": "DELETE FROM disk WHERE server = (SELECT id FROM server WHERE name = 'm001')",
    "rack": "UPDATE rack SET name = 'R9' WHERE name = 'R1'",
    "datacentre": "UPDATE datacentre SET code = 'ams9' WHERE code = 'ams1'",
    "cores": "UPDATE cpu_model SET cores = 64",
    "stand-in": "UPDATE cpu_equivalence SET cost = 9",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_whatever_is_written_is_read(tx: Tx, change: str) -> None:
    await furnish(tx, machine(1), machine(2))
    before = await read_available(tx)
    assert await read_available(tx) is before
    with pytest.raises(RuntimeError):
        async with tx.savepoint():
            await tx.execute(CHANGES[change])
            assert await read_available(tx) is not before
            raise RuntimeError
    assert await read_available(tx) is before, "what was undone was not kept"


async def test_an_orders_own_server_is_among_them_for_that_order_alone(tx: Tx) -> None:
    ids = await furnish(tx, machine(1), machine(2))
    order = new_id()
    held = await reserve(tx, ServerWant(), holder=order, expires_at=None)
    assert held.id in ids.values()
    assert len((await read_available(tx)).inventory) == 1
    assert len((await read_available(tx, order)).inventory) == 2
    assert len((await read_available(tx)).inventory) == 1
