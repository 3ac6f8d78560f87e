"""The IPMI adapter against OpenIPMI's simulator, pyghmi's server, and a way there that is bad."""

import asyncio
import contextlib
import re
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from app.drivers import registry
from app.drivers.bmc import switch
from app.drivers.bmc.contract import Access, BmcAddress
from app.drivers.bmc.ipmi import IpmiFleet
from app.drivers.bmc.ipmi.fleet import IpmiBmc
from app.drivers.bmc.ipmi.link import Link
from app.drivers.bmc.ipmi.process import Child
from app.drivers.bmc.ipmi.wire import Answer, Ask
from app.drivers.bmc.vendors import Vendor
from app.drivers.boot import BootDevice, BootMode
from app.drivers.errors import NotReached, Refused, Retriable, Unreachable
from app.drivers.power import Power
from tests.drivers.bmc.ipmi_sim import GUID, SERIAL, Simulated, ipmi_sim, ipmitool
from tests.drivers.bmc.relay import SHA1, SHA256, Relay
from tests.drivers.contract.bmc import BmcContract
from tests.drivers.deadline import passes_once
from tests.drivers.process import free_udp_port

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with ipmi_sim(tmp_path_factory.mktemp("ipmi")) as simulated:
        yield simulated


@pytest.fixture
def sim(simulator: Simulated) -> Simulated:
    simulator.begin()
    return simulator


@pytest.fixture(scope="module")
async def kept_fleet() -> AsyncIterator[IpmiFleet]:
    """One for all tests: its nursery takes a moment to start."""
    fleet = registry.load("bmc", "ipmi")()
    await fleet.prepare()
    yield fleet
    await fleet.close()


@pytest.fixture
async def fleet(kept_fleet: IpmiFleet) -> AsyncIterator[IpmiFleet]:
    yield kept_fleet
    for link in kept_fleet._links.values():
        await link.close()
    kept_fleet._links.clear()
    kept_fleet._guard.__init__()  # type: ignore[misc]


@pytest.fixture
def address(sim: Simulated) -> BmcAddress:
    return sim.address


@pytest.fixture
def bmc(fleet: IpmiFleet, address: BmcAddress) -> IpmiBmc:
    return fleet.bmc(address)


@pytest.fixture
def image_url() -> str:
    return "http://192.0.2.1/boot.iso"


class TestSimulator(BmcContract):
    """The contract, against the simulator."""

    has_media = False
    names_cards = False

    async def test_another_program_sees_the_same(self, bmc: IpmiBmc, sim: Simulated) -> None:
        for wanted in (Power.ON, Power.OFF):
            await bmc.power.ensure(wanted, deadline_s=60)
            assert sim.says("chassis", "power", "status") == f"Chassis Power is {wanted}"
        await bmc.boot.set_once(BootDevice.CD)
        assert "Force Boot from CD/DVD" in sim.says("chassis", "bootparam", "get", "5")
        (sensor,) = await bmc.sensors()
        assert re.search(rf"CPU Temp .*\| {sensor.value:.3f}", sim.says("sensor"))
        inventory = await bmc.inventory()
        assert inventory.serial == SERIAL
        assert inventory.manufacturer == "Exa"
        assert str(inventory.uuid).replace("-", "").lower()[16:] == GUID[16:]

    async def test_a_deaf_machine_loses_its_power(self, bmc: IpmiBmc, sim: Simulated) -> None:
        await bmc.power.ensure(Power.ON, deadline_s=60)
        sim.fail("deaf")
        async with passes_once(switch, lambda: sim.looked_since("shutdown 1")):
            assert await bmc.power.stop(patience_s=0.5, deadline_s=60) is True
        assert sim.orders() == ["power 1", "shutdown 1", "power 0"]

    async def test_a_hard_off_does_not_wait_for_a_soft_one(
        self, bmc: IpmiBmc, sim: Simulated
    ) -> None:
        """baremetal-operator#1277."""
        await bmc.power.ensure(Power.ON, deadline_s=60)
        sim.fail("deaf")
        soft = asyncio.create_task(bmc.power.stop(patience_s=PATIENCE_S, deadline_s=60))
        while sim.looked_since("shutdown 1") < 3:  # noqa: ASYNC110 - a script writes a file
            await asyncio.sleep(0.02)
        started_s = time.monotonic()
        await bmc.power.ensure(Power.OFF, deadline_s=60)
        assert time.monotonic() - started_s < PATIENCE_S
        assert await soft is False

    async def test_an_order_that_is_accepted_and_ignored_is_no_success(
        self, bmc: IpmiBmc, sim: Simulated
    ) -> None:
        sim.fail("ignore")
        async with passes_once(switch, lambda: sim.looked_since("power 1") > 1):
            with pytest.raises(NotReached) as caught:
                await bmc.power.ensure(Power.ON, deadline_s=1)
        assert (caught.value.wanted, caught.value.seen) == ("on", "off")
        assert sim.orders() == ["power 1"]
        with pytest.raises(Refused, match=r"cd was accepted, yet no override"):
            await bmc.boot.set_once(BootDevice.CD)

    async def test_what_it_cannot_do_now_is_told_in_its_words(
        self, bmc: IpmiBmc, sim: Simulated
    ) -> None:
        sim.fail("refuse")
        with pytest.raises(Retriable, match="completion code 0xff: Unspecified"):
            await bmc.power.read()

    async def test_a_boot_device_it_does_not_have_is_refused(self, bmc: IpmiBmc) -> None:
        with pytest.raises(Refused, match="no uefi_http"):
            await bmc.boot.set_once(BootDevice.UEFI_HTTP)

    async def test_after_its_restart_it_is_signed_in_to_again(
        self, bmc: IpmiBmc, sim: Simulated
    ) -> None:
        await bmc.power.ensure(Power.ON, deadline_s=60)
        await bmc.cold_reset()
        assert await bmc.power.read() is Power.ON


