"""The boot script language: what runs, what it ends in, and what is refused."""

import pytest

from app.drivers.deploy.netboot import script_of_media
from app.drivers.deploy.spec import Family
from lab.ipxe import BootDisk, BootError, BootKernel, Ipxe, LeaveToFirmware
from tests.drivers.deploy.specs import CALLBACK, spec

PAGES = {
    "http://s/vmlinuz": b"kernel",
    "http://s/initrd": b"ramdisk",
    "http://s/a/next": b"#!ipxe\nkernel ../vmlinuz\nboot\n",
    "http://s/empty": b"",
}


def make(shown: list[str] | None = None) -> tuple[Ipxe, list[str]]:
    fetched: list[str] = []

    async def fetch(url: str) -> bytes:
        fetched.append(url)
        if url not in PAGES:
            raise BootError(f"{url}: HTTP 404")
        return PAGES[url]

    settings = {"net0/mac": "02:00:00:00:00:01", "uuid": "u-1", "serial": "S1"}
    return Ipxe(fetch, (shown if shown is not None else []).append, settings), fetched


async def test_kernel_and_initrd_are_fetched_and_booted() -> None:
    ipxe, fetched = make()
    script = """#!ipxe
    # a comment
    set base http://s
    kernel ${base}/vmlinuz auto=true url=http://s/p?mac=${net0/mac} ds=x;s=${serial} --- quiet
    initrd --name i ${base}/initrd
    boot
    """
    outcome = await ipxe.run(script)
    assert outcome == BootKernel(
        "http://s/vmlinuz",
        ("auto=true", "url=http://s/p?mac=02:00:00:00:00:01", "ds=x;s=S1", "---", "quiet"),
        ("http://s/initrd",),
    )
    assert fetched == ["http://s/vmlinuz", "http://s/initrd"]


async def test_chain_resolves_relative_urls_against_the_script() -> None:
    ipxe, fetched = make()
    assert await ipxe.run("#!ipxe\nchain a/next\n", url="http://s/start") == BootKernel(
        "http://s/vmlinuz", (), ()
    )
    assert fetched == ["http://s/a/next", "http://s/vmlinuz"]


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("#!ipxe\nexit", LeaveToFirmware()),
        ("#!ipxe\n", LeaveToFirmware()),
        ("#!ipxe\nsanboot --no-describe --drive 0x80", BootDisk()),
        ("#!ipxe\nkernel http://s/none || goto disk\nboot\n:disk\nsanboot", BootDisk()),
        ("#!ipxe\nisset ${nothing} && shell || exit", LeaveToFirmware()),
        ("#!ipxe\niseq ${uuid} u-1 && sanboot\nshell", BootDisk()),
    ],
)
async def test_ways_to_the_disk(script: str, outcome: object) -> None:
    ipxe, _ = make()
    assert await ipxe.run(script) == outcome


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("kernel http://s/vmlinuz", "no #!ipxe"),
        ("#!ipxe\nformat-disk now", "command not found"),
        ("#!ipxe\nboot", "no kernel"),
        ("#!ipxe\nkernel http://s/missing\nboot", "HTTP 404"),
        ("#!ipxe\nkernel http://s/empty\nboot", "empty image"),
        ("#!ipxe\nkernel tftp://s/vmlinuz", "not supported"),
        ("#!ipxe\ngoto nowhere", "no such label"),
        ("#!ipxe\n:again\ngoto again", "loops"),
        ("#!ipxe\nshell", "nobody"),
        ('#!ipxe\necho "open', "quotation"),
    ],
)
async def test_refusals(script: str, message: str) -> None:
    ipxe, _ = make()
    with pytest.raises(BootError, match=message):
        await ipxe.run(script)


async def test_echo_reaches_the_console() -> None:
    shown: list[str] = []
    ipxe, _ = make(shown)
    await ipxe.run('#!ipxe\necho  Hello "big  world" ${serial}')
    assert shown == ["Hello big  world S1"]


async def test_who_was_loaded_from_media_has_no_address_of_its_own() -> None:
    ipxe, fetched = make()
    ipxe.is_online, ipxe.lease = False, {"ip": "192.0.2.7"}
    with pytest.raises(BootError, match="Network unreachable"):
        await ipxe.run("#!ipxe\nkernel http://s/vmlinuz\nboot\n")
    assert fetched == []
    set_by_hand = (
        "#!ipxe\nifopen net0\nset net0/ip 192.0.2.8\nkernel http://s/vmlinuz ${netX/ip}\nboot\n"
    )
    assert await ipxe.run(set_by_hand) == BootKernel("http://s/vmlinuz", ("192.0.2.8",), ())
    by_dhcp = "#!ipxe\nclear net0/ip\ndhcp net0\nkernel http://s/vmlinuz ${netX/ip}\nboot\n"
    assert await ipxe.run(by_dhcp) == BootKernel("http://s/vmlinuz", ("192.0.2.7",), ())


async def test_our_boot_iso_finds_the_network_and_its_script() -> None:
    """On the card that the machine is known by, tagged, with the system's own address."""
    wanted = spec(Family.DEBIAN, vlan=120)
    shown: list[str] = []
    ipxe, _ = make(shown)
    ipxe.is_online = False
    ipxe.settings |= {"net0/mac": "02:00:00:00:00:01", "net1/mac": wanted.mac}
    found: list[tuple[str, str | None]] = []

    async def fetch(url: str) -> bytes:
        found.append((url, ipxe.settings.get("net1-120/ip")))
        return (
            PAGES["http://s/vmlinuz"]
            if url == "http://s/vmlinuz"
            else b"#!ipxe\nkernel http://s/vmlinuz\nboot\n"
        )

    ipxe.fetch = fetch
    assert isinstance(await ipxe.run(script_of_media(wanted)), BootKernel)
    assert found[0] == (f"{CALLBACK}/boot.ipxe", wanted.ipv4.address)
