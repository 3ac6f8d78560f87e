"""Look at addresses from where this process runs: by ARP on its own networks, else by ping."""

import asyncio
import socket
from collections import defaultdict
from collections.abc import Collection, Mapping
from ipaddress import IPv4Address

from app.drivers.probe.arp import ask_neighbours
from app.drivers.probe.contract import Address, CannotProbe
from app.drivers.probe.echo import ICMP, ICMPV6, open_socket, ping
from app.drivers.probe.routes import ROUTES, interface_of, is_ethernet, is_own, read_routes

HERE = "address check"


def may_probe() -> bool:
    """Say whether this process is let send ARP and ping."""
    try:
        open_socket(ICMP).close()
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except PermissionError:
        return False
    return True


class NetworkProber:
    """Adapter of `app.drivers.probe.contract.Prober`. Takes 1.5 s where nobody answers."""

    async def who_answers(self, addresses: Collection[Address]) -> Mapping[Address, str]:
        own = {address for address in addresses if is_own(address)}
        found: dict[Address, str] = dict.fromkeys(own, f"{socket.gethostname()} has it itself")
        neighbours, others = _sorted(set(addresses) - own)
        looks = [ask_neighbours(*each) for each in neighbours.items()]
        for protocol, version in ((ICMP, 4), (ICMPV6, 6)):
            if asked := [address for address in others if address.version == version]:
                looks.append(ping(protocol, asked))
        try:
            for answers in await asyncio.gather(*looks):
                found.update(answers)
        except PermissionError as error:
            raise CannotProbe(
                HERE,
                f"the worker on {socket.gethostname()} may not send ARP or ping: it needs the "
                "capability CAP_NET_RAW (systemd: AmbientCapabilities=CAP_NET_RAW; Docker: "
                "--cap-add NET_RAW)",
            ) from error
        except OSError as error:
            raise CannotProbe(
                HERE,
                f"the worker on {socket.gethostname()} finds no way to "
                f"{', '.join(map(str, sorted(set(addresses) - own, key=str)))}: {error.strerror}",
            ) from error
        return found


def _sorted(
    addresses: Collection[Address],
) -> tuple[Mapping[str, list[IPv4Address]], list[Address]]:
    """Return the neighbours that know ARP, by interface, and all others."""
    routes = read_routes(ROUTES.read_text())
    neighbours: dict[str, list[IPv4Address]] = defaultdict(list)
    others: list[Address] = []
    for address in addresses:
        interface = interface_of(address, routes) if address.version == 4 else None
        if isinstance(address, IPv4Address) and interface and is_ethernet(interface):
            neighbours[interface].append(address)
        else:
            others.append(address)
    return neighbours, others
