"""Consoles that Redfish BMCs offer, in the vendors' words: what is told, and opened over real SSH."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.drivers.bmc.contract import Access, BmcAddress, Console, ConsolePort
from app.drivers.bmc.fleet import MixedFleet
from app.drivers.bmc.guard import OwnGuard
from app.drivers.bmc.redfish import ssh_line
from app.drivers.bmc.serial_way import SerialOffer, serial_offer, serial_way
from app.drivers.bmc.vendors import Vendor
from app.drivers.errors import Refused, Retriable, Unreachable
from app.drivers.power import Power
from app.drivers.secret import Secret
from app.drivers.serial import MOST_BYTES, SerialLine
from app.drivers.tls import TrustCa
from tests.drivers.bmc.faulty import MANAGER, PASSWORD, USER, FaultyBmc
from tests.drivers.bmc.ssh_console import ENTRY, SshConsole, ssh_console
from tests.drivers.certificates import Authority

GRAPHICAL = {
    "ServiceEnabled": True,
    "MaxConcurrentSessions": 4,
    "ConnectTypesSupported": ["KVMIP"],
}


def of_system(port: int, *, ssh: bool = True, ipmi: bool = True) -> dict[str, Any]:
    """Return `SerialConsole` as DMTF's mock-up of a rack-mount server has it."""
    return {
        "MaxConcurrentSessions": 1,
        "SSH": {
            "ServiceEnabled": ssh,
            "Port": port,
            "SharedWithManagerCLI": True,
            "ConsoleEntryCommand": ENTRY,
            "HotKeySequenceDisplay": "press <Enter>, <Esc>, and then <T> to terminate session",
        },
        "IPMI": {
            "HotKeySequenceDisplay": "Press ~.  - terminate connection",
            "ServiceEnabled": ipmi,
            "Port": 623,
        },
    }


def of_openbmc(port: int) -> dict[str, Any]:
    return {
        "IPMI": {"ServiceEnabled": True},
        "MaxConcurrentSessions": 15,
        "SSH": {
            "HotKeySequenceDisplay": "Press ~. to exit console",
            "Port": port,
            "ServiceEnabled": True,
        },
    }


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("consoles"))


@pytest.fixture
async def peer(authority: Authority) -> AsyncIterator[FaultyBmc]:
    async with FaultyBmc(authority.issue("consoles")) as server:
        yield server


@pytest.fixture
async def fleet() -> AsyncIterator[MixedFleet]:
    fleet = MixedFleet(OwnGuard())
    yield fleet
    await fleet.close()


@pytest.fixture
def address(peer: FaultyBmc, authority: Authority) -> BmcAddress:
    return BmcAddress(
        url=peer.url, username=USER, password=Secret(PASSWORD), tls=TrustCa(authority.pem)
    )


async def heard(line: SerialLine, wanted: bytes) -> bytes:
    """Return what the line says until `wanted` has come."""
    said = b""
    async with asyncio.timeout(30):
        while wanted not in said:
            said += await line.read()
    return said


async def test_a_line_behind_the_command_line_is_opened_by_the_command_that_the_bmc_names(
    fleet: MixedFleet, address: BmcAddress, peer: FaultyBmc
) -> None:
    async with ssh_console(SshConsole(command=ENTRY)) as console:
        peer.system_has["SerialConsole"] = of_system(console.port, ipmi=False)
        with pytest.raises(Refused, match="behind its command line"):
            async with fleet.serial(address):
                pytest.fail("who leaves it may do anything at the BMC")
        assert console.connections == []
        async with fleet.serial(address, by_command_line=True) as line:
            await line.write(b"root")
            said = await heard(line, b"<root>")
            assert b"logged in" not in said, "what the command line says of itself is not shown"
            assert await fleet.bmc(address).power.read() is Power.OFF, "calls go on beside it"
            with pytest.raises(ValueError, match="at most"):
                await line.write(b"x" * (MOST_BYTES + 1))
            await line.write(b"exit")
            with pytest.raises(Unreachable, match="ended the console"):
                await heard(line, b"nothing")
    assert console.typed == [b"root"]
    assert console.terminals == [("xterm", 80, 25)]


async def test_a_line_at_a_port_of_its_own_is_for_everybody_and_ends_with_the_block(
    fleet: MixedFleet, address: BmcAddress, peer: FaultyBmc
) -> None:
    async with ssh_console(SshConsole()) as console:
        peer.system_has["SerialConsole"] = of_openbmc(console.port)
        async with fleet.serial(address) as line:
            await line.write(b"\x03")
            assert await heard(line, b">") == b"<\x03>"
        async with asyncio.timeout(30):
            await console.connections[0].wait_closed()
        async with fleet.serial(address) as line:
            console.connections[1].abort()
            with pytest.raises(Unreachable):
                await heard(line, b"nothing")
            with pytest.raises(Unreachable):
                await line.write(b"x")


