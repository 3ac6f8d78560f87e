"""From a host's name to the addresses that flows may connect to."""

import asyncio
import socket

from app.drivers.egress import Egress
from app.drivers.errors import Unreachable

RESOLVE_S = 10.0


async def addresses(host: str, port: int, egress: Egress, *, peer: str) -> list[str]:
    """Return the addresses of `host` that the policy allows, the preferred first.

    The caller connects to one of these, and not to the name: it may lead elsewhere a moment
    later. Raises Unreachable when there are none, EgressDenied when none is allowed.
    """
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )
    except (OSError, UnicodeError) as error:
        raise Unreachable(peer, f"the name {host} cannot be resolved: {error}") from error
    return egress.choose(peer, dict.fromkeys(str(each[4][0]) for each in found))
