"""What the files of the new system say about its network and its SSH server.

Installers configure a network of their own; what the system boots with is in its files:
systemd-networkd's (man systemd.network), NetworkManager's keyfiles, and sshd_config.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from fnmatch import fnmatch

from lab.installers.plan import InstallError

KEYFILE_ADDRESS = re.compile(r"^address\d*=([^,\s]+)(?:,(\S+))?$")
INCLUDED = "/etc/ssh/sshd_config.d/*.conf"


@dataclass(slots=True)
class Addresses:
    """What the files configure; `ipv4` is None when they configure nothing."""

    ipv4: ipaddress.IPv4Interface | None = None
    gateway: str | None = None
    ipv6: str | None = None
    extra_ipv4: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        interface = ipaddress.ip_interface(text)
        if interface.version == 6:
            self.ipv6 = self.ipv6 or text
        elif self.ipv4 is None:
            self.ipv4 = ipaddress.IPv4Interface(text)
        else:
            self.extra_ipv4.append(str(interface.ip))

    def add_gateway(self, text: str) -> None:
        if ipaddress.ip_address(text).version == 4:
            self.gateway = self.gateway or text


@dataclass(frozen=True, slots=True)
class Sshd:
    """The SSH server's settings; OpenSSH's defaults where the files are silent."""

    port: int = 22
    passwords: bool = True
    root_passwords: bool = False


def find_addresses(files: dict[str, str]) -> Addresses:
    """Return the addresses of the first configuration that has any; raise InstallError."""
    found = Addresses()
    try:
        for path in sorted(files):
            if fnmatch(path, "/etc/systemd/network/*.network"):
                _networkd(files[path], found)
            elif fnmatch(path, "/etc/NetworkManager/system-connections/*.nmconnection"):
                _keyfile(files[path], found)
    except ValueError as problem:
        raise InstallError(f"The installed system's network is not valid: {problem}") from None
    return found


def read_sshd(files: dict[str, str], *, root_passwords: bool) -> Sshd:
    """Return sshd's settings: the first value of a keyword wins (man sshd_config)."""
    paths = [*sorted(path for path in files if fnmatch(path, INCLUDED)), "/etc/ssh/sshd_config"]
    values: dict[str, str] = {}
    for path in paths:
        for line in files.get(path, "").splitlines():
            keyword, _, value = line.strip().partition(" ")
            if keyword.lower() == "match":
                break
            if keyword and not keyword.startswith("#"):
                values.setdefault(keyword.lower(), value.strip())
    port = values.get("port", "22")
    root = values.get("permitrootlogin", "yes" if root_passwords else "prohibit-password")
    return Sshd(
        port=int(port) if port.isdecimal() else 22,
        passwords=values.get("passwordauthentication", "yes") == "yes",
        root_passwords=root == "yes",
    )


def _networkd(text: str, found: Addresses) -> None:
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "Address":
            found.add(value.strip())
        elif key.strip() == "Gateway":
            found.add_gateway(value.strip())


def _keyfile(text: str, found: Addresses) -> None:
    for line in text.splitlines():
        if match := KEYFILE_ADDRESS.match(line.strip()):
            found.add(match[1])
            if match[2]:
                found.add_gateway(match[2])
