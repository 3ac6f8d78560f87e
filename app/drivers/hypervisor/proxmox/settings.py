"""What a machine is configured with at PVE, as its API takes it. Pure."""

import re
from urllib.parse import quote

import msgspec

from app.drivers.hypervisor.contract import Nic, VmWant
from app.drivers.hypervisor.iso import file_of, is_iso
from app.drivers.hypervisor.mark import description
from app.drivers.hypervisor.proxmox import marks

GIB = 1024**3
_SIZES = {"K": 1024, "M": 1024**2, "G": GIB, "T": 1024**4}
_DISK = re.compile(r"(?:scsi|virtio|sata|ide)\d+")
CDROM = "ide2"
CPU = "x86-64-v2-AES"
"""As PVE's own pages make machines: the API's default is too old for systems of today."""
_WINDOWS = re.compile(r"windows|(?:^|[^a-z])win(?:\d|[^a-z])|server_eval", re.IGNORECASE)
_WINDOWS_11 = re.compile(
    r"win(?:dows)?[ _.-]*(?:server[ _.-]*)?(?:11|2022|2025)|(?:^|/)(?:20348|2[2-9]\d{3})\.",
    re.IGNORECASE,
)
"""By name, or by the number of the build that Microsoft's own files begin with."""


def settings(want: VmWant, net: str) -> dict[str, str | int]:
    """Return the configuration of a fresh clone; `net` is its `net0` as it was cloned."""
    service = want.ref.service
    found = _own(want, net) | {"ciuser": want.user}
    if addresses := ip_config(want.nic):
        found["ipconfig0"] = addresses
    # Cloud-init at PVE has one IPv4 address a card. A host route alone: the card's network is not
    # reached by two of them.
    for number, address in enumerate(want.nic.extra4, 1):
        card = marks.mac(service, number)
        found[f"net{number}"] = network_card(want, net, card)
        found[f"ipconfig{number}"] = f"ip={address.partition('/')[0]}/32"
    if want.nameservers:
        found["nameserver"] = " ".join(want.nameservers)
    if want.password is not None:
        found["cipassword"] = want.password.reveal()
    if want.ssh_keys:
        # Encoded here and again as a form field: PVE takes it apart twice.
        found["sshkeys"] = quote("\n".join(want.ssh_keys) + "\n", safe="")
    return found


def settings_from_iso(want: VmWant, storage: str) -> dict[str, str | int]:
    """Return the configuration of a machine with an empty disk and an ISO in its drive.

    It tries the disk first: an empty one is passed over, one with a system is started. All its
    addresses are for the one card.
    """
    hardware = _hardware(file_of(want.template))
    disk = f"{storage}:{want.size.disk_gb}{hardware.disk_options}"
    return _own(want, hardware.card) | {
        "ostype": hardware.ostype,
        "cpu": CPU,
        "scsihw": "virtio-scsi-single",
        hardware.disk: disk,
        CDROM: f"{want.template},media=cdrom",
        "boot": f"order={hardware.disk};{CDROM}",
    }


class _Hardware(msgspec.Struct, frozen=True):
    """What an installer finds drivers for."""

    ostype: str
    disk: str
    disk_options: str
    card: str


def _hardware(file: str) -> _Hardware:
    """Return VirtIO, but for Windows, whose installer brings no drivers for that."""
    if not _WINDOWS.search(file):
        return _Hardware("l26", "scsi0", ",discard=on,iothread=1", "virtio")
    return _Hardware("win11" if _WINDOWS_11.search(file) else "win10", "sata0", "", "e1000e")


def _own(want: VmWant, net: str) -> dict[str, str | int]:
    """Return what every machine of ours has; `net` is the card that it is made after."""
    return {
        "name": want.ref.hostname,
        "cores": want.size.cores,
        "memory": want.size.memory_mb,
        "net0": network_card(want, net),
        "onboot": 1,
        "tags": ";".join((marks.OURS, marks.tag(want.ref.service))),
        "description": description(want.ref.service),
    }


def network_card(want: VmWant, net: str, mac: str = "") -> str:
    """Return a card: the model and options of the template's, with our bridge, VLAN and MAC."""
    options = dict(part.partition("=")[::2] for part in net.split(",") if part)
    model = next(iter(options), "virtio") if net else "virtio"
    options.pop(model, None)
    options.pop("tag", None)
    if want.bridge:
        options["bridge"] = want.bridge
    options.setdefault("bridge", "vmbr0")
    if want.nic.vlan is not None:
        options["tag"] = str(want.nic.vlan)
    card = f"{model}={mac or want.nic.mac or marks.mac(want.ref.service)}"
    return ",".join((card, *(f"{key}={value}" for key, value in sorted(options.items()))))


def mac_of(net: str) -> str:
    """Return the MAC address in `net0`, empty when there is none."""
    found = re.search(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", net)
    return "" if found is None else found[0].upper()


def ip_config(nic: Nic) -> str:
    """Return `ipconfig0`; empty leaves the card without addresses."""
    parts = {"ip": nic.address4, "gw": nic.gateway4, "ip6": nic.address6, "gw6": nic.gateway6}
    return ",".join(f"{key}={value}" for key, value in parts.items() if value)


def isos_in(config: dict[str, object]) -> tuple[str, ...]:
    """Return the drives that have an ISO in them."""
    return tuple(key for key in sorted(config) if _DISK.fullmatch(key) and is_iso(str(config[key])))


def first_disk(config: dict[str, object]) -> tuple[str, int]:
    """Return the disk that the machine boots from and its size in bytes; ("", 0) without one."""
    order = re.search(r"order=([^,]*)", str(config.get("boot", "")))
    names = order[1].split(";") if order else []
    names += sorted(key for key in config if _DISK.fullmatch(key))
    for name in names:
        value = str(config.get(name, ""))
        if _DISK.fullmatch(name) and value and "media=cdrom" not in value:
            size = re.search(r"size=(\d+(?:\.\d+)?)([KMGT])", value)
            return name, int(float(size[1]) * _SIZES[size[2]]) if size else 0
    return "", 0
