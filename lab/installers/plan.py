"""What an installer has understood of its configuration: pure values, no input or output."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from lab.fleet import Disks, Hardware
from lab.store import Account


class InstallError(Exception):
    """The installer stops with this message on the console."""


@dataclass(frozen=True, slots=True)
class Hook:
    """Commands of the configuration; a `fatal` one must end with status 0."""

    script: str
    root: str = ""
    fatal: bool = True
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """A part of an installation that takes `hardware_s`, then runs its hooks.

    Scripts in the folder `before`, which earlier hooks may have put there, run first.
    `erases` marks the step that destroys what was on the disks; `reports` the one
    with the configuration's last commands. `logs` is what the installer writes to its own log
    as the step begins.
    """

    title: str
    hardware_s: float
    hooks: tuple[Hook, ...] = ()
    erases: bool = False
    before: str = ""
    reports: bool = False
    logs: str = ""


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """One installation; `target` is where the new system is mounted."""

    family: str
    hostname: str
    ipv4: ipaddress.IPv4Interface
    gateway: str | None
    ipv6: str | None
    accounts: dict[str, Account]
    steps: tuple[Step, ...]
    extra_ipv4: tuple[ipaddress.IPv4Interface, ...] = ()
    on_error: tuple[Hook, ...] = ()
    reboots: bool = True
    allows_root_password: bool = False
    target: str = "/target"
    devices: tuple[tuple[str, str], ...] = ()
    """Files in which the kernel tells of the machine, with their content."""


def parse_ipv4(address: str | None, mask: str | None) -> ipaddress.IPv4Interface:
    """Return the address with its prefix; `mask` is a length or dotted; raise InstallError."""
    if not address:
        raise InstallError(
            "Network configuration failed: no static IPv4 address, and no DHCP answers here"
        )
    text = f"{address}/{mask}" if mask and "/" not in address else address
    if "/" not in text:
        raise InstallError(f"Network configuration failed: {address} has no netmask")
    try:
        return ipaddress.IPv4Interface(text)
    except ValueError as problem:
        raise InstallError(f"Network configuration failed: {problem}") from None


def check_gateway(
    interface: ipaddress.IPv4Interface, gateway: str | None, *, on_link: bool = False
) -> str:
    """Return the gateway when the address can reach it; raise InstallError."""
    try:
        address = ipaddress.IPv4Address(gateway or "")
    except ValueError:
        raise InstallError(f"Network configuration failed: bad gateway {gateway!r}") from None
    if not on_link and interface.network.prefixlen < 31 and address not in interface.network:
        raise InstallError(
            f"Network configuration failed: gateway {address} is not in {interface.network}"
        )
    return str(address)


def check_hash(digest: str) -> str | None:
    """Return a crypt(3) hash that installers take ($6$, $y$ …); raise InstallError.

    `*` and `!` are hashes that no password has: None.
    """
    if digest in ("*", "!", "!!", "!*"):
        return None
    if not digest.startswith("$") or digest.count("$") < 3:
        raise InstallError("The root password is not a crypt(3) hash")
    return digest


def check_hostname(name: str | None) -> str:
    """Return the host name; raise InstallError for one that a resolver would not take."""
    labels = (name or "").rstrip(".").split(".")
    for label in labels:
        plain = label.replace("-", "")
        if (
            not (plain.isascii() and plain.isalnum())
            or len(label) > 63
            or label.strip("-") != label
        ):
            raise InstallError(f"Invalid host name {name!r}")
    return ".".join(labels)


def device_names(disks: Iterable[Disks]) -> list[str]:
    """Return the machine's disks as Linux names them, fast ones first."""
    names: list[str] = []
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    nvme = 0
    for group in sorted(disks, key=lambda each: each.kind != "nvme"):
        for _ in range(group.count):
            if group.kind == "nvme":
                names.append(f"nvme{nvme}n1")
                nvme += 1
            else:
                names.append(f"sd{next(letters)}")
    return names


def disk_files(disks: Iterable[Disks]) -> tuple[tuple[str, str], ...]:
    """Return what /sys/block says of the disks: their sizes, and whether they turn."""
    groups = sorted(disks, key=lambda each: each.kind != "nvme")
    of_each = [group for group in groups for _ in range(group.count)]
    return tuple(
        file
        for name, group in zip(device_names(groups), of_each, strict=True)
        for file in (
            (f"/sys/block/{name}/size", f"{group.capacity_gb * 10**9 // 512}\n"),
            (f"/sys/block/{name}/queue/rotational", f"{int(group.kind == 'hdd')}\n"),
        )
    )


def machine_files(hardware: Hardware) -> tuple[tuple[str, str], ...]:
    """Return what /sys and /proc say of the machine: its disks, memory and processors."""
    threads = hardware.cpu_threads * hardware.cpu_count
    cores = hardware.cpu_cores * hardware.cpu_count
    memory, cpu = "/sys/devices/system/memory", "/sys/devices/system/cpu"
    return (
        *disk_files(hardware.disks),
        ("/proc/meminfo", f"MemTotal:       {hardware.ram_gb * 1_020_000} kB\n"),
        (
            "/proc/cpuinfo",
            f"model name\t: {hardware.cpu_model} @ {hardware.cpu_mhz / 1000:.2f}GHz\n",
        ),
        (f"{memory}/block_size_bytes", "80000000\n"),
        *((f"{memory}/memory{n}/online", "1\n") for n in range(hardware.ram_gb // 2)),
        *(
            file
            for n in range(threads)
            for file in (
                (
                    f"{cpu}/cpu{n}/topology/physical_package_id",
                    f"{n % cores // hardware.cpu_cores}\n",
                ),
                (
                    f"{cpu}/cpu{n}/topology/thread_siblings_list",
                    f"{n % cores},{n % cores + cores}\n",
                ),
            )
        ),
    )


def check_disks(wanted: Iterable[str], present: list[str]) -> None:
    """Raise InstallError when a named disk is not in the machine."""
    for name in wanted:
        short = name.removeprefix("/dev/")
        if short not in present and not short.startswith("disk/"):
            shown = ", ".join(f"/dev/{each}" for each in present)
            raise InstallError(f"There is no disk /dev/{short}; this machine has {shown}")