async def test_the_key_that_was_shown_first_is_the_only_one_spoken_to(
    fleet: MixedFleet, address: BmcAddress, peer: FaultyBmc
) -> None:
    async with ssh_console(SshConsole()) as console:
        peer.system_has["SerialConsole"] = of_openbmc(console.port)
        async with fleet.serial(address):
            pass
    async with ssh_console(SshConsole(port=console.port)) as other:
        for _ in range(2):
            with pytest.raises(Refused, match="another key than the first time") as caught:
                async with fleet.serial(address):
                    pytest.fail("it may be anybody")
            assert caught.value.field == "host_key"
        assert other.tried == [], "it did not hear the password"


async def test_an_account_that_ssh_does_not_let_in_is_tried_once_and_stays_good_for_redfish(
    fleet: MixedFleet, address: BmcAddress, peer: FaultyBmc
) -> None:
    async with ssh_console(SshConsole(password="another")) as console:
        peer.system_has["SerialConsole"] = of_openbmc(console.port)
        with pytest.raises(Refused, match="by SSH, too") as caught:
            async with fleet.serial(address):
                pytest.fail("it was not let in")
        assert (caught.value.field, console.tried) == ("username", [PASSWORD])
        assert PASSWORD not in f"{caught.value!r}"
    assert await fleet.bmc(address).power.read() is Power.OFF
    with pytest.raises(Unreachable):
        async with fleet.serial(address):
            pytest.fail("nobody is there any more")


