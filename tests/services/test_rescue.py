"""A client's server that is to be rescued or installed anew, by a BMC that fails meanwhile."""

from types import ModuleType
from typing import Any

import pytest

from app.core.clock import SetClock
from app.drivers.errors import NotReached, Refused, Unreachable
from app.flows.booting import BMC_AGAIN, BMC_PATIENCE
from app.flows.node import Done, Wait
from app.flows.nodes import reinstall_os, rescue
from tests.services.hall import Hall


async def enter(hall: Hall, node: ModuleType, **memo: Any) -> Done | Wait:
    found: Done | Wait = await node.do(hall.step(node="node", **memo), node.Params())
    return found


@pytest.mark.parametrize("node", [rescue, reinstall_os], ids=["rescue", "reinstall"])
async def test_a_bmc_that_is_away_for_a_while_is_waited_for(
    hall: Hall, clock: SetClock, node: ModuleType
) -> None:
    """It may restart: the machine is the client's, and no other can stand in for it."""
    hall.bmc.is_away = True
    wait = await enter(hall, node)
    assert isinstance(wait, Wait)
    assert (wait.until, wait.says) == (clock.now() + BMC_AGAIN, "waiting for the BMC")
    clock.advance(minutes=4)
    hall.bmc.is_away, hall.bmc.refuses = False, "HTTP 503: it restarts"
    wait = await enter(hall, node, **wait.memo)
    assert isinstance(wait, Wait)
    assert wait.says == "waiting for the BMC"
    hall.bmc.refuses = ""
    hall.bmc.told.clear()
    booted = await enter(hall, node, **wait.memo)
    assert isinstance(booted, Wait)
    assert booted.signal.startswith("installation:")
    assert hall.bmc.told == ["power off", "boot pxe", "power on"]
    assert "away" not in booted.memo, "the next time is counted anew"

    hall.bmc.is_away = True
    clock.advance(seconds=BMC_PATIENCE.total_seconds())
    with pytest.raises(Unreachable):
        await enter(hall, node, **wait.memo)


@pytest.mark.parametrize("reverts", ["everything", "the installer alone"])
async def test_a_machine_whose_bmc_refuses_the_rescue_runs_again(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, reverts: str
) -> None:
    """It was switched off for it."""
    hall.bmc.reverts = True
    if reverts == "the installer alone":
        told = hall.bmc.set_once

        async def set_once(device: Any) -> None:
            hall.bmc.reverts = device == "pxe"
            await told(device)

        monkeypatch.setattr(hall.bmc, "set_once", set_once)
    with pytest.raises(Refused, match="it was reverted"):
        await enter(hall, rescue)
    assert hall.bmc.told[-1] == "power on"
    assert ("boot disk" in hall.bmc.told) is (reverts == "the installer alone")


async def test_a_bmc_that_answers_and_does_not_obey_is_not_waited_for(hall: Hall) -> None:
    hall.bmc.on_after_s = 60
    with pytest.raises(NotReached):
        await enter(hall, rescue)
