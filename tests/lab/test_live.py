"""The live system of the lab runs the scripts that real machines are given."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import msgspec

from app.domain.inventory.burn_in_parts import Part, Verdict, judge, judge_part
from app.domain.services.report_burn_in import read_told
from app.domain.services.report_hardware import read_seen
from app.drivers.deploy.live import LiveSpec, Load, Purpose
from app.drivers.deploy.netboot.live import render_live_ipxe, render_live_script
from app.drivers.deploy.spec import Family
from lab.faults import Fault
from lab.fleet import Disks, Hardware, machine
from lab.installers import LiveRun, run_live, script_url
from lab.ipxe import BootKernel, Ipxe
from lab.network import Answer
from lab.pace import Pace
from tests.drivers.deploy.specs import CALLBACK, spec
from tests.services.hall import LIVE


def live_spec(purpose: Purpose) -> LiveSpec:
    system = spec(Family.DEBIAN) if purpose is Purpose.RESCUE else None
    return LiveSpec(
        purpose=purpose, image=LIVE, name="srv-1", mac="52:54:00:12:34:56",
        nameservers=("192.0.2.53",), callback_base=CALLBACK, system=system,
        burn_in=Load(600) if purpose is Purpose.BURN_IN else None,
    )  # fmt: skip


class Wire:
    """The network card: it serves the script, and keeps what is posted."""

    user_agent = ""

    def __init__(self, script: str) -> None:
        self.script = script
        self.posted: list[tuple[str, dict[str, str]]] = []

    async def request(
        self, method: str, url: str, *, body: bytes | None = None, **_: object
    ) -> Answer:
        if method == "POST":
            told = {name: values[0] for name, values in parse_qs((body or b"").decode()).items()}
            self.posted.append((urlsplit(url).path.rsplit("/", 1)[-1], told))
        return Answer(200, self.script.encode() if url.endswith(".sh") else b"x")

    def said(self, what: str) -> list[dict[str, str]]:
        return [told for name, told in self.posted if name == what]


async def booted(live: LiveSpec) -> tuple[BootKernel, str]:
    async def fetch(_url: str) -> bytes:
        return b"image"

    async def sleep(_s: float) -> None: ...

    settings = {
        "netX/ip": "198.18.0.9",
        "netX/gateway": "198.18.0.1",
        "netX/netmask": "255.254.0.0",
    }
    kernel = await Ipxe(fetch, lambda _: None, settings, sleep=sleep).run(render_live_ipxe(live))
    assert isinstance(kernel, BootKernel)
    url = script_url(kernel)
    assert url is not None
    return kernel, url


def hardware(*disks: Disks) -> Hardware:
    return msgspec.structs.replace(machine(0, 1), disks=list(disks))


async def run(
    live: LiveSpec, disks: tuple[Disks, ...], fault: str | None = None
) -> tuple[Wire, list[str], object]:
    kernel, url = await booted(live)
    wire, erased = Wire(render_live_script(live)), []
    system = await run_live(
        kernel,
        url,
        LiveRun(
            hardware=hardware(*disks),
            card=wire,  # type: ignore[arg-type] # what the card does, without a network
            pace=Pace(1e5),
            show=lambda _: None,
            fault=lambda: Fault.parse(fault) if fault else None,
            erase=lambda: erased.append("gone"),
        ),
    )
    return wire, erased, system


async def test_every_disk_is_erased_in_its_own_way_and_told() -> None:
    disks = (Disks("nvme", 960, 2), Disks("ssd", 480, 1), Disks("hdd", 8_000, 1))
    wire, erased, system = await run(live_spec(Purpose.ERASE), disks)
    told = {one["disk"]: one for one in wire.said("disk")}
    assert {name: one["method"] for name, one in told.items()} == {
        "nvme0n1": "nvme format, user data erase",
        "nvme1n1": "nvme format, user data erase",
        "sda": "ATA enhanced secure erase",
        "sdb": "overwritten with zeros",
    }
    assert all(one["result"] == "erased" for one in told.values())
    assert len({one["serial"] for one in told.values()}) == 4
    assert told["sdb"]["bytes"] == str(8_000 * 10**9)
    assert (len(erased), wire.said("done"), system) == (4, [{"percent": "100"}], None)
    (seen,) = map(read_seen, wire.said("hardware"))
    assert [(one.name, one.kind) for one in seen.disks or ()] == [
        ("nvme0n1", "nvme"), ("nvme1n1", "nvme"), ("sda", "ssd"), ("sdb", "hdd"),
    ]  # fmt: skip
    assert seen.memory_mib == hardware().ram_gb * 1_024


async def test_a_disk_that_cannot_be_erased_is_told_with_its_words() -> None:
    wire, erased, _ = await run(
        live_spec(Purpose.ERASE), (Disks("ssd", 480, 1),), "install-fails:1"
    )
    (told,) = wire.said("disk")
    assert (told["result"], told["words"]) == ("failed", "Input/output error")
    assert wire.said("failed")
    assert not wire.said("done")
    assert not erased


async def test_a_rescue_has_the_addresses_and_the_ways_in_of_the_installed_system() -> None:
    live = live_spec(Purpose.RESCUE)
    wire, erased, system = await run(live, (Disks("ssd", 480, 1),))
    assert live.system is not None
    assert wire.said("done")
    assert not erased
    assert system.ipv4 == live.system.ipv4.address  # type: ignore[attr-defined]
    assert system.accounts["root"].password_hash == live.system.root_password_hash  # type: ignore[attr-defined]


def borne(wire: Wire) -> dict[str, Part]:
    parts = [judge_part(read_told(one)) for one in wire.said("burn-in")]
    return {one.part: one for one in parts}


async def test_a_burn_in_puts_every_part_under_load_and_writes_nothing() -> None:
    disks = (Disks("nvme", 960, 1), Disks("hdd", 8_000, 1))
    wire, erased, system = await run(live_spec(Purpose.BURN_IN), disks)
    parts = borne(wire)
    assert list(parts) == ["cpu", "memory", "nvme0n1", "sda", "network", "kernel"]
    assert judge(list(parts.values())) == (Verdict.passed, "")
    assert (erased, wire.said("done"), system) == ([], [{"percent": "100"}], None)
    assert parts["cpu"].figures == ("360,000 rounds, verified, in 600 s",)
    assert parts["nvme0n1"].figures[0] == "all of it read at 3000 MB/s"
    assert parts["sda"].figures == ("120 GB read at 200 MB/s", "its self-test found nothing")
    assert parts["network"].figures == ("eth0 at 10,000 Mb/s, 0 errors",)
    told = wire.said("progress")
    assert [one["stage"] for one in told[:2]] == ["looking at the hardware", "under load"]
    assert {one["millicelsius"] for one in told if one["stage"] == "under load"} >= {"78000"}
    assert told[-1]["stage"] == "reading what was counted"
    assert wire.said("hardware")


async def test_what_a_burn_in_finds_is_told_in_the_tools_words() -> None:
    disks = (Disks("ssd", 480, 1),)
    wire, _, _ = await run(live_spec(Purpose.BURN_IN), disks, "bad-memory")
    memory = borne(wire)["memory"]
    flipped = "stress-ng: fail:  [813] vm: detected 3 bit errors while stressing memory"
    assert memory.faults == (
        f"stress-ng --vm ended with status 2: {flipped}",
        "4,120 corrected memory errors (CPU0_DIMM_A1)",
    )
    wire, _, _ = await run(live_spec(Purpose.BURN_IN), disks, "install-fails:1")
    assert judge(list(borne(wire).values())) == (
        Verdict.failed,
        "Disk sda: it cannot be read: dd: error reading '/dev/sda': Input/output error",
    )


async def test_the_scripts_are_bash() -> None:
    for purpose in (Purpose.ERASE, Purpose.RESCUE, Purpose.BURN_IN):
        process = await asyncio.create_subprocess_exec(
            "bash", "-n", stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        _, error = await process.communicate(render_live_script(live_spec(purpose)).encode())
        assert (process.returncode, error) == (0, b"")
