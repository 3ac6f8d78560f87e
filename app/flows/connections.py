"""Connections as nodes use them: opened once for many steps, anew when they may have changed."""

import time
from collections.abc import Callable
from typing import TypeVar

from app.domain.connections.errors import WrongKind
from app.domain.connections.kinds import Kind
from app.domain.connections.open import open_connection
from app.drivers.chat.contract import ChatRoom
from app.drivers.dns.contract import DnsServer
from app.drivers.game.contract import GamePeer
from app.drivers.http.contract import HttpPeer
from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.metal.contract import MetalPeer
from app.drivers.peers import Peer
from app.drivers.ssh.contract import SshHost
from app.flows.node import Step

KEPT_S = 3.0
"""How long a change of a connection may go unseen; thousands of steps share one look-up."""

KINDS: dict[type, Kind] = {
    HttpPeer: Kind.HTTP,
    SshHost: Kind.SSH,
    DnsServer: Kind.DNS,
    ChatRoom: Kind.CHAT,
    HypervisorPeer: Kind.HYPERVISOR,
    GamePeer: Kind.GAME,
    MetalPeer: Kind.METAL,
}
P = TypeVar("P", bound=Peer)


class Opened:
    """The connections that a worker has open, with their secrets; memory only."""

    def __init__(self, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._elapsed_s = elapsed_s
        self._kept: dict[str, tuple[Peer, float]] = {}

    async def get(self, step: Step, name: str, kind: type[P]) -> P:
        """Return the peer of that name; one statement every few seconds.

        Raises UnknownConnection, WrongKind.
        """
        peer, until_s = self._kept.get(name, (None, 0.0))
        if peer is None or self._elapsed_s() >= until_s:
            self._kept.pop(name, None)
            async with step.database.snapshot() as tx:
                peer = await open_connection(tx, step.tools.vault, name)
            self._kept[name] = (peer, self._elapsed_s() + KEPT_S)
        if not isinstance(peer, kind):
            raise WrongKind(name, kind=KINDS[type(peer)], wanted=KINDS[kind])
        return peer

    def forget(self, name: str) -> None:
        """Open it anew next time: its credentials were refused, and may be corrected by then."""
        self._kept.pop(name, None)
