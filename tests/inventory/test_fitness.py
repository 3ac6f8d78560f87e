"""What is written down of a server against what a system sees: what counts as missing."""

import msgspec
import pytest

from app.domain.inventory.fitness import Seen, SeenDisk, Sold, hardware_faults
from app.domain.inventory.seed import DiskSeed
from app.domain.services.report_hardware import read_seen
from app.solver.want import DiskKind

SOLD = Sold(
    ram_gb=64, sockets=2, cores=16, cpu_model="AMD EPYC 7443P", hides_disks=False,
    disks=(
        DiskSeed(kind=DiskKind.ssd, capacity_gb=480, quantity=2),
        DiskSeed(kind=DiskKind.hdd, capacity_gb=8_000, quantity=1),
    ),
)  # fmt: skip


def faults(seen: Seen) -> list[str]:
    return list(hardware_faults(SOLD, seen))


@pytest.mark.parametrize(
    ("ram_gb", "memory_gib", "is_fit"),
    [
        (64, 64, True), (64, 128, True), (64, 62.7, True), (64, 62, False), (64, 60, False),
        (32, 31, True), (32, 30.9, False), (8, 7.5, True), (8, 6, False),
    ],
)  # fmt: skip
def test_a_missing_module_is_told_from_what_firmware_keeps(
    ram_gb: int, memory_gib: float, is_fit: bool
) -> None:
    """Of 64 GB in 16 modules, one is 4 GB; a kernel counts 1.3 GB less than there are."""
    sold = msgspec.structs.replace(SOLD, ram_gb=ram_gb)
    seen = Seen(memory_mib=int(memory_gib * 1_024))
    assert (list(hardware_faults(sold, seen)) == []) is is_fit


@pytest.mark.parametrize(
    "seen",
    [
        "AMD EPYC 7443P 24-Core Processor",
        "EPYC(TM) 7443P @ 2.85GHz",
        "",
        "amd epyc 7443p 24c 2.8ghz",
    ],
)
def test_a_processor_is_known_by_its_number(seen: str) -> None:
    assert faults(Seen(cpu_model=seen)) == []
    assert faults(Seen(cpu_model="AMD EPYC 7443 24-Core Processor")) != []


def test_sockets_are_told_before_cores() -> None:
    assert faults(Seen(sockets=1, cores=8)) == ["it has 1 processors instead of 2"]
    assert faults(Seen(sockets=2, cores=15)) == ["it has 15 cores instead of 16"]
    assert faults(Seen(sockets=2, cores=32)) == []


def test_more_disks_are_fine_and_others_do_not_stand_in() -> None:
    ssd = SeenDisk(name="sda", kind="ssd", capacity_gb=480)
    hdd = SeenDisk(name="sdc", kind="hdd", capacity_gb=8_002)
    others = (msgspec.structs.replace(ssd, name="sdb", capacity_gb=512), hdd)
    assert faults(Seen(disks=(ssd, *others))) == []
    assert faults(Seen(disks=(ssd, msgspec.structs.replace(ssd, name="sdd"), *others, hdd))) == []
    far = msgspec.structs.replace(ssd, name="sdb", capacity_gb=960)
    assert faults(Seen(disks=(ssd, far, hdd))) == ["it has 1 ssd of 480 GB instead of 2"]


def test_what_a_machine_says_is_read_as_far_as_it_makes_sense() -> None:
    seen = read_seen(
        {
            "memory_kib": "65000000", "blocks": "512", "block_bytes": "8000000\n", "sockets": "0",
            "cores": "16", "cpu_model": " Xeon   E5 ",
            "disks": "sda|937703088|0|PASSED|S1 ;nvme0n1|1875385008|0|FAILED!|;\n*||||;../x|1|0||;sdb|no|1||",
        }
    )  # fmt: skip
    assert (seen.memory_mib, seen.sockets, seen.cores) == (65_536, None, 16)
    assert seen.cpu_model == "Xeon E5"
    assert [msgspec.structs.astuple(disk) for disk in seen.disks or ()] == [
        ("sda", "ssd", 480, "PASSED", "S1"), ("nvme0n1", "nvme", 960, "FAILED!", ""),
        ("sdb", "hdd", 0, "", ""),
    ]  # fmt: skip
    assert read_seen({"disks": "*||||;"}) == Seen()
