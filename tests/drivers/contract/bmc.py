"""What every BMC adapter must do; an adapter's test class inherits and gives its fixtures."""

import asyncio
import time
from typing import ClassVar

import msgspec
import pytest

from app.drivers.bmc.contract import Bmc, BmcAddress, BmcFleet
from app.drivers.bmc.guard import LockedOut
from app.drivers.boot import BootDevice
from app.drivers.errors import Refused, Unauthorised, Unreachable
from app.drivers.power import Power
from app.drivers.secret import Secret
from tests.drivers.process import free_udp_port


class BmcContract:
    """Needs `fleet`, `address` (a healthy BMC's), `bmc` and `image_url` (an ISO it can fetch)."""

    has_media: ClassVar[bool] = True
    names_cards: ClassVar[bool] = True

    async def test_power_follows_and_asking_again_changes_nothing(self, bmc: Bmc) -> None:
        for wanted in (Power.ON, Power.ON, Power.OFF, Power.OFF, Power.ON):
            await bmc.power.ensure(wanted, deadline_s=60)
            assert await bmc.power.read() is wanted

    async def test_what_is_reached_already_is_seen_at_once(self, bmc: Bmc) -> None:
        await bmc.power.ensure(Power.OFF, deadline_s=60)
        started_s = time.monotonic()
        await bmc.power.ensure(Power.OFF, deadline_s=60)
        assert time.monotonic() - started_s < 5

    async def test_there_is_no_way_to_ask_for_an_unknown_state(self, bmc: Bmc) -> None:
        with pytest.raises(ValueError, match="on or off"):
            await bmc.power.ensure(Power.UNKNOWN, deadline_s=1)

    async def test_a_machine_is_asked_to_stop(self, bmc: Bmc) -> None:
        await bmc.power.ensure(Power.ON, deadline_s=60)
        assert await bmc.power.stop(patience_s=60, deadline_s=60) is False
        assert await bmc.power.read() is Power.OFF
        await bmc.power.shut_down()
        assert await bmc.power.stop(patience_s=60, deadline_s=60) is False
        assert await bmc.power.read() is Power.OFF

    async def test_off_and_on_again(self, bmc: Bmc) -> None:
        for _ in range(2):
            await bmc.power.cycle(deadline_s=60)
            assert await bmc.power.read() is Power.ON

    async def test_only_a_running_machine_is_reset(self, bmc: Bmc) -> None:
        await bmc.power.ensure(Power.ON, deadline_s=60)
        await bmc.power.reset()
        await bmc.power.ensure(Power.ON, deadline_s=60)
        await bmc.power.ensure(Power.OFF, deadline_s=60)
        with pytest.raises(Refused) as caught:
            await bmc.power.reset()
        assert caught.value.field == "power"
        assert await bmc.power.read() is Power.OFF

    async def test_boot_device_reads_back(self, bmc: Bmc) -> None:
        for device in (BootDevice.PXE, BootDevice.CD, BootDevice.DISK, BootDevice.PXE):
            told = await bmc.boot.set_once(device)
            assert told.device is device
            assert await bmc.boot.read() == told

    async def test_media_is_inserted_replaced_and_ejected(self, bmc: Bmc, image_url: str) -> None:
        if not self.has_media:
            with pytest.raises(Refused) as caught:
                await bmc.media.insert(image_url)
            assert caught.value.field == "media"
            return
        await bmc.media.eject()
        await bmc.media.insert(image_url)
        await bmc.media.insert(image_url)
        await bmc.media.insert(image_url.replace("boot", "other"))
        await bmc.media.eject()
        await bmc.media.eject()

    async def test_inventory(self, bmc: Bmc) -> None:
        inventory = await bmc.inventory()
        assert inventory.uuid
        assert bool(inventory.nics) is self.names_cards
        assert all(nic.mac == nic.mac.lower() and nic.mac.count(":") == 5 for nic in inventory.nics)

    async def test_sensors_have_names_values_and_units(self, bmc: Bmc) -> None:
        sensors = await bmc.sensors()
        assert ("CPU Temp", "°C", True) in {
            (each.name, each.unit, each.is_well) for each in sensors
        }
        assert all(each.value for each in sensors if each.unit == "°C")

    async def test_a_machine_that_is_well_has_nothing_critical(self, bmc: Bmc) -> None:
        health = await bmc.health(within_s=600)
        assert health.critical == ()
        assert "sensors" in health.told

    async def test_consoles_are_of_known_kinds(self, bmc: Bmc) -> None:
        kinds = {console.kind for console in (await bmc.access()).consoles}
        assert kinds <= {"serial", "graphical", "shell"}
        with pytest.raises(Refused) as caught:
            await bmc.screen()
        assert caught.value.field == "screen"

    async def test_many_callers_at_once_are_all_answered(self, bmc: Bmc) -> None:
        states = await asyncio.gather(*(bmc.power.read() for _ in range(5)))
        assert len(set(states)) == 1

    async def test_a_call_that_is_given_up_spoils_no_other(self, bmc: Bmc) -> None:
        for pause_s in (0.0, 0.005, 0.03):
            call = asyncio.create_task(bmc.power.read())
            await asyncio.sleep(pause_s)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        assert await bmc.power.read() in {Power.ON, Power.OFF}

    async def test_rejected_credentials_are_shown_once(
        self, fleet: BmcFleet, address: BmcAddress
    ) -> None:
        """Three wrong passwords lock an account; ours is shown once, by whichever object."""
        intruder = msgspec.structs.replace(address, password=Secret("guess-me"))
        with pytest.raises(Unauthorised) as caught:
            await fleet.bmc(intruder).power.read()
        assert not isinstance(caught.value, LockedOut)
        assert "guess-me" not in f"{caught.value} {caught.value!r} {intruder!r}"
        for _ in range(2):
            with pytest.raises(LockedOut, match="server's page"):
                await fleet.bmc(intruder).boot.read()
        assert await fleet.bmc(address).power.read() in {Power.ON, Power.OFF}

    async def test_nobody_there(self, fleet: BmcFleet, address: BmcAddress) -> None:
        scheme = address.url.partition("://")[0]
        nobody = msgspec.structs.replace(address, url=f"{scheme}://127.0.0.1:{free_udp_port()}")
        started_s = time.monotonic()
        with pytest.raises(Unreachable):
            await fleet.bmc(nobody).power.read()
        assert time.monotonic() - started_s < 10
