"""Whether an install specification can be written into boot scripts and answer files.

What passes here has no character that iPXE, a shell, debconf, kickstart or YAML
could read as anything but text. It is checked once, before anything is rendered.
"""

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.core.errors import Invalid

if TYPE_CHECKING:
    from app.drivers.deploy.spec import Disks, InstallSpec

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOSTNAME = re.compile(_LABEL)
DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
DEVICE = re.compile(r"/dev/[A-Za-z0-9/_-]{1,80}")
MOUNT = re.compile(r"(?:/[a-z0-9][a-z0-9-]{0,30}){1,4}")
URL = re.compile(r"https?://[A-Za-z0-9.\-_~:/?@!*+,=%\[\]]{1,1000}")
SHA512_CRYPT = re.compile(r"\$6\$(?:rounds=[0-9]{4,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}")
SSH_KEY = re.compile(
    r"(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9@.-]+)"
    r" [A-Za-z0-9+/]{16,8000}={0,3}(?: [^\x00-\x1f\x7f]{0,200})?"
)
MEMBERS_LEAST = {0: 2, 1: 2, 5: 3, 6: 4, 10: 4}


def problems_of(spec: "InstallSpec") -> None:
    """Raise `Invalid` with the message of each bad field; return nothing when all is well."""
    found: dict[str, str] = {}
    _names(spec, found)
    _addresses(spec, found)
    _access(spec, found)
    _disks(spec.disks, found)
    if found:
        raise Invalid(found)


def _names(spec: "InstallSpec", found: dict[str, str]) -> None:
    if not HOSTNAME.fullmatch(spec.hostname):
        found["hostname"] = "Use 1 to 63 lower-case letters, digits and hyphens, no dot."
    if not DOMAIN.fullmatch(spec.domain) or len(spec.domain) > 180:
        found["domain"] = "Give a domain name such as example.com, in lower case."
    for field in ("os_key", "release"):
        if not NAME.fullmatch(getattr(spec, field)):
            found[field] = "Use letters, digits, dots and hyphens."
    for field in ("kernel_url", "initrd_url", "mirror_url", "callback_base", "image_url"):
        value = getattr(spec, field)
        if value is not None and not (URL.fullmatch(value) and urlsplit(value).hostname):
            found[field] = "Give an http or https address without spaces or special characters."
    if spec.callback_base.endswith("/"):
        found["callback_base"] = "Leave the slash at the end away."
    if spec.family == "ubuntu" and spec.image_url is None:
        found["image_url"] = "Ubuntu's installer needs the address of the live server image."


def _addresses(spec: "InstallSpec", found: dict[str, str]) -> None:
    if not MAC.fullmatch(spec.mac):
        found["mac"] = "Give the card's address like 52:54:00:12:34:56, in lower case."
    if not (_is_ip(spec.ipv4.address, 4) and _is_ip(spec.ipv4.gateway, 4)):
        found["ipv4"] = "The address and the gateway must be IPv4 addresses."
    elif not 1 <= spec.ipv4.prefixlen <= 32:
        found["ipv4"] = "The prefix length must be from 1 to 32."
    if not all(_is_ip(address, 4) for address in spec.extra_ipv4):
        found["extra_ipv4"] = "Each extra address must be an IPv4 address."
    if spec.ipv6 is not None:
        gateway = spec.ipv6.gateway
        if not _is_ip(spec.ipv6.address, 6) or (gateway is not None and not _is_ip(gateway, 6)):
            found["ipv6"] = "The address and the gateway must be IPv6 addresses."
        elif not 1 <= spec.ipv6.prefixlen <= 128:
            found["ipv6"] = "The prefix length must be from 1 to 128."
    if spec.vlan is not None and not 1 <= spec.vlan <= 4094:
        found["vlan"] = "A VLAN id is from 1 to 4094."
    if not spec.nameservers or not all(_is_ip(server, 0) for server in spec.nameservers):
        found["nameservers"] = "Give at least one name server, by address."


def _access(spec: "InstallSpec", found: dict[str, str]) -> None:
    if spec.root_password_hash is not None and not SHA512_CRYPT.fullmatch(spec.root_password_hash):
        # The value is not repeated: it could be a password in clear.
        found["root_password_hash"] = "This is no SHA-512 crypt hash ($6$…)."  # noqa: S105 - a message
    if not all(SSH_KEY.fullmatch(key) for key in spec.ssh_keys):
        found["ssh_keys"] = "Give each key on one line, as in a .pub file."
    if spec.root_password_hash is None and not spec.ssh_keys:
        found["ssh_keys"] = "Without a root password at least one SSH key is needed."
    if not 1 <= spec.ssh_port <= 65535:
        found["ssh_port"] = "A port is from 1 to 65535."


def _disks(disks: "Disks", found: dict[str, str]) -> None:
    least = 1 if disks.raid is None else MEMBERS_LEAST[disks.raid]
    if not least <= disks.count <= 24:
        found["disks"] = f"This layout needs from {least} to 24 disks."
    elif disks.devices and len(disks.devices) < disks.count:
        found["disks"] = f"{disks.count} disks are wanted; {len(disks.devices)} are named."
    elif not all(DEVICE.fullmatch(path) for path in disks.devices):
        found["disks"] = "A device is a path such as /dev/sda."
    elif len(set(disks.paths())) < len(disks.paths()):
        found["disks"] = "A device is named twice."
    elif not all(MOUNT.fullmatch(volume.mount) for volume in disks.volumes):
        found["disks"] = "A volume is a path such as /home."


def _is_ip(text: str, version: int) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    # A scope (fe80::1%eth0) names a card of this machine, not of that one.
    return "%" not in text and version in {0, address.version}