async def test_a_turn_knows_whether_the_credentials_were_shown_in_it_and_taken(
    fleet: IpmiFleet, bmc: IpmiBmc, sim: Simulated, address: BmcAddress
) -> None:
    turn = fleet._guard._known[address.peer].turn
    sim.fail("refuse")
    with pytest.raises(Retriable):
        await bmc.power.read()
    assert not turn.signed_in, "it may be the sign-in that it refused"
    (sim.folder / "refuse").unlink()
    for is_first in (True, False):
        await bmc.power.read()
        assert turn.signed_in is is_first
        turn.signed_in = False


@pytest.fixture
async def relay(sim: Simulated) -> AsyncIterator[Relay]:
    async with Relay(sim.port) as relay:
        yield relay


@pytest.fixture
def far(fleet: IpmiFleet, relay: Relay, address: BmcAddress) -> IpmiBmc:
    url = f"ipmi://127.0.0.1:{relay.front_port}"
    return fleet.bmc(msgspec.structs.replace(address, url=url))


def children(fleet: IpmiFleet) -> list[psutil.Process]:
    process = fleet._nursery._process
    found = [] if process is None else psutil.Process(process.pid).children()
    return [child for child in found if child.status() != psutil.STATUS_ZOMBIE]


def known(fleet: IpmiFleet) -> list[int]:
    """Return the processes that calls go to."""
    return [link._child._pid for link in fleet._links.values() if link._child is not None]


async def alone(fleet: IpmiFleet, *processes: psutil.Process) -> bool:
    """Return once these are all that the fleet has."""
    async with asyncio.timeout(30):
        while set(children(fleet)) != set(processes):  # noqa: ASYNC110 - they end without a word
            await asyncio.sleep(0.05)
    return True


async def opened(relay: Relay) -> None:
    """Return once a session has been asked for."""
    async with asyncio.timeout(30):
        while not relay.opened:  # noqa: ASYNC110 - the relay records, it does not signal
            await asyncio.sleep(0.01)


