"""The serial console over IPMI, against OpenIPMI's simulator whose serial line answers."""

import asyncio
from collections.abc import Iterator

import pytest

from app.drivers.bmc.fleet import MixedFleet
from app.drivers.bmc.guard import OwnGuard
from app.drivers.bmc.ipmi import IpmiFleet, serial
from app.drivers.bmc.ipmi.process import Child
from app.drivers.bmc.ipmi.serial import IpmiLine
from app.drivers.bmc.ipmi.wire import Answer
from app.drivers.errors import Busy, InUse, Unreachable
from app.drivers.serial import MOST_BYTES, SerialLine
from tests.drivers.bmc.ipmi_sim import Simulated, ipmi_sim
from tests.drivers.bmc.serial_machine import serial_machine


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    folder = tmp_path_factory.mktemp("serial")
    with serial_machine() as line, ipmi_sim(folder, serial=line) as simulated:
        yield simulated


async def heard(line: SerialLine, wanted: bytes) -> bytes:
    """Return what the line says until `wanted` has come."""
    said = b""
    async with asyncio.timeout(30):
        while wanted not in said:
            said += await line.read()
    return said


async def test_a_console_that_is_opened_again_is_not_mute(sim: Simulated) -> None:
    """The simulator takes the first number of a session for the last one of the session before."""
    fleet = IpmiFleet()
    try:
        for typed in (b"one", b"two", b"three"):
            async with fleet.serial(sim.address) as line:
                await line.write(typed)
                assert await heard(line, typed + b">") == b"<" + typed + b">"
        async with fleet.serial(sim.address) as line:
            power = await fleet.bmc(sim.address).power.read()
            assert power.value == "off", "calls go on beside it"
            await line.write(b"x" * MOST_BYTES)
            said = b""
            async with asyncio.timeout(30):
                while said.count(b"x") < MOST_BYTES:
                    said += await line.read()
            assert said.count(b"x") == MOST_BYTES, "all of it, once"
            with pytest.raises(ValueError, match="at most"):
                await line.write(b"x" * (MOST_BYTES + 1))
        assert "true" in sim.says("sol", "info").lower()
    finally:
        await fleet.close()


async def test_there_is_one_console_and_who_takes_it_over_ends_the_other(sim: Simulated) -> None:
    fleet, other = IpmiFleet(), IpmiFleet()
    try:
        async with fleet.serial(sim.address) as line:
            await line.write(b"mine")
            await heard(line, b"mine>")
            with pytest.raises(InUse, match="active for another client"):
                async with other.serial(sim.address):
                    pytest.fail("it was open already")
            async with other.serial(sim.address, take_over=True) as taken:
                await taken.write(b"theirs")
                assert b"<theirs>" in await heard(taken, b"theirs>")
        fleet._consoles = asyncio.Semaphore(0)
        with pytest.raises(Busy, match="close one"):
            async with fleet.serial(sim.address):
                pytest.fail("calls of other BMCs have no process left")
    finally:
        await fleet.close()
        await other.close()


async def test_a_console_that_is_given_up_as_it_opens_does_not_refuse_the_next(
    sim: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between activation and answer, it is active for nobody until the BMC forgets it."""
    fleet, stranger = IpmiFleet(), IpmiFleet()
    answered = serial._answered

    async def lost(child: Child, peer: str, *, take_over: bool) -> Answer:
        assert (await answered(child, peer, take_over=take_over)).fault is None
        raise Unreachable(peer, "the answer was lost")

    try:
        with monkeypatch.context() as patch:
            patch.setattr(serial, "_answered", lost)
            with pytest.raises(Unreachable, match="was lost"):
                async with fleet.serial(sim.address):
                    pytest.fail("nobody knows that it is open")
        with pytest.raises(InUse):
            async with stranger.serial(sim.address):
                pytest.fail("it is active, and a stranger cannot know for whom")
        async with fleet.serial(sim.address) as line:
            await line.write(b"again")
            await heard(line, b"again>")
            with pytest.raises(InUse):
                async with fleet.serial(sim.address):
                    pytest.fail("that one is somebody's")
    finally:
        await fleet.close()
        await stranger.close()


async def test_a_line_ends_with_its_process(sim: Simulated) -> None:
    guard = OwnGuard()
    fleet = MixedFleet(guard)
    try:
        async with fleet.serial(sim.address, take_over=True) as line:
            assert isinstance(line, IpmiLine)
            assert guard._known[sim.address.peer].turn.signed_in
            line._child.kill()
            with pytest.raises(Unreachable, match="has ended"):
                await heard(line, b"nothing")
    finally:
        await fleet.close()
