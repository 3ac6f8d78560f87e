"""Slipway's own boot scripts and answers, run by the lab's installers from end to end."""

import asyncio
import contextlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.inventory.fitness import Sold, hardware_faults
from app.domain.inventory.seed import DiskSeed
from app.domain.services.report_hardware import read_seen
from app.drivers.deploy.netboot import Netboot
from app.drivers.deploy.netboot.passwords import hash_password
from app.drivers.deploy.spec import DiskKind, Disks, Family, InstallSpec, Ipv4, Ipv6
from app.solver.want import DiskKind as SoldKind
from lab.faults import Fault
from lab.fleet import Hardware, machine
from lab.installers import InstallError, finished_system, load, run
from lab.installers.debian import parse
from lab.installers.run import SYSLOG
from lab.ipxe import BootKernel, Ipxe, LeaveToFirmware
from lab.machine import dhcp_lease
from lab.pace import Pace
from lab.shell import Shell
from lab.shell_programs import PROGRAMS
from lab.store import InstalledSystem
from tests.lab.test_shell import Wire

HARDWARE = machine(0, 1)
BASE = "http://slipway.test/netboot/t0ken"
IMAGES = {f"http://mirror.test/{name}": "image" for name in ("vmlinuz", "initrd", "live.iso")}
HASH = hash_password("correct horse")
KEY = (
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG0vTq1xqkq5xqX5b1JvVZ5vYw8Yt1lq1l6b1Jv5xqXa "it\'s" $(me)'
)
RICH: dict[str, Any] = {
    "ssh_keys": (KEY,),
    "root_password_hash": None,
    "extra_ipv4": ("127.16.0.30",),
    "ipv6": Ipv6(address="2001:db8:1::2", prefixlen=64, gateway="2001:db8:1::1"),
    "vlan": 120,
    "ssh_port": 2222,
    "disks": Disks(kind=DiskKind.NVME, raid=1, count=2),
    "post_install": 'echo "ready" > /root/ready\n',
}


class Card(Wire):
    """A network card that only reaches what `pages` has."""

    user_agent = ""


def spec_of(family: Family, **changes: Any) -> InstallSpec:
    facts: dict[str, Any] = {
        "os_key": "debian-12",
        "family": family,
        "release": "x",
        "kernel_url": "http://mirror.test/vmlinuz",
        "initrd_url": "http://mirror.test/initrd",
        "image_url": "http://mirror.test/live.iso",
        "mirror_url": "http://mirror.test/os",
        "hostname": "web-1",
        "domain": "customer.example.com",
        "mac": HARDWARE.mac,
        "ipv4": Ipv4(address="127.16.0.20", prefixlen=24, gateway="127.16.0.1"),
        "nameservers": ("192.0.2.53",),
        "root_password_hash": HASH,
        "disks": Disks(kind=DiskKind.NVME),
        "callback_base": BASE,
    }
    return InstallSpec(**(facts | changes))


async def install(spec: InstallSpec, card: Card, fault: str | None = None) -> InstalledSystem:
    card.pages |= IMAGES | {f"{BASE}/{name}": "" for name in ("progress", "done", "failed")}
    card.pages |= {
        f"{BASE}/{name}": document.body for name, document in Netboot().documents(spec).items()
    }

    async def fetch(url: str) -> bytes:
        return (await card.request("GET", url)).body

    lease = {f"netX/{key}": value for key, value in dhcp_lease(HARDWARE.mac).items()}
    settings = {"platform": "efi", "net0/mac": HARDWARE.mac, **lease}
    boot = await Ipxe(fetch, lambda _text: None, settings).run(Netboot().boot_script(spec))
    assert isinstance(boot, BootKernel)
    plan = await load(boot, HARDWARE, card)  # type: ignore[arg-type] # a card without a wire
    shown: list[str] = []
    broken = Fault.parse(fault) if fault else None
    files = await run(
        plan,
        pace=Pace(20_000),
        requests=card,
        show=shown.append,
        fault=lambda: broken,
        erase=lambda: None,
    )
    assert not [line for line in shown if "sh:" in line or "not found" in line], shown
    assert plan.reboots
    return finished_system(plan, files, boot.kernel_url, "key")


def reports(card: Card) -> list[tuple[str, dict[str, list[str]]]]:
    return [
        (urlsplit(url).path.rsplit("/", 1)[-1], parse_qs(body))
        for method, url, body in card.sent
        if method == "POST"
    ]


@pytest.mark.parametrize("family", Family)
async def test_plain_install(family: Family) -> None:
    card = Card()
    system = await install(spec_of(family), card)
    assert (system.ipv4, system.prefix_length, system.gateway) == ("127.16.0.20", 24, "127.16.0.1")
    assert system.hostname.split(".")[0] == "web-1"
    assert system.accounts["root"].password_hash == HASH
    assert system.root_password_logins
    sent = reports(card)
    assert [name for name, _ in sent].count("done") == 1
    assert "failed" not in [name for name, _ in sent]
    # At this pace debian-installer's watcher may come too late, or not at all.
    percents = [
        int(form["percent"][0])
        for name, form in sent
        if name == "progress" and form["stage"] != ["boot-loader"]
    ]
    assert percents == sorted(percents)
    assert len(percents) >= 4
    (told,) = [form for name, form in sent if name == "hardware"]
    seen = read_seen({name: values[0] for name, values in told.items()})
    assert list(hardware_faults(sold(HARDWARE), seen)) == []
    assert (seen.cores, seen.sockets) == (HARDWARE.cpu_cores, HARDWARE.cpu_count)
    assert seen.memory_mib == HARDWARE.ram_gb * 1_024
    assert len(seen.disks or ()) == sum(group.count for group in HARDWARE.disks)