class TestBadWay:
    """Between us and the simulator."""

    async def test_one_that_falls_silent_after_open_session_is_killed_and_alone(
        self, fleet: IpmiFleet, bmc: IpmiBmc, far: IpmiBmc, relay: Relay
    ) -> None:
        """Pyghmi's constructor hangs for ever there."""
        await bmc.power.ensure(Power.ON, deadline_s=60)
        (healthy,) = children(fleet)
        relay.silent_after_open = True
        hung = asyncio.create_task(far._link.call("read_power", answer_s=600.0))
        await opened(relay)
        for _ in range(5):
            assert await bmc.power.read() is Power.ON
        assert len(children(fleet)) == 2
        hung.cancel()
        await asyncio.gather(hung, return_exceptions=True)
        with pytest.raises(Unreachable, match=r"no answer within 2\.8 s"):
            await far.power.read()
        assert await alone(fleet, healthy)
        assert healthy.is_running()
        relay.silent_after_open = False
        assert await far.power.read() is Power.ON

    async def test_one_that_hangs_is_killed_by_who_waits_for_it(
        self, fleet: IpmiFleet, far: IpmiBmc, relay: Relay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its own alarm, which would end it at the same moment, is set for much later."""
        ask = Child.ask

        async def ask_with_a_late_alarm(child: Child, question: Ask) -> Answer:
            return await ask(child, msgspec.structs.replace(question, deadline_s=600.0))

        monkeypatch.setattr(Child, "ask", ask_with_a_late_alarm)
        relay.silent_after_open = True
        with pytest.raises(Unreachable):
            await far.power.read()
        _, alive = psutil.wait_procs(children(fleet), timeout=20)
        assert alive == []

    async def test_one_that_hangs_ends_by_itself_though_nobody_kills_it(
        self,
        fleet: IpmiFleet,
        far: IpmiBmc,
        relay: Relay,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """As where the worker died that waits for it."""
        monkeypatch.setattr(Child, "kill", Child._leave)
        relay.silent_after_open = True
        with pytest.raises(Unreachable):
            await far.power.read()
        _, alive = psutil.wait_procs(children(fleet), timeout=20)
        assert alive == []

    async def test_the_answer_to_a_call_that_was_given_up_is_nobody_elses(
        self, far: IpmiBmc, relay: Relay
    ) -> None:
        await far.power.read()
        relay.slow_s = 0.2
        given_up = asyncio.create_task(far.power.read())
        await asyncio.sleep(0.05)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        relay.slow_s = 0
        assert (await far.boot.set_once(BootDevice.PXE)).device is BootDevice.PXE

    async def test_one_that_takes_two_seconds_is_read(self, far: IpmiBmc, relay: Relay) -> None:
        relay.slow_s = 0.25
        started_s = time.monotonic()
        assert await far.power.read() in {Power.ON, Power.OFF}
        assert time.monotonic() - started_s > 0.25 * 7
        assert relay.answered >= 7, "sign-in is six answers, and then there is one"

    async def test_a_suite_that_is_refused_is_not_offered_again(
        self, fleet: IpmiFleet, far: IpmiBmc, relay: Relay, address: BmcAddress
    ) -> None:
        await far.power.read()
        assert relay.opened == [SHA256, SHA1]
        await self._sign_in_anew(fleet, far)
        assert relay.opened == [SHA256, SHA1, SHA1]

    async def test_a_suite_that_is_met_with_silence_is_left_in_time(
        self, fleet: IpmiFleet, far: IpmiBmc, relay: Relay
    ) -> None:
        relay.deaf_to_sha256 = True
        assert await far.power.read() is Power.OFF
        assert set(relay.opened) == {SHA1}
        await self._sign_in_anew(fleet, far)

    async def test_sessions_are_reused_and_closed(
        self, fleet: IpmiFleet, far: IpmiBmc, relay: Relay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.drivers.bmc.ipmi.link.IDLE_S", 0.3)
        for _ in range(3):
            await far.power.read()
        assert relay.opened.count(SHA1) == relay.clients == 1
        assert await alone(fleet)
        # Five are all that the simulator has for this user.
        for _ in range(7):
            await self._sign_in_anew(fleet, far)

    async def test_lost_packets_are_borne(self, far: IpmiBmc, relay: Relay) -> None:
        await far.power.read()
        relay.lose = 1
        assert await far.power.read() is Power.OFF

    async def test_one_that_dies_under_a_session_is_unreachable_and_then_there_again(
        self, far: IpmiBmc, relay: Relay
    ) -> None:
        await far.power.read()
        relay.dead = True
        with pytest.raises(Unreachable):
            await far.power.read()
        relay.dead = False
        assert await far.power.read() is Power.OFF

    async def _sign_in_anew(self, fleet: IpmiFleet, far: IpmiBmc) -> None:
        link: Link = far._link
        await link.close()
        assert await far.power.read() is Power.OFF


async def test_a_nursery_that_was_killed_is_replaced(fleet: IpmiFleet, bmc: IpmiBmc) -> None:
    await bmc.power.read()
    process = fleet._nursery._process
    assert process is not None
    process.kill()
    await process.wait()
    await bmc._link.close()
    assert await bmc.power.read() is Power.OFF


async def test_a_nursery_that_was_given_up_as_it_started_takes_no_child_for_another(
    address: BmcAddress, sim: Simulated
) -> None:
    """What is killed later is the child that hangs, and not the one that was born before it."""
    fleet = IpmiFleet()
    starting = asyncio.create_task(fleet.prepare())
    while fleet._nursery._process is None:  # noqa: ASYNC110 - nobody tells that it was begun
        await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    async with Relay(sim.port) as relay:
        url = f"ipmi://127.0.0.1:{relay.front_port}"
        bmcs = [fleet.bmc(where) for where in (address, msgspec.structs.replace(address, url=url))]
        for bmc in bmcs:
            assert await bmc.power.read() is Power.OFF
        assert len(known(fleet)) == len(bmcs)
        assert await alone(fleet, *(psutil.Process(pid) for pid in known(fleet)))
        await fleet.close()


async def test_that_the_nursery_is_gone_is_seen_while_its_children_live(
    fleet: IpmiFleet, bmc: IpmiBmc
) -> None:
    """Who is waiting for a birth then would wait as long as a serial console is open."""
    await bmc.power.read()
    process, control = fleet._nursery._process, fleet._nursery._control
    assert process is not None
    assert control is not None
    assert children(fleet)
    process.kill()
    await process.wait()
    async with asyncio.timeout(30):
        assert await asyncio.get_running_loop().sock_recv(control, 1) == b""


async def test_when_all_places_are_taken_the_longest_idle_makes_room(
    fleet: IpmiFleet, address: BmcAddress, sim: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet._nursery, "_room", asyncio.Semaphore(2))
    async with Relay(sim.port) as first, Relay(sim.port) as second, Relay(sim.port) as third:
        for relay in (first, second, third, first):
            url = f"ipmi://127.0.0.1:{relay.front_port}"
            far = fleet.bmc(msgspec.structs.replace(address, url=url))
            assert await far.power.read() is Power.OFF
        assert (first.clients, second.clients, third.clients) == (2, 1, 1)
        (gone,) = [link for link in fleet._links.values() if link._child is None]
        assert gone.peer.endswith(f":{second.front_port}")
        assert await alone(fleet, *(psutil.Process(pid) for pid in known(fleet)))


@pytest.fixture
async def flagged(fleet: IpmiFleet, address: BmcAddress) -> AsyncIterator[IpmiBmc]:
    async with _flagged(fleet, address) as (bmc, _):
        yield bmc


@contextlib.asynccontextmanager
async def _flagged(
    fleet: IpmiFleet, address: BmcAddress, *kind: str
) -> AsyncIterator[tuple[IpmiBmc, int]]:
    """Run a BMC of `flagged.py`; gives it and its port."""
    port = free_udp_port()
    program = Path(__file__).with_name("flagged.py")
    process = await asyncio.create_subprocess_exec(sys.executable, str(program), str(port), *kind)
    bmc = fleet.bmc(msgspec.structs.replace(address, url=f"ipmi://127.0.0.1:{port}"))
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    await bmc.power.read()
                    break
                except Unreachable:
                    assert process.returncode is None
        yield bmc, port
    finally:
        process.kill()
        await process.wait()


async def test_flags_are_verified_where_a_bmc_keeps_them(flagged: IpmiBmc) -> None:
    """bmclib#459: accepted, and legacy; and a device that was accepted and is not set."""
    override = await flagged.boot.set_once(BootDevice.PXE, mode=BootMode.LEGACY)
    assert (override.device, override.mode, override.once) == (
        BootDevice.PXE,
        BootMode.LEGACY,
        True,
    )
    with pytest.raises(Refused, match=r"pxe was accepted, yet pxe \(legacy\) is set"):
        await flagged.boot.set_once(BootDevice.PXE, mode=BootMode.UEFI)
    with pytest.raises(Refused, match="cd was accepted, yet pxe"):
        await flagged.boot.set_once(BootDevice.CD)
    with pytest.raises(NotReached):
        await flagged.power.ensure(Power.OFF, deadline_s=0.6)
    assert await flagged.access() == Access(vendor=Vendor.GENERIC, consoles=())
    assert await flagged.sensors() == ()
    with pytest.raises(Refused, match="power: completion code 0xcc"):
        await flagged.power.reset()


async def test_flags_are_sent_as_another_program_reads_them(
    fleet: IpmiFleet, address: BmcAddress
) -> None:
    """They stay when the machine takes more than 60 s to restart, and say UEFI and once."""
    async with _flagged(fleet, address, "all") as (bmc, port):
        override = await bmc.boot.set_once(BootDevice.PXE, mode=BootMode.UEFI)
        assert override == await bmc.boot.read()
        assert (override.device, override.mode, override.once) == (
            BootDevice.PXE,
            BootMode.UEFI,
            True,
        )
        flags = await asyncio.to_thread(ipmitool, port, "chassis", "bootparam", "get", "5")
        for words in ("Boot Flag Valid", "only next boot", "BIOS EFI boot", "Force PXE"):
            assert words in flags
        clearing = await asyncio.to_thread(ipmitool, port, "chassis", "bootparam", "get", "3")
        assert "Don't automatically clear boot flag valid bit on timeout" in clearing
        assert (await bmc.boot.set_once(BootDevice.DISK, mode=BootMode.LEGACY)).mode is (
            BootMode.LEGACY
        )
