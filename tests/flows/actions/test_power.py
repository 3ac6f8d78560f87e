"""action.power against a Redfish BMC that speaks TLS on loopback."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.core.ids import new_id
from app.drivers.bmc.redfish import RedfishFleet
from app.drivers.errors import Refused
from app.drivers.power import Power
from app.flows.node import Done, StepFailed, Wait
from app.flows.nodes.power import Params, node
from tests.conftest import START
from tests.drivers.bmc.faulty import PASSWORD, USER, FaultyBmc
from tests.drivers.certificates import Authority
from tests.flows.actions.bench import Bench, output
from tests.services.hall import Hall, open_hall


@pytest.fixture
async def bmc(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FaultyBmc]:
    authority = Authority(tmp_path_factory.mktemp("power"))
    async with FaultyBmc(authority.issue("faulty")) as server:
        server.faults.soft = True
        server.power = "On"
        yield server


@pytest.fixture
async def hall(bench: Bench, bmc: FaultyBmc) -> AsyncIterator[Hall]:
    hall = await open_hall(bench.database, bench.vault)
    async with bench.database.transaction() as tx:
        await tx.execute(
            "UPDATE bmc SET url = $1, username = $2, sealed_password = $3, tls_mode = 'off'",
            bmc.url, USER, bench.vault.seal(PASSWORD),
        )  # fmt: skip
    fleet = RedfishFleet()
    bench.fleet = fleet
    bench.__post_init__()
    yield hall
    await fleet.close()


async def enter(bench: Bench, about: UUID, memo: Any = None, **given: Any) -> Done | Wait:
    return await bench.enter(node, given, memo, about=about)


async def power_of(bench: Bench, server: UUID) -> str:
    async with bench.database.snapshot() as tx:
        return str(await tx.fetchval("SELECT power FROM server WHERE id = $1", server))


def resets(bmc: FaultyBmc) -> list[str]:
    return [body["ResetType"] for body in bmc.bodies if body and "ResetType" in body]


@pytest.mark.parametrize("wanted", ["on", "off"])
async def test_on_and_off_hard(bench: Bench, hall: Hall, bmc: FaultyBmc, wanted: str) -> None:
    bmc.power = "Off" if wanted == "on" else "On"
    for about in (hall.order, hall.service):  # the second time it is so already
        done = await enter(bench, about, power=wanted, how="hard")
        assert output(done)["power"] == wanted
    assert bmc.power == wanted.capitalize()
    assert len(resets(bmc)) == 1
    assert await power_of(bench, hall.server) == wanted


async def test_a_machine_that_follows(bench: Bench, hall: Hall, bmc: FaultyBmc) -> None:
    done = await enter(bench, hall.order, power="off")
    assert output(done) == {"server": str(hall.server), "power": "off", "was_hard": False}
    assert resets(bmc) == ["GracefulShutdown"]
    assert await power_of(bench, hall.server) == "off"


async def test_a_machine_that_takes_its_time(bench: Bench, hall: Hall, bmc: FaultyBmc) -> None:
    bmc.faults.ignore_reset = True
    wait = await enter(bench, hall.order, power="off")
    assert isinstance(wait, Wait)
    assert wait.until == START + timedelta(seconds=5)
    bench.clock.advance(seconds=5)
    wait = await enter(bench, hall.order, wait.memo, power="off")
    assert isinstance(wait, Wait)
    bmc.power = "Off"
    bench.clock.advance(seconds=5)
    done = await enter(bench, hall.order, wait.memo, power="off")
    assert output(done)["was_hard"] is False
    assert resets(bmc) == ["GracefulShutdown"]  # it was asked once


async def test_a_machine_that_does_not_follow(bench: Bench, hall: Hall, bmc: FaultyBmc) -> None:
    bmc.faults.ignore_reset = True
    given = {"power": "off", "patience": "7s"}
    wait = await enter(bench, hall.order, **given)
    bench.clock.advance(seconds=5)
    wait = await enter(bench, hall.order, wait.memo, **given)  # type: ignore[union-attr]
    assert isinstance(wait, Wait)
    assert wait.until == START + timedelta(seconds=7)
    bench.clock.advance(seconds=2)
    with pytest.raises(StepFailed, match="still runs after 7s"):
        await enter(bench, hall.order, wait.memo, **given, then_hard=False)
    bmc.faults.ignore_reset = False
    done = await enter(bench, hall.order, wait.memo, **given)
    assert output(done)["was_hard"] is True
    assert resets(bmc) == ["GracefulShutdown", "ForceOff"]


async def test_off_and_on_again_in_two_stages(bench: Bench, hall: Hall, bmc: FaultyBmc) -> None:
    wait = await enter(bench, hall.order, power="cycle", how="hard")
    assert isinstance(wait, Wait)
    assert (wait.until, bmc.power) == (bench.clock.now(), "Off")
    for _ in range(2):  # a crash after this: it is not switched off again
        done = await enter(bench, hall.order, wait.memo, power="cycle", how="hard")
    assert output(done) == {"server": str(hall.server), "power": "on", "was_hard": True}
    assert resets(bmc) == ["ForceOff", "On"]
    assert await power_of(bench, hall.server) == "on"


async def test_a_bmc_that_cannot_ask(bench: Bench, hall: Hall, bmc: FaultyBmc) -> None:
    bmc.faults.soft = False
    with pytest.raises(Refused, match="GracefulShutdown"):
        await enter(bench, hall.order, power="off", then_hard=False)
    assert bmc.power == "On"
    done = await enter(bench, hall.order, power="off")
    assert output(done) == {"server": str(hall.server), "power": "off", "was_hard": True}
    assert (bmc.power, resets(bmc)) == ("Off", ["ForceOff"])


async def test_a_server_that_the_order_has_not_is_not_touched(
    bench: Bench, hall: Hall, bmc: FaultyBmc
) -> None:
    with pytest.raises(StepFailed, match="not the server"):
        await enter(bench, hall.order, power="off", server=new_id())
    await hall.take_the_server_away()
    with pytest.raises(StepFailed, match="has no server"):
        await enter(bench, hall.order, power="off", server=hall.server)
    assert (bmc.requests, bmc.power) == ([], "On")


async def test_its_own_server_may_be_named(bench: Bench, hall: Hall, bmc: FaultyBmc) -> None:
    done = await enter(bench, hall.order, power="on", server=str(hall.server))
    assert output(done)["power"] == Power.ON


def test_what_it_says() -> None:
    assert node.says is not None
    said = [
        node.says(msgspec.convert({"power": power}, Params)) for power in ("on", "off", "cycle")
    ]
    assert said == [
        "Powers on the order's server",
        "Powers off the order's server (soft)",
        "Powers the order's server off (soft) and on again",
    ]
