"""Which addresses are on a network of this machine, and on which. Linux."""

import socket
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import NamedTuple

from app.drivers.probe.contract import Address

ROUTES = Path("/proc/net/route")
UP, GATEWAY = 0x1, 0x2
ETHERNET = "1"
"""ARPHRD_ETHER in /sys/class/net/*/type: tunnels and the like know no ARP."""
ANY_PORT = 9


class Route(NamedTuple):
    network: IPv4Network
    interface: str
    is_direct: bool


def read_routes(text: str) -> list[Route]:
    """Read /proc/net/route: numbers are hexadecimal, addresses in the machine's byte order."""
    routes = []
    for line in text.splitlines()[1:]:
        interface, destination, _, flags, _, _, _, mask, *_ = line.split()
        if int(flags, 16) & UP:
            network = f"{_address(destination)}/{_address(mask)}"
            is_direct = not int(flags, 16) & GATEWAY
            routes.append(Route(IPv4Network(network, strict=False), interface, is_direct))
    return routes


def interface_of(address: IPv4Address, routes: list[Route]) -> str | None:
    """Return the interface behind which `address` is a neighbour; None if a router is between."""
    matching = [route for route in routes if address in route.network]
    best = max(matching, key=lambda route: route.network.prefixlen, default=None)
    return best.interface if best is not None and best.is_direct else None


def is_ethernet(interface: str) -> bool:
    try:
        return Path(f"/sys/class/net/{interface}/type").read_text().strip() == ETHERNET
    except OSError:
        return False


def is_own(address: Address) -> bool:
    """Say whether this machine has the address itself: then it never asks for it on the wire."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), ANY_PORT))  # nothing is sent
            return bool(probe.getsockname()[0] == str(address))
    except OSError:
        return False


def _address(text: str) -> IPv4Address:
    return IPv4Address(int.from_bytes(bytes.fromhex(text), "little"))
