"""A machine driven over Redfish as Slipway drives it, from bare metal to a log-in."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import asyncssh
import pytest
import sushy

from app.drivers.bmc.contract import BmcAddress
from app.drivers.bmc.redfish import RedfishFleet
from app.drivers.bmc.redfish.drives import drives_of
from app.drivers.bmc.redfish.fleet import RedfishBmc
from app.drivers.boot import BootDevice, BootMode, BootOverride
from app.drivers.deploy.netboot.ipxe import after_dhcp
from app.drivers.deploy.spec import Family
from app.drivers.power import Power
from app.drivers.secret import Secret
from app.drivers.tls import TrustCa
from tests.drivers.deploy.specs import spec
from tests.lab.conftest import PASSWORD, SSH_PORT, Lab, Slipway


async def log_in(address: str, password: str, command: str, username: str = "root") -> str:
    async with asyncssh.connect(
        address, SSH_PORT, username=username, password=password, known_hosts=None, client_keys=None,
        config=None, agent_path=None,
    ) as connection:  # fmt: skip
        return str((await connection.run(command, check=True)).stdout)


async def test_bmc_shows_its_own_machine_only(lab: Lab) -> None:
    def look() -> None:
        bmc = lab.bmc(1)
        [system] = bmc.get_system_collection().get_members()
        assert system.uuid == lab.machines[1]["uuid"]
        assert system.serial_number == lab.machines[1]["serial"]
        assert system.memory_summary.size_gib == lab.machines[1]["ram_gb"]
        assert list(system.ethernet_interfaces.summary) == [lab.machines[1]["mac"]]
        [manager] = bmc.get_manager_collection().get_members()
        assert manager.identity == lab.machines[1]["uuid"]
        with pytest.raises(sushy.exceptions.ResourceNotFoundError):
            bmc.get_system(lab.machines[0]["bmc"]["system_path"])

    await asyncio.to_thread(look)


async def test_a_bmc_tells_the_disks_of_its_machine(lab: Lab) -> None:
    """Of each kind that the lab has."""
    seen: set[str] = set()

    def look(number: int) -> None:
        [system] = lab.bmc(number).get_system_collection().get_members()
        drives = drives_of(system)
        assert drives is not None
        found = Counter((one.kind, one.capacity_gb) for one in drives)
        disks = lab.machines[number]["disks"]
        assert found == {(one["kind"], one["capacity_gb"]): one["count"] for one in disks}
        assert len({one.serial for one in drives}) == len(drives)
        seen.update(one.kind for one in drives)

    for number in range(len(lab.machines)):
        if not {one["kind"] for one in lab.machines[number]["disks"]} <= seen:
            await asyncio.to_thread(look, number)
    assert seen == {one["kind"] for machine in lab.machines for one in machine["disks"]}


async def test_network_boot_installs_and_answers(lab: Lab, slipway: Slipway) -> None:
    script = slipway.offer_debian("tok-a", "127.16.0.10", lab.facts["mirror_url"])
    slipway.pages["/netboot/ipxe"] = script.encode()
    await lab.netboot(0)
    await slipway.reported("/netboot/tok-a/done")
    machine = await lab.until(0, lambda m: m["phase"] == "running")

    facts = lab.machines[0]
    asked = next(path for path in slipway.asked if path.startswith("/netboot/ipxe"))
    assert facts["uuid"] in asked
    assert facts["serial"] in asked
    assert [form.get("stage") for path, form in slipway.reports if path.endswith("/progress")] == [
        "start",
        "post-install",
    ]
    assert machine["installed"]["ipv4"] == "127.16.0.10/24"
    assert machine["ssh"] == f"127.16.0.10:{SSH_PORT}"

    # The override was used up by the boot, and the BMC says so.
    boot = await asyncio.to_thread(lambda: lab.system(0).boot)
    assert boot.target == sushy.BootSource.NONE
    assert boot.enabled == sushy.BootSourceOverrideEnabled.DISABLED

    assert await log_in("127.16.0.10", PASSWORD, "hostname") == "tok-a\n"
    release = await log_in("127.16.0.10", PASSWORD, "cat /etc/os-release; ip addr")
    assert "Debian GNU/Linux 12" in release
    assert "inet 127.16.0.10/24" in release
    for wrong in ({"password": PASSWORD + "x"}, {"password": PASSWORD, "username": "admin"}):
        with pytest.raises(asyncssh.PermissionDenied):
            await log_in("127.16.0.10", command="hostname", **wrong)
    reader, writer = await asyncio.open_connection("127.16.0.10", SSH_PORT)
    assert (await reader.readline()).startswith(b"SSH-2.0-OpenSSH_9.2p1")
    writer.close()
    await writer.wait_closed()


async def test_hardware_log_accounts_for_the_delivery(lab: Lab) -> None:
    name = lab.machines[0]["name"]
    events = await lab.get(f"/api/hardware-log?machine={name}")
    kinds = [event["kind"] for event in events]
    assert kinds == ["power-on", "post", "boot", "install", "reboot", "post", "boot"]
    for event in events:
        assert event["started_at"] <= event["ended_at"]
    for earlier, later in pairwise(events):
        assert later["started_at"] - earlier["ended_at"] < 0.25
    assert events[2]["waited_s"] > 0


async def answers(address: str) -> bool:
    try:
        _, writer = await asyncio.open_connection(address, SSH_PORT)
    except ConnectionRefusedError:
        return False
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return True


async def test_power_off_silences_and_disk_boot_brings_back(lab: Lab) -> None:
    await lab.power_off(0)
    async with asyncio.timeout(10):
        while await answers("127.16.0.10"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
    await asyncio.to_thread(lambda: lab.system(0).reset_system(sushy.ResetType.ON))
    await lab.until(0, lambda m: m["phase"] == "running")
    assert await log_in("127.16.0.10", PASSWORD, "whoami") == "root\n"


async def test_virtual_media_installs_with_a_key(lab: Lab, slipway: Slipway) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = key.export_public_key().decode().strip()
    script = slipway.offer_ubuntu("tok-b", "127.16.0.11", lab.facts["mirror_url"])
    user_data = slipway.pages["/netboot/tok-b/user-data"].decode()
    user_data = user_data.replace(
        "  network:", f'  ssh: {{authorized-keys: ["{public}"]}}\n  network:'
    )
    slipway.pages["/netboot/tok-b/user-data"] = user_data.encode()
    image = slipway.offer_iso("tok-b", script.replace("#!ipxe\n", "#!ipxe\ndhcp\n"))

    def insert() -> None:
        media = next(
            each for each in lab.system(1).virtual_media.get_members() if each.identity == "Cd"
        )
        media.insert_media(image)
        media.refresh()
        assert media.inserted

    await asyncio.to_thread(insert)
    await lab.netboot(1, "Cd")
    await slipway.reported("/netboot/tok-b/done")
    await lab.until(1, lambda m: m["phase"] == "running")
    async with asyncssh.connect(
        "127.16.0.11", SSH_PORT, username="ops", client_keys=[key], known_hosts=None,
        config=None, agent_path=None,
    ) as connection:  # fmt: skip
        assert (await connection.run("hostname")).stdout == "tok-b\n"
        assert (await connection.run("no-such-command")).exit_status == 127


async def test_empty_disk_and_unknown_script_leave_a_reason(lab: Lab, slipway: Slipway) -> None:
    slipway.pages["/netboot/ipxe"] = b"#!ipxe\nfrobnicate\n"
    await lab.netboot(2)
    machine = await lab.until(2, lambda m: m["phase"] == "stuck")
    assert "No bootable device" in machine["doing"]
    assert any("frobnicate: command not found" in line for line in machine["console"])
    await lab.power_off(2)


BOOT_FILE = b"MZ" + bytes(4096)


@pytest.fixture
async def third(lab: Lab) -> AsyncIterator[RedfishBmc]:
    """The third machine's BMC, as the application drives it."""
    fleet = RedfishFleet()
    bmc = lab.machines[2]["bmc"]
    yield fleet.bmc(
        BmcAddress(
            url=bmc["url"],
            username=bmc["username"],
            password=Secret(bmc["password"]),
            system_path=bmc["system_path"],
            tls=TrustCa(Path(lab.facts["ca_pem"]).read_text()),
        )
    )
    await fleet.close()


