"""The programs that put a machine under load, and what its kernel counts meanwhile."""

from dataclasses import dataclass, field

from lab.installers.disk_programs import LiveDisks
from lab.pace import Pace
from lab.shell import Program, Result, Shell
from lab.shell_programs import timeout

BYTES_PER_S = {"nvme": 3_000_000_000, "ssd": 500_000_000, "hdd": 200_000_000}
SENSOR = "/sys/class/hwmon/hwmon0/temp1_input"
MEMORY = "/sys/devices/system/edac/mc/mc0"
CARD = "/sys/class/net/eth0"
IDLE, LOADED = "41000\n", "78000\n"
FLIPPED = 4_120
TIME_WAS_UP = 124

ATTRIBUTES = """SMART overall-health self-assessment test result: PASSED
  5 Reallocated_Sector_Ct   0x0033   100   100   010    Pre-fail  Always       -       0
197 Current_Pending_Sector  0x0012   100   100   000    Old_age   Always       -       0
199 UDMA_CRC_Error_Count    0x003e   100   100   000    Old_age   Always       -       0
"""
OF_NVME = """SMART overall-health self-assessment test result: PASSED
Critical Warning:                   0x00
Percentage Used:                    1%
Media and Data Integrity Errors:    0
"""
TESTED = "# 1  Extended offline    Completed without error       00%      1204         -\n"


@dataclass(slots=True)
class UnderLoad:
    """A machine's programs; one that `flips_bits` has a module whose errors are counted."""

    disks: LiveDisks
    pace: Pace
    flips_bits: bool
    log: list[str] = field(default_factory=list)

    def files(self) -> tuple[tuple[str, str], ...]:
        """Return what /sys and /proc say at the beginning."""
        return (
            (SENSOR, IDLE),
            (f"{MEMORY}/ce_count", "0\n"),
            (f"{MEMORY}/ue_count", "0\n"),
            (f"{MEMORY}/dimm0/dimm_label", "CPU0_DIMM_A1\n"),
            (f"{MEMORY}/dimm0/dimm_ce_count", "0\n"),
            (f"{MEMORY}/dimm0/dimm_ue_count", "0\n"),
            (f"{CARD}/carrier", "1\n"),
            (f"{CARD}/carrier_changes", "2\n"),
            (f"{CARD}/speed", "10000\n"),
            (f"{CARD}/statistics/rx_errors", "0\n"),
            ("/proc/interrupts", " MCE:          0          0   Machine check exceptions\n"),
        )

    def programs(self) -> dict[str, Program]:
        return {
            "stress-ng": self.stress, "timeout": self.timeout, "smartctl": self.smartctl,
            "dmesg": self.dmesg,
        }  # fmt: skip

    async def stress(self, shell: Shell, arguments: list[str], _stdin: str) -> Result:
        kind = "vm" if "--vm" in arguments else "cpu"
        seconds = float(arguments[arguments.index("--timeout") + 1].removesuffix("s"))
        shell.files[SENSOR] = LOADED
        await self.pace.sleep(seconds)
        said = (
            f"stress-ng: metrc: [812] {kind}  {seconds * 600:.0f}  {seconds:.2f}  1  0  600  600\n"
        )
        if kind == "cpu" or not self.flips_bits:
            return Result(0, "", f"{said}stress-ng: info:  [812] successful run completed\n")
        shell.files[f"{MEMORY}/ce_count"] = f"{FLIPPED}\n"
        shell.files[f"{MEMORY}/dimm0/dimm_ce_count"] = f"{FLIPPED}\n"
        self.log.append("EDAC MC0: 4120 CE memory read error on CPU0_DIMM_A1")
        words = "stress-ng: fail:  [813] vm: detected 3 bit errors while stressing memory\n"
        return Result(2, "", words + said)

    async def timeout(self, shell: Shell, arguments: list[str], stdin: str) -> Result:
        """`timeout [--signal=S] SECONDS dd if=/dev/NAME …`; of another program, that one."""
        if "dd" not in arguments:
            return await timeout(shell, arguments, stdin)
        seconds, _, *operands = [word for word in arguments if not word.startswith("--")]
        path = next(word for word in operands if word.startswith("if=")).removeprefix("if=")
        disk = self.disks.disks[path.removeprefix("/dev/")]
        if self.disks.broken:
            return Result(1, "", f"dd: error reading '{path}': Input/output error\n")
        speed = BYTES_PER_S[self.disks.kind_of(disk)]
        whole_s = int(disk["SIZE"]) / speed
        took_s = min(whole_s, float(seconds))
        await self.pace.sleep(took_s)
        size = f"{took_s * speed / 1e9:.0f} GB"
        words = (
            f"{took_s * speed:.0f} bytes ({size}) copied, {took_s:g} s, {speed / 1e6:.0f} MB/s\n"
        )
        return Result(0 if took_s == whole_s else TIME_WAS_UP, "", words)

    async def smartctl(self, _shell: Shell, arguments: list[str], _stdin: str) -> Result:
        if "--log=selftest" in arguments:
            return Result(0, TESTED)
        return Result(0, OF_NVME if "nvme" in arguments[-1] else ATTRIBUTES)

    async def dmesg(self, _shell: Shell, arguments: list[str], _stdin: str) -> Result:
        if "--clear" in arguments:
            self.log.clear()
        return Result(0, "".join(f"[  812.000001] {line}\n" for line in self.log))
