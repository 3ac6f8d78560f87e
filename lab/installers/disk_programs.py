"""The programs by which a live system looks at disks and erases them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lab.fleet import Hardware
from lab.installers.plan import device_names
from lab.pace import Pace
from lab.shell import Program, Result, Shell

MODELS = {"nvme": "SAMSUNG MZQL2960HCJR", "ssd": "INTEL SSDSC2KB480G8", "hdd": "ST8000NM017B"}
FORMAT_S = 4.0
OVERWRITE_S = 400.0
IO_ERROR = Result(1, "", "Input/output error\n")
NO_DISKS = ("loop0", "sr0")
"""What lsblk lists beside the disks: the live image, and the BMC's virtual CD."""


@dataclass(slots=True)
class LiveDisks:
    """A machine's disks as a live system has them.

    `erase` is called when a disk's data are gone. On a `broken` machine nothing that erases works.
    NVMe disks here know no cryptographic erase, so that scripts have to try what comes next.
    """

    hardware: Hardware
    pace: Pace
    erase: Callable[[], None]
    broken: bool
    disks: dict[str, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.disks = _columns(self.hardware)

    def programs(self) -> dict[str, Program]:
        return {
            "lsblk": self.lsblk, "nvme": self.nvme, "hdparm": self.hdparm,
            "blkdiscard": self.blkdiscard, "shred": self.shred, "blkid": self.blkid,
        }  # fmt: skip

    async def lsblk(self, _shell: Shell, arguments: list[str], _stdin: str) -> Result:
        columns = arguments[arguments.index("--output") + 1].split(",")
        asked = [word.removeprefix("/dev/") for word in arguments if word.startswith("/dev/")]
        if any(name not in self.disks for name in asked):
            return Result(32, "", f"lsblk: {asked[0]}: not a block device\n")
        rows = [self.disks[name] for name in asked or self.disks]
        rows += [] if asked else [{"NAME": name} for name in NO_DISKS]
        lines = ["  ".join(row.get(column, "") for column in columns) for row in rows]
        return Result(0, "".join(f"{line}\n" for line in lines))

    async def nvme(self, _shell: Shell, arguments: list[str], _stdin: str) -> Result:
        if arguments[:1] != ["format"] or "--ses=1" not in arguments:
            return Result(1, "", "NVMe status: Invalid Field in Command\n")
        await self.pace.sleep(FORMAT_S)
        return self._erased(arguments[1])

    async def hdparm(self, _shell: Shell, arguments: list[str], _stdin: str) -> Result:
        if "--security-erase-enhanced" in arguments or "--security-erase" in arguments:
            await self.pace.sleep(FORMAT_S)
            return self._erased(arguments[-1])
        return IO_ERROR if self.broken else Result()

    async def blkdiscard(self, _shell: Shell, arguments: list[str], _stdin: str) -> Result:
        if "--secure" in arguments:
            return Result(1, "", "blkdiscard: BLKSECDISCARD ioctl failed: not supported\n")
        return IO_ERROR if self.broken else Result()

    async def shred(self, _shell: Shell, arguments: list[str], _stdin: str) -> Result:
        await self.pace.sleep(0 if self.broken else OVERWRITE_S)
        return self._erased(arguments[-1])

    async def blkid(self, _shell: Shell, _arguments: list[str], _stdin: str) -> Result:
        return Result(2)

    def kind_of(self, disk: dict[str, str]) -> str:
        """Return what lsblk's columns of a disk make it: nvme, ssd or hdd."""
        turns = disk["ROTA"] == "1"
        return "hdd" if turns else "nvme" if disk["TRAN"] == "nvme" else "ssd"

    def _erased(self, path: str) -> Result:
        if self.broken or path.removeprefix("/dev/") not in self.disks:
            return IO_ERROR
        self.erase()
        return Result()


def _columns(hardware: Hardware) -> dict[str, dict[str, str]]:
    """Return name → lsblk's columns of each disk."""
    found: dict[str, dict[str, str]] = {}
    groups = sorted(hardware.disks, key=lambda each: each.kind != "nvme")
    of_each = [group for group in groups for _ in range(group.count)]
    for number, (name, group) in enumerate(zip(device_names(hardware.disks), of_each, strict=True)):
        found[name] = {
            "NAME": name,
            "MODEL": MODELS[group.kind],
            "SERIAL": f"{hardware.serial}D{number}",
            "SIZE": str(group.capacity_gb * 10**9),
            "ROTA": str(int(group.kind == "hdd")),
            "TRAN": "nvme" if group.kind == "nvme" else "sata",
        }
    return found
