"""What vendors' BMCs answer, as the sushy package ships it, read by the Redfish adapter.

Each page is served at its own address by a BMC over TLS; what is not among them is answered 404.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sushy

from app.drivers.bmc.contract import BmcAddress, Drive, Nic
from app.drivers.bmc.redfish import RedfishFleet
from app.drivers.bmc.redfish.fleet import RedfishBmc
from app.drivers.boot import BootDevice, BootMode
from app.drivers.errors import Refused
from app.drivers.power import Power
from app.drivers.secret import Secret
from app.drivers.tls import TrustCa
from tests.drivers.bmc.faulty import PASSWORD, USER, FaultyBmc
from tests.drivers.certificates import Authority

SAMPLES = Path(sushy.__file__).parent / "tests" / "unit" / "json_samples"
SYSTEM, STORAGE = "/redfish/v1/Systems/437XR1138R2", "/redfish/v1/Systems/437XR1138R2/Storage"
CHASSIS = "/redfish/v1/Chassis/Blade1"
UNSHIPPED = f"{STORAGE}/1/Drives/3F5A8C54207B7233"
"""One of the four disks that the storage links to."""


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def pages(system: str, manager: str) -> dict[str, Any]:
    """Return all samples by their address; of two with the same, the one for such a system."""
    every = (sample(path.stem) for path in sorted(SAMPLES.glob("*.json")))
    found = {page["@odata.id"]: page for page in every if "@odata.id" in page}
    return found | {
        SYSTEM: sample(system),
        STORAGE: sample("storage_collection"),
        UNSHIPPED: sample("drive3"),
        "/redfish/v1/Managers/BMC": sample(manager),
        "/redfish/v1/Chassis/1U": sample("chassis") | {"Power": {"@odata.id": f"{CHASSIS}/Power"}},
        f"{CHASSIS}/Power": sample("power"),
    }


@pytest.fixture(params=[False, True], ids=["1.0", "1.20"])
def is_new(request: pytest.FixtureRequest) -> bool:
    """Return whether the system is of the newer schema."""
    return bool(request.param)


@pytest.fixture
async def bmc(tmp_path: Path, *, is_new: bool) -> AsyncIterator[RedfishBmc]:
    authority = Authority(tmp_path)
    fleet = RedfishFleet()
    async with FaultyBmc(authority.issue("samples")) as served:
        served.resources = (
            pages("systemv1_20", "managerv1_18") if is_new else pages("system", "manager")
        )
        address = BmcAddress(
            url=served.url, username=USER, password=Secret(PASSWORD),
            system_path=SYSTEM, tls=TrustCa(authority.pem),
        )  # fmt: skip
        yield fleet.bmc(address)
        await fleet.close()


async def test_power_and_boot_are_read(bmc: RedfishBmc) -> None:
    assert await bmc.power.read() is Power.ON
    boot = await bmc.boot.read()
    assert boot is not None
    assert (boot.device, boot.mode, boot.once) == (BootDevice.PXE, BootMode.UEFI, True)


async def test_the_hardware_is_read(bmc: RedfishBmc, *, is_new: bool) -> None:
    found = await bmc.inventory()
    assert (found.manufacturer, found.model, found.serial) == ("Contoso", "3500", "437XR1138R2")
    assert found.uuid == "38947555-7742-3448-3784-823347823834"
    assert (found.memory_gib, found.cpu_count) == (96, 2)
    assert found.nics == (Nic(name="1", mac="12:44:6a:3b:04:11"),)
    if found.drives is None:
        assert is_new, "it links to no storage but SimpleStorage"
        return
    assert len(found.drives) == 4
    assert found.drives[0] == Drive(kind="hdd", capacity_gb=900, serial="1234567")


async def test_sensors_are_read_and_none_is_critical(bmc: RedfishBmc, *, is_new: bool) -> None:
    told = {(one.name, one.value, one.unit, one.is_well) for one in await bmc.sensors()}
    assert {("CPU Temp", 62.0, "°C", True), ("CPU Fan", 6000.0, "RPM", True)} <= told
    assert ("Power Supply 0", 650.0, "W") in {one[:3] for one in told}
    health = await bmc.health(within_s=600)
    assert health.critical == ()
    assert {"system", "sensors"} | (set() if is_new else {"disks"}) == set(health.told)


async def test_consoles_are_read(bmc: RedfishBmc) -> None:
    ways = {one.kind: one.ways for one in (await bmc.access()).consoles if one.is_enabled}
    assert ways == {
        "serial": ("telnet", "ssh", "ipmi"),
        "graphical": ("kvmip",),
        "shell": ("telnet", "ssh"),
    }
    with pytest.raises(Refused) as told:
        await bmc.screen()
    assert told.value.field == "screen"