async def test_http_boot_installs_and_answers(
    lab: Lab, slipway: Slipway, third: RedfishBmc
) -> None:
    """Firmware fetches iPXE from where its BMC was told, iPXE its script from beside that."""
    base = f"{slipway.url}/netboot/tok-c"
    wanted = spec(Family.DEBIAN, callback_base=base)
    slipway.pages |= {
        "/netboot/tok-c/ipxe.efi": BOOT_FILE,
        "/netboot/tok-c/autoexec.ipxe": after_dhcp(wanted).encode(),
        "/netboot/tok-c/boot.ipxe": slipway.offer_debian(
            "tok-c", "127.16.0.12", lab.facts["mirror_url"]
        ).encode(),
    }
    began = len(slipway.asked)
    told = await third.boot.set_once(BootDevice.UEFI_HTTP, http_boot_uri=f"{base}/ipxe.efi")
    assert told == BootOverride(
        device=BootDevice.UEFI_HTTP, mode=BootMode.UEFI, once=True, http_boot_uri=f"{base}/ipxe.efi"
    )
    assert await third.boot.read() == told
    assert (await lab.machine(2))["boot"]["target"] == "UefiHttp"
    await third.power.ensure(Power.ON, deadline_s=30)
    await slipway.reported("/netboot/tok-c/done")
    machine = await lab.until(2, lambda m: m["phase"] == "running")
    assert machine["ssh"] == f"127.16.0.12:{SSH_PORT}"
    firmware, ipxe = "UefiHttpBoot/1.0", "iPXE/1.21.1"
    asked = zip(slipway.agents[began:], slipway.asked[began:], strict=True)
    assert list(asked)[:4] == [
        (("HEAD", firmware), "/netboot/tok-c/ipxe.efi"),
        (("GET", firmware), "/netboot/tok-c/ipxe.efi"),
        (("GET", ipxe), "/netboot/tok-c/autoexec.ipxe"),
        (("GET", ipxe), "/netboot/tok-c/boot.ipxe"),
    ]
    assert await third.boot.read() is None, "the boot used it up"
    assert await log_in("127.16.0.12", PASSWORD, "hostname") == "tok-c\n"

    await third.boot.set_once(BootDevice.DISK)
    await third.power.cycle(deadline_s=30)
    await lab.until(2, lambda m: m["phase"] == "running")
    assert slipway.asked.count("/netboot/tok-c/ipxe.efi") == 2, "from its disk, afterwards"