@pytest.mark.parametrize("family", Family)
async def test_install_with_everything(family: Family) -> None:
    card = Card()
    system = await install(spec_of(family, **RICH), card)
    assert (system.ipv4, system.prefix_length, system.gateway) == ("127.16.0.20", 24, "127.16.0.1")
    assert system.extra_ipv4 == ["127.16.0.30"]
    assert system.ipv6 == "2001:db8:1::2/64"
    assert set(system.accounts["root"].authorized_keys) == {KEY}
    assert system.accounts["root"].password_hash is None
    assert (system.ssh_port, system.password_logins) == (2222, False)
    assert system.files["/root/ready"] == "ready\n"


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("sizes", [(HARDWARE.disks[0].capacity_gb,) * 2, (1, 2)])
async def test_a_layout_finds_its_disks_or_erases_nothing(
    family: Family, sizes: tuple[int, int]
) -> None:
    card = Card()
    disks = Disks(kind=DiskKind.NVME, raid=1, count=2, sizes_gb=sizes, lvm=True)
    fits = sizes != (1, 2)
    with contextlib.nullcontext() if fits else contextlib.suppress(InstallError):
        await install(spec_of(family, disks=disks), card)
    sent = reports(card)
    told = [form["message"][0] for name, form in sent if name == "failed"]
    if fits:
        assert told == []
        assert [name for name, _ in sent].count("done") == 1
    else:
        assert (
            told[0] == "the layout takes 2 NVMe disks of 1 to 2 GB, and the machine has 0 of them"
        )


async def test_debians_watcher_tells_once_of_the_boot_loader_and_of_a_failure() -> None:
    card = Card()
    card.pages = {f"{BASE}/{name}": "" for name in ("progress", "failed")}
    preseed = Netboot().documents(spec_of(Family.DEBIAN))["preseed.cfg"].body
    menu = "main-menu[259]: INFO: Menu item '{}' selected\n"
    logged = ["", menu.format("pkgsel"), menu.format("grub-installer"), "",
              "main-menu[259]: (process:1): failed with error code 1\n"]  # fmt: skip

    async def sleep(seconds: float) -> None:
        assert seconds == 5
        log = shell.files.get(SYSLOG, "")
        shell.files[SYSLOG] = log + logged.pop(0)

    shell = Shell(card, lambda _text: None, PROGRAMS, sleep=sleep)
    await shell.run(parse(preseed)["preseed/early_command"])
    await asyncio.gather(*shell.jobs.background)
    told = [(name, form["stage"]) for name, form in reports(card)]
    assert sorted(told) == [
        ("failed", ["installer"]), ("progress", ["boot-loader"]), ("progress", ["installer"]),
    ]  # fmt: skip
    assert not logged


@pytest.mark.parametrize("family", Family)
async def test_failed_step_is_reported(family: Family) -> None:
    card = Card()
    with pytest.raises(InstallError):
        await install(spec_of(family), card, "install-fails:4")
    names = [name for name, _ in reports(card)]
    assert names.count("failed") == 1
    assert "done" not in names


@pytest.mark.parametrize("family", Family)
async def test_failing_post_install_is_reported(family: Family) -> None:
    card = Card()
    with contextlib.suppress(InstallError):
        await install(spec_of(family, product_script="set -e\necho no licence\nfalse\n"), card)
    names = [name for name, _ in reports(card)]
    told = next(form for name, form in reports(card) if name == "failed")
    assert told["message"][0].splitlines() == [
        "the post-install script of the product ended with status 1: no licence"
    ]
    assert told["script"] == ["product"]
    assert "failed" in names
    assert "done" not in names


def sold(hardware: Hardware) -> Sold:
    """Return the machine as its provider has written it down."""
    return Sold(
        ram_gb=hardware.ram_gb,
        sockets=hardware.cpu_count,
        cores=hardware.cpu_cores * hardware.cpu_count,
        cpu_model=hardware.cpu_model,
        hides_disks=hardware.raid_controller,
        disks=tuple(
            DiskSeed(kind=SoldKind(group.kind), capacity_gb=group.capacity_gb, quantity=group.count)
            for group in hardware.disks
        ),
    )


async def test_machine_without_an_install_goes_to_the_disk() -> None:
    async def fetch(url: str) -> bytes:
        raise AssertionError(url)

    ipxe = Ipxe(fetch, lambda _text: None, {"platform": "efi"})
    assert isinstance(await ipxe.run(Netboot().disk_script()), LeaveToFirmware)
