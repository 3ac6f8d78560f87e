"""Every fault shows itself as its name says, and goes away when it is cleared."""

import asyncio
import time
from typing import Any

import pytest
import requests
import sushy

from lab.faults import Fault, UnknownFault
from tests.lab.conftest import Lab, Slipway


async def in_thread(act: Any) -> Any:
    return await asyncio.to_thread(act)


async def test_hang(lab: Lab) -> None:
    await lab.fault(2, "hang")
    began = time.monotonic()
    with pytest.raises(sushy.exceptions.ConnectionError, match="timed out"):
        await in_thread(lambda: lab.bmc(2, read_timeout=0.3))
    assert time.monotonic() - began > 0.25
    await lab.fault(2, None)
    assert await in_thread(lambda: lab.system(2).power_state)


async def test_refuse_keeps_the_port(lab: Lab) -> None:
    system = await in_thread(lambda: lab.system(2))
    await lab.fault(2, "refuse")
    with pytest.raises(sushy.exceptions.ConnectionError):
        await in_thread(lambda: lab.bmc(2))
    with pytest.raises(sushy.exceptions.ConnectionError):
        await in_thread(system.refresh)
    await lab.fault(2, None)
    assert await in_thread(lambda: lab.system(2).power_state)


async def test_wrong_password(lab: Lab) -> None:
    await lab.fault(2, "wrong-password")
    with pytest.raises(sushy.exceptions.AccessError):
        await in_thread(lambda: lab.system(2))
    await lab.fault(2, None)
    assert await in_thread(lambda: lab.system(2).power_state)


async def test_a_really_wrong_password_and_none(lab: Lab) -> None:
    bmc = lab.machines[2]["bmc"]
    url = bmc["url"] + bmc["system_path"]

    def statuses() -> list[int]:
        answers = [
            requests.get(url, verify=lab.facts["ca_pem"], auth=auth, timeout=5)
            for auth in (None, (bmc["username"], "x"), (bmc["username"], bmc["password"]))
        ]
        return [answer.status_code for answer in answers]

    assert await in_thread(statuses) == [401, 401, 200]


async def test_ignore_reset(lab: Lab) -> None:
    await lab.fault(2, "ignore-reset")
    await in_thread(lambda: lab.system(2).reset_system(sushy.ResetType.ON))
    await lab.fault(2, None)
    assert await in_thread(lambda: lab.system(2).power_state) == sushy.PowerState.OFF
    assert (await lab.machine(2))["power"] == "off"


async def test_revert_boot(lab: Lab) -> None:
    def set_boot() -> Any:
        system = lab.system(2)
        system.set_system_boot_options(
            target=sushy.BootSource.PXE, enabled=sushy.BootSourceOverrideEnabled.ONCE
        )
        system.refresh()
        return system.boot.target

    await lab.fault(2, "revert-boot")
    assert await in_thread(set_boot) == sushy.BootSource.NONE
    await lab.fault(2, None)
    assert await in_thread(set_boot) == sushy.BootSource.PXE


async def test_slow(lab: Lab) -> None:
    await lab.fault(2, "slow:0.3")
    began = time.monotonic()
    await in_thread(lambda: lab.bmc(2))
    assert time.monotonic() - began >= 0.3
    await lab.fault(2, None)


async def test_install_fails_and_is_reported(lab: Lab, slipway: Slipway) -> None:
    script = slipway.offer_ubuntu("tok-f", "127.16.0.12", lab.facts["mirror_url"])
    slipway.pages["/netboot/ipxe"] = script.encode()
    await lab.fault(2, "install-fails:3")
    await lab.netboot(2)
    await slipway.reported("/netboot/tok-f/failed")
    machine = await lab.until(2, lambda m: m["phase"] == "stuck")
    assert ("/netboot/tok-f/failed", {"message": "it broke"}) in slipway.reports
    assert "Extracting the base system: failed" in machine["doing"]
    assert machine["installed"] is None


async def test_never_calls_back(lab: Lab, slipway: Slipway) -> None:
    await lab.fault(2, "never-calls-back")
    await lab.netboot(2)
    await lab.until(2, lambda m: "[7/7]" in m["doing"])
    await asyncio.sleep(0.2)
    assert (await lab.machine(2))["phase"] == "installing"
    assert "/netboot/tok-f/done" not in [path for path, _ in slipway.reports]
    await lab.fault(2, None)
    await lab.power_off(2)


async def test_unknown_faults_are_refused(lab: Lab) -> None:
    for text in ("explode", "hang:3", "install-fails:x", "slow:0"):
        with pytest.raises(UnknownFault):
            Fault.parse(text)
        name = lab.machines[2]["name"]
        url = f"{lab.facts['url']}/api/machines/{name}/fault"
        async with lab.session.post(url, json={"fault": text}) as answer:
            assert answer.status == 400
            assert "error" in await answer.json()
