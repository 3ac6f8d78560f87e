"""What a burn-in says of a part becomes figures and faults, and these a verdict."""

from typing import Any

import pytest

from app.domain.inventory.burn_in_findings import Told
from app.domain.inventory.burn_in_parts import Part, Verdict, judge, judge_part

STRESSED = "stress-ng: metrc: [812] {}    {}      2.00      0.68      0.00       601.91   1751.25\n"
DD = "18937282560 bytes (19 GB, 18 GiB) copied, 1.00337 s, 18.9 GB/s\n"
ATA = """SMART overall-health self-assessment test result: {health}
  5 Reallocated_Sector_Ct   0x0033   100   100   010    Pre-fail  Always       -       {moved}
197 Current_Pending_Sector  0x0012   100   100   000    Old_age   Always       -       {pending} (0 0)
# 1  Extended offline    {test}       00%     12345         -
"""
NVME = """Critical Warning:                   {warning}
Percentage Used:                    3%
Media and Data Integrity Errors:    {errors}
 0   Short             {test}                   12            -     -   -   -    -
"""
EDAC = "mc0/ce_count {ce}\nmc0/ue_count {ue}\nmc0/dimm3/dimm_ce_count {ce}\nmc0/dimm3/dimm_label {at}\n"
CARD = "eth0/carrier {up}\neth0/carrier_changes {changes}\neth0/speed 1000\neth0/statistics/rx_errors {errors}\neth1/carrier 0\n"


def part(name: str, **told: Any) -> Part:
    return judge_part(Told(part=name, **told))


def ata(health: str = "PASSED", moved: int = 0, pending: int = 0, test: str = "") -> str:
    test = test or "Completed without error"
    return ATA.format(health=health, moved=moved, pending=pending, test=test)


def test_what_stress_ng_came_to() -> None:
    well = part("cpu", tool="stress-ng --cpu", status=0, words=STRESSED.format("cpu", 1_204))
    assert (well.figures, well.faults) == (("1,204 rounds, verified, in 2 s",), ())
    idle = part("memory", tool="stress-ng --vm", status=0, words=STRESSED.format("vm", 0))
    assert idle.faults == ("stress-ng --vm did nothing",)
    words = "stress-ng: fail: [9] cpu: sqrt error\n" + STRESSED.format("cpu", 7)
    assert part("cpu", tool="x", status=2, words=words).faults == (
        "x ended with status 2: stress-ng: fail: [9] cpu: sqrt error",
    )
    assert part("cpu", tool="x").faults == ("x did not end",)


@pytest.mark.parametrize(
    ("ce", "ue", "faults"),
    [
        (0, 0, ()),
        (10, 0, ()),
        (11, 0, ("11 corrected memory errors (A3)",)),
        (0, 1, ("1 uncorrectable memory errors",)),
    ],
)
def test_memory_errors_are_counted_by_module(ce: int, ue: int, faults: tuple[str, ...]) -> None:
    told = part(
        "memory", tool="s", status=0, words=STRESSED.format("vm", 7),
        before=EDAC.format(ce=5, ue=2, at="A3"), after=EDAC.format(ce=5 + ce, ue=2 + ue, at="A3"),
    )  # fmt: skip
    assert told.faults == faults


def test_what_a_disk_says_of_itself() -> None:
    def faults(before: str, after: str, status: int | None = 124, words: str = DD) -> set[str]:
        return set(part("sda", status=status, words=words, before=before, after=after).faults)

    well = part("sda", status=124, words=DD, before=ata(), after=ata())
    assert well.figures == ("19 GB read at 18.9 GB/s", "its self-test found nothing")
    assert well.faults == ()
    assert part("sda", status=0, words=DD).figures == (
        "all of it read at 18.9 GB/s", "it says nothing of itself",
    )  # fmt: skip
    assert faults(ata(moved=3), ata(moved=3)) == set()
    assert faults(ata(moved=3), ata(moved=5)) == {"Reallocated Sector Ct rose by 2 to 5"}
    assert faults(ata(pending=1), ata(pending=1)) == {"Current Pending Sector is 1"}
    assert faults(ata(), ata(health="FAILED!")) == {"it says of itself: FAILED!"}
    bad = ata(test="Completed: read failure")
    (said,) = faults(ata(), bad)
    assert said.startswith("its self-test says: Extended offline Completed: read failure")
    for words, figure in (
        ("Self-test routine in progress", "its self-test goes on"),
        ("Aborted by host", "its self-test was broken off"),
    ):
        assert part("sda", status=0, after=ata(test=words)).figures == (figure,)
    (said,) = faults("", "", 1, "1+0 records in\ndd: error reading '/dev/sda': Input/output error")
    assert said == "it cannot be read: dd: error reading '/dev/sda': Input/output error"
    assert faults("", "", None) == {"nothing was told of how it was read"}
    calm = NVME.format(warning="0x00", errors=0, test="Completed without error")
    worn = NVME.format(warning="0x04", errors="1,002", test="Completed without error")
    assert faults(calm, calm) == set()
    assert faults(calm, worn) == {
        "Media and Data Integrity Errors rose by 1,002 to 1,002", "it warns of itself: 0x04",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("after", "faults"),
    [
        ({}, ()),
        ({"errors": 10}, ()),
        ({"errors": 11}, ("eth0 had 11 damaged frames",)),
        ({"up": 0}, ("eth0 lost its link",)),
        ({"changes": 4}, ("eth0 lost its link and found it again",)),
    ],
)
def test_links_that_were_there_stay(after: dict[str, int], faults: tuple[str, ...]) -> None:
    calm = {"up": 1, "changes": 2, "errors": 0}
    told = part("network", before=CARD.format(**calm), after=CARD.format(**{**calm, **after}))
    assert told.faults == faults


def test_the_kernels_log_is_read_for_broken_hardware() -> None:
    lines = (
        "[ 12.5] mce: [Hardware Error]: Machine check events logged",
        "[ 12.6] EDAC MC0: 1 CE corrected error on A3",
        "[ 12.7] sr0: I/O error",
        "[ 12.8] nvme nvme0: I/O 7 QID 2 timeout, aborting",
        "[ 12.9] CPU3: Package temperature above threshold, cpu clock throttled",
    )
    assert part("kernel", words="\n".join(lines)).faults == (
        "the kernel said “nvme nvme0: I/O 7 QID 2 timeout, aborting”",
        "the kernel said “CPU3: Package temperature above threshold, cpu clock throttled”",
    )
    assert part("kernel", words=lines[0]).figures == ("nothing of broken hardware",)
    many = part("kernel", words="\n".join(["soft lockup"] * 5)).faults
    assert many[-1] == "and 2 lines like that"
    mce = " MCE:   {}   1   Machine check exceptions"
    counted = part("kernel", before=mce.format(0), after=mce.format(2))
    assert counted.faults == ("2 machine check exceptions",)


def test_a_burn_in_is_passed_when_every_part_told_and_none_failed() -> None:
    well = [
        Part(part=name, tool="", figures=(), faults=(), words="")
        for name in ("cpu", "memory", "sda", "network", "kernel")
    ]
    assert judge(well) == (Verdict.passed, "")
    assert judge(well[1:]) == (Verdict.failed, "nothing was told of its processors")
    bad = part("sda", status=124, words=DD, after=ata(health="FAILED!"))
    assert judge([*well, bad]) == (Verdict.failed, "Disk sda: it says of itself: FAILED!")
    tools = part("tools", status=127, words="the live system has no stress-ng")
    assert judge([tools]) == (Verdict.undone, "the live system has no stress-ng")