async def test_an_ssh_server_that_says_nothing_is_given_up(
    fleet: MixedFleet, address: BmcAddress, peer: FaultyBmc, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as mute:
        peer.system_has["SerialConsole"] = of_openbmc(mute.sockets[0].getsockname()[1])
        monkeypatch.setattr(ssh_line, "OPEN_S", 0.3)
        with pytest.raises(Unreachable, match=r"within 0\.3 s|in time"):
            async with fleet.serial(address):
                pytest.fail("nobody is there")
    assert await fleet.bmc(address).power.read() is Power.OFF


async def test_what_is_told_in_either_way_comes_to_the_same(
    fleet: MixedFleet, address: BmcAddress, peer: FaultyBmc
) -> None:
    async def told() -> Access:
        return await fleet.bmc(address).access()

    assert await told() == Access(vendor=Vendor.GENERIC, consoles=())
    # A manager of before Redfish 1.13, as sushy's samples have it: ways by name alone.
    peer.manager_has = {
        "GraphicalConsole": GRAPHICAL,
        "SerialConsole": {
            "ServiceEnabled": True,
            "MaxConcurrentSessions": 1,
            "ConnectTypesSupported": ["Telnet", "SSH", "IPMI"],
        },
    }
    graphical = Console(kind="graphical", ways=("kvmip",), is_enabled=True)
    serial = Console(kind="serial", ways=("telnet", "ssh", "ipmi"), is_enabled=True)
    assert (await told()).consoles == (serial, graphical)
    peer.manager_has["Oem"] = {"Hpe": {}}
    access = await told()
    assert access.vendor is Vendor.HPE, "whoever's name is on the machine"
    port = ConsolePort(port=22, command="VSP", is_command_line=True)
    assert access.consoles[0].ssh == port
    with pytest.raises(Refused, match="sign in at its own page"):
        await fleet.bmc(address).screen()
    # iDRAC: nothing enabled, though it has one; the system's word goes before the manager's.
    peer.manufacturer = "Dell Inc."
    peer.system_has["SerialConsole"] = of_system(22, ssh=False, ipmi=False)
    access = await told()
    assert access.vendor is Vendor.DELL
    assert serial_offer(access.consoles) is SerialOffer.OFF


def test_which_way_is_taken() -> None:
    there = BmcAddress(url="https://[2001:db8::7]:8443", username="ada", password=Secret("open"))
    shared = ConsolePort(port=22, command="VSP", is_command_line=True)
    alone = ConsolePort(port=2200, is_command_line=False)
    telnet = Console(kind="serial", ways=("telnet",), is_enabled=True)
    unknown = Console(kind="serial", ways=("ssh",), is_enabled=True)

    def ssh(port: ConsolePort, *, is_enabled: bool = True) -> Console:
        return Console(kind="serial", ways=("ssh",), is_enabled=is_enabled, ssh=port)

    def ipmi(*, is_enabled: bool = True) -> Console:
        return Console(kind="serial", ways=("ipmi",), is_enabled=is_enabled)

    for consoles, offer in (
        ((), SerialOffer.NONE),
        ((Console(kind="graphical", ways=("kvmip",), is_enabled=True),), SerialOffer.NONE),
        ((telnet, unknown), SerialOffer.NONE),
        ((telnet, ipmi(is_enabled=False)), SerialOffer.OFF),
        ((ssh(shared), ipmi(is_enabled=False)), SerialOffer.COMMAND_LINE),
        ((ssh(shared), ipmi()), SerialOffer.OPEN),
        ((ssh(alone),), SerialOffer.OPEN),
        ((ssh(alone, is_enabled=False),), SerialOffer.OFF),
    ):
        assert serial_offer(consoles) is offer
        for by_command_line in (False, True):
            if offer.is_open_to(by_command_line=by_command_line):
                assert serial_way(there, consoles, by_command_line=by_command_line)
            else:
                with pytest.raises(Refused):
                    serial_way(there, consoles, by_command_line=by_command_line)

    both = (ssh(shared), ipmi())
    assert serial_way(there, both, by_command_line=True) == shared
    found = serial_way(there, both, by_command_line=False)
    assert isinstance(found, BmcAddress)
    assert (found.protocol, found.url, found.host) == (
        "ipmi",
        "ipmi://[2001:db8::7]",
        "2001:db8::7",
    )
    assert (found.username, found.password.reveal()) == ("ada", "open")
    for consoles, words in (
        ((telnet, unknown), "by ssh, telnet only; open it there: ssh ada@2001:db8::7"),
        ((ipmi(is_enabled=False),), "switched off"),
        ((), "no serial console"),
    ):
        with pytest.raises(Refused, match=words):
            serial_way(there, consoles, by_command_line=True)


async def test_dell_makes_a_session_for_the_screen(
    fleet: MixedFleet, address: BmcAddress, peer: FaultyBmc
) -> None:
    """iDRAC9: the card's service is linked to from the manager, and makes a name for one use."""
    service = f"{MANAGER}/Oem/Dell/DelliDRACCardService"
    action = f"{service}/Actions/DelliDRACCardService.GetKVMSession"
    peer.manufacturer = "Dell Inc."
    peer.manager_has = {
        "GraphicalConsole": GRAPHICAL,
        "Links": {"Oem": {"Dell": {"DelliDRACCardService": {"@odata.id": service}}}},
    }
    peer.resources[service] = {
        "@odata.id": service,
        "Id": "DelliDRACCardService",
        "Actions": {
            "#DelliDRACCardService.GetKVMSession": {"target": action},
            "#DelliDRACCardService.iDRACReset": {"target": f"{service}/Actions/reset"},
        },
    }
    peer.resources[action] = {"TempUsername": "VSCRX", "TempPassword": "a&b"}
    link = urlsplit((await fleet.bmc(address).screen()).reveal())
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{peer.url}/console"
    assert parse_qs(link.query) == {
        "username": [USER],
        "tempUsername": ["VSCRX"],
        "tempPassword": ["a&b"],
    }
    asked = peer.bodies[peer.requests.index(("POST", action))]
    assert 0 < len(asked["SessionTypeName"]) <= 64
    peer.resources[action] = {}
    with pytest.raises(Retriable, match="no session"):
        await fleet.bmc(address).screen()
    peer.manager_has = {}
    with pytest.raises(Refused, match="this firmware has none"):
        await fleet.bmc(address).screen()


async def test_supermicro_tells_an_address_of_the_screen(
    fleet: MixedFleet, address: BmcAddress, peer: FaultyBmc
) -> None:
    where = f"{MANAGER}/Oem/Supermicro/IKVM"
    peer.manufacturer = "Supermicro"
    told = {
        "@odata.type": "#IKVM.v1_0_1.IKVM",
        "@odata.id": where,
        "Id": "IKVM",
        "Name": "IKVM",
        "Current interface": "HTML 5",
        "URI": "/redfish/ohkei8Quei5odeem.IKVM",
    }
    bmc = fleet.bmc(address)
    with pytest.raises(Refused, match="this firmware has none"):
        await bmc.screen()
    peer.resources[where] = told
    assert (await bmc.screen()).reveal() == f"{peer.url}/redfish/ohkei8Quei5odeem.IKVM"
    for elsewhere in ("https://evil.example/x", "//evil.example/x", "javascript:alert(1)"):
        peer.resources[where] = told | {"URI": elsewhere}
        with pytest.raises(Retriable, match="not its own"):
            await bmc.screen()
    peer.resources[where] = {"Id": "IKVM", "Current interface": "JAVA plug-in"}
    with pytest.raises(Refused, match="JAVA plug-in; set it to HTML5"):
        await bmc.screen()
