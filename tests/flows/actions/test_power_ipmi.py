"""action.power against OpenIPMI's simulator: the same node, by the other protocol."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.inventory.bmc_turn import SharedTurns
from app.drivers.bmc.fleet import MixedFleet
from app.flows.node import Wait
from app.flows.nodes.power import node
from tests.drivers.bmc.ipmi_sim import PASSWORD, USER, Simulated, ipmi_sim
from tests.flows.actions.bench import Bench, output
from tests.services.hall import Hall, open_hall


@pytest.fixture
async def sim(bench: Bench, tmp_path: Path) -> AsyncIterator[Simulated]:
    with ipmi_sim(tmp_path) as simulated:
        yield simulated


@pytest.fixture
async def hall(bench: Bench, sim: Simulated) -> AsyncIterator[Hall]:
    hall = await open_hall(bench.database, bench.vault)
    async with bench.database.transaction() as tx:
        await tx.execute(
            "UPDATE bmc SET protocol = 'ipmi', boot_method = 'network', url = $1, username = $2, "
            "sealed_password = $3",
            sim.address.url,
            USER,
            bench.vault.seal(PASSWORD),
        )
    bench.fleet = MixedFleet(SharedTurns(bench.database, bench.vault))
    bench.__post_init__()
    yield hall
    await bench.fleet.close()


async def test_on_asked_to_stop_and_off_and_on_again(
    bench: Bench, hall: Hall, sim: Simulated
) -> None:
    done = await bench.enter(node, {"power": "on"}, None, about=hall.order)
    assert output(done)["power"] == "on"
    done = await bench.enter(node, {"power": "off"}, None, about=hall.order)
    assert output(done) == {"server": str(hall.server), "power": "off", "was_hard": False}
    wait = await bench.enter(node, {"power": "cycle", "how": "hard"}, None, about=hall.order)
    assert isinstance(wait, Wait)
    done = await bench.enter(node, {"power": "cycle", "how": "hard"}, wait.memo, about=hall.order)
    assert output(done)["power"] == "on"
    assert sim.orders() == ["power 1", "shutdown 1", "power 1"]
    async with bench.database.snapshot() as tx:
        assert await tx.fetchval("SELECT power FROM server WHERE id = $1", hall.server) == "on"
        # Cipher suite 3 is what the simulator has; every worker knows it now.
        assert await tx.fetchval("SELECT cipher_suite FROM bmc_peer") == 3
