"""What every BMC adapter must do; an adapter's test class inherits and gives `bmc`."""

import asyncio
import time

from app.drivers.bmc.contract import Bmc
from app.drivers.boot import BootDevice
from app.drivers.power import Power


class BmcContract:
    """Needs the fixtures `bmc` (a healthy BMC) and `image_url` (an ISO it can fetch)."""

    async def test_power_follows_and_asking_again_changes_nothing(self, bmc: Bmc) -> None:
        for wanted in (Power.ON, Power.ON, Power.OFF, Power.OFF, Power.ON):
            await bmc.power.ensure(wanted, deadline_s=10)
            assert await bmc.power.read() is wanted

    async def test_what_is_reached_already_is_seen_at_once(self, bmc: Bmc) -> None:
        await bmc.power.ensure(Power.OFF, deadline_s=10)
        started_s = time.monotonic()
        await bmc.power.ensure(Power.OFF, deadline_s=10)
        assert time.monotonic() - started_s < 5

    async def test_a_machine_is_asked_to_stop(self, bmc: Bmc) -> None:
        await bmc.power.ensure(Power.ON, deadline_s=10)
        await bmc.power.shut_down()
        async with asyncio.timeout(10):
            while await bmc.power.read() is not Power.OFF:  # noqa: ASYNC110 - a BMC tells nobody
                await asyncio.sleep(0.1)
        await bmc.power.shut_down()
        assert await bmc.power.read() is Power.OFF

    async def test_boot_device_reads_back(self, bmc: Bmc) -> None:
        for device in (BootDevice.PXE, BootDevice.CD, BootDevice.DISK, BootDevice.PXE):
            assert (await bmc.boot.set_once(device)).device is device

    async def test_media_is_inserted_replaced_and_ejected(self, bmc: Bmc, image_url: str) -> None:
        await bmc.media.eject()
        await bmc.media.insert(image_url)
        await bmc.media.insert(image_url)
        await bmc.media.insert(image_url.replace("boot", "other"))
        await bmc.media.eject()
        await bmc.media.eject()

    async def test_inventory_names_the_network_cards(self, bmc: Bmc) -> None:
        inventory = await bmc.inventory()
        assert inventory.nics
        assert all(nic.mac == nic.mac.lower() and nic.mac.count(":") == 5 for nic in inventory.nics)

    async def test_many_callers_at_once_are_all_answered(self, bmc: Bmc) -> None:
        states = await asyncio.gather(*(bmc.power.read() for _ in range(5)))
        assert len(set(states)) == 1
