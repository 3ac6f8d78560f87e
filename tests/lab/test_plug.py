"""A plug that is pulled at the lab is a difference that Slipway finds by itself, and shows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.inventory.power_rule import SETTLES
from app.domain.inventory.register import register_bmc
from app.domain.inventory.seed import BmcSeed
from app.domain.inventory.views import ServerView
from app.drivers.bmc.fleet import MixedFleet
from app.drivers.bmc.guard import OwnGuard
from app.drivers.power import Power
from app.jobs.watch_power import PowerWatch
from app.settings import Settings
from tests.jobs.desk import SETTINGS, Desk
from tests.jobs.powered import NEXT, look, with_service
from tests.lab.conftest import Lab
from tests.lab.test_process import run
from tests.orders.world import a_shop


@pytest.fixture
async def desk(database: Database, clock: SetClock, vault: Vault, redis: Redis) -> Desk:
    async with database.transaction() as tx:
        await a_shop(tx, servers=1)
    return Desk(database, clock, vault, Live(redis), Settings(_env_file=None, **SETTINGS))


@pytest.fixture
async def fleet() -> AsyncIterator[MixedFleet]:
    fleet = MixedFleet(OwnGuard())
    yield fleet
    await fleet.close()


async def test_a_pulled_plug_is_found_and_shown_as_a_drift(
    lab: Lab, desk: Desk, fleet: MixedFleet
) -> None:
    server, _ = await with_service(desk)
    bmc, power = lab.machines[2]["bmc"], f"/api/machines/{lab.machines[2]['name']}/power"
    ca_pem = Path(lab.facts["ca_pem"]).read_text()
    async with desk.database.transaction() as tx:
        await register_bmc(tx, desk.vault, server, BmcSeed(**bmc, ca_pem=ca_pem))
    watch = PowerWatch(desk.database, desk.live, desk.vault, fleet)

    async def seen() -> ServerView:
        desk.clock.advance(seconds=NEXT.total_seconds())
        assert await watch.sweep() == 1
        await watch.idle()
        return await look(desk, server)

    await lab.post(power, {"power": "on"})
    await lab.until(2, lambda m: m["power"] == "on")
    desk.clock.advance(seconds=SETTLES.total_seconds())
    found = await seen()
    assert (found.power, found.power_drifts) == (Power.ON, False)

    await lab.fault(2, "ignore-reset")  # a hand at the machine asks no BMC
    await lab.post(power, {"power": "off"})
    machine = await lab.until(2, lambda m: m["power"] == "off")
    assert "lab: the plug is pulled" in "\n".join(machine["console"])
    await lab.fault(2, None)
    found = await seen()
    assert (found.power, found.power_drifts) == (Power.OFF, True)

    url = f"{lab.facts['url']}/machines/{lab.machines[2]['name']}"
    async with lab.session.get(url) as page:
        assert "Switch on by hand" in await page.text()
    async with lab.session.post(f"{url}/power", data={"power": "on"}) as answer:
        assert answer.status == 200
    await lab.until(2, lambda m: m["power"] == "on")
    found = await seen()
    assert (found.power, found.power_drifts) == (Power.ON, False)
    async with lab.session.post(lab.facts["url"] + power, json={"power": "cut"}) as answer:
        assert (answer.status, await answer.json()) == (
            400,
            {"error": "power must be one of on, off"},
        )
    code, said = await run("power", str(lab.folder), lab.machines[2]["name"], "off")
    assert (code, said) == (0, f"{lab.machines[2]['name']}: switched off\n")
    await lab.until(2, lambda m: m["power"] == "off")
