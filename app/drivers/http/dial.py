"""Connect only where the egress policy allows; judged when the connection is made."""

import socket

import aiohttp
from aiohappyeyeballs import AddrInfoType

from app.drivers.egress import Egress

KEEP_ALIVE_S = 4.0
"""Shorter than what servers usually allow (uvicorn, Node: 5 s), so that a call is not sent on a
connection that is being closed: nobody would know whether it was heard."""
RESOLVE_AGAIN_S = 10


class Denied(PermissionError):
    """Says the same of every address, so that aiohttp keeps it as the cause when all are denied."""

    def __init__(self, address: str) -> None:
        super().__init__("not allowed by the egress policy")
        self.address = address


def connector(egress: Egress) -> aiohttp.TCPConnector:
    """Return a pool of kept-alive connections; a socket to a denied address is never made."""

    def make(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        host = str(address[0])
        if not egress.allows(host):
            raise Denied(host)
        return socket.socket(family=family, type=kind, proto=protocol)

    return aiohttp.TCPConnector(
        limit=0,
        limit_per_host=0,
        keepalive_timeout=KEEP_ALIVE_S,
        ttl_dns_cache=RESOLVE_AGAIN_S,
        socket_factory=make,
    )
