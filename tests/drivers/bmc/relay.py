"""A UDP relay before an IPMI BMC: what goes wrong on the way, or in a BMC as if on the way."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Self

OPEN_REQUEST, OPEN_RESPONSE, RAKP2 = 0x10, 0x11, 0x13
ALGORITHM_AT = 28
"""Of an open session request: after RMCP and session header (16) and its own first bytes (12)."""
SHA1, SHA256 = 1, 3


@dataclass
class Relay(asyncio.DatagramProtocol):
    """Passes packets on to `port` and their answers back; counts sign-ins by algorithm."""

    port: int
    silent_after_open: bool = False
    """Answer Open Session, and then nothing more."""
    dead: bool = False
    deaf_to_sha256: bool = False
    """Say nothing to an offer of cipher suite 17."""
    opened: list[int] = field(default_factory=list)
    """The algorithm of each sign-in that was offered and passed on."""
    lose: int = 0
    """Drop so many answers."""
    slow_s: float = 0.0
    """How long each answer takes; set, answers are counted."""
    answered: int = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._ways: dict[Any, asyncio.DatagramTransport] = {}
        self._front, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.front_port: int = self._front.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._front.close()
        for way in self._ways.values():
            way.close()

    @property
    def clients(self) -> int:
        """Return how many sockets have called."""
        return len(self._ways)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        kind = _kind(data)
        if self.dead or (self.silent_after_open and kind not in {None, OPEN_REQUEST}):
            return
        if kind == OPEN_REQUEST:
            if self.deaf_to_sha256 and data[ALGORITHM_AT] == SHA256:
                return
            self.opened.append(data[ALGORITHM_AT])
        asyncio.get_running_loop().create_task(self._pass_on(data, addr))

    async def _pass_on(self, data: bytes, addr: Any) -> None:
        if addr not in self._ways:
            back = _Back(self, addr)
            way, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: back, remote_addr=("127.0.0.1", self.port)
            )
            self._ways[addr] = way
        self._ways[addr].sendto(data)

    def answer(self, data: bytes, addr: Any) -> None:
        if self.lose:
            self.lose -= 1
        elif self.slow_s:
            self.answered += 1
            asyncio.get_running_loop().call_later(self.slow_s, self._front.sendto, data, addr)
        else:
            self._front.sendto(data, addr)


@dataclass
class _Back(asyncio.DatagramProtocol):
    relay: Relay
    client: Any

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.relay.answer(data, self.client)


def _kind(data: bytes) -> int | None:
    """Return the payload type of an IPMI 2.0 packet; None for what comes before a session."""
    return data[5] & 0x3F if len(data) > 16 and data[4] == 6 else None