async def test_http_boot_without_an_address_asks_dhcp(
    lab: Lab, slipway: Slipway, third: RedfishBmc
) -> None:
    """What DHCP names is our own boot file; an older iPXE, which looks for nothing, asks anew."""
    slipway.pages["/netboot/ipxe.efi"] = BOOT_FILE
    slipway.pages["/netboot/ipxe"] = b"#!ipxe\necho by its card\nexit 1\n"
    told = await third.boot.set_once(BootDevice.UEFI_HTTP)
    assert (told.device, told.http_boot_uri) == (BootDevice.UEFI_HTTP, None)
    began = len(slipway.asked)
    await third.power.cycle(deadline_s=30)
    machine = await lab.until(2, lambda m: "by its card" in "\n".join(m["console"]))
    asked = [path.partition("?")[0] for path in slipway.asked[began:]]
    assert asked[:4] == ["/netboot/ipxe.efi"] * 2 + ["/netboot/autoexec.ipxe", "/netboot/ipxe"]
    assert any("autoexec.ipxe: HTTP 404" in line for line in machine["console"])
    await lab.until(2, lambda m: m["phase"] == "running")


async def test_what_is_no_boot_file_is_left_for_the_disk(
    lab: Lab, slipway: Slipway, third: RedfishBmc
) -> None:
    slipway.pages["/netboot/tok-d/ipxe.efi"] = b"<html>not signed in</html>"
    for name, words in {"tok-d": "no UEFI application", "tok-gone": "HTTP 404"}.items():
        where = f"{slipway.url}/netboot/{name}/ipxe.efi"
        await third.boot.set_once(BootDevice.UEFI_HTTP, http_boot_uri=where)
        await third.power.cycle(deadline_s=30)
        said = f"HTTP boot: {where}: {words}"
        await lab.until(2, lambda m, said=said: said in "\n".join(m["console"]))
        await lab.until(2, lambda m: m["phase"] == "running")
    await lab.power_off(2)
