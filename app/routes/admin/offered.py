"""Ask all connections of a kind what products can be made of there."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeAlias, TypeVar

from app.core.database import Tx
from app.core.secrets import Vault
from app.domain.connections.kinds import Kind
from app.domain.connections.open import open_connection
from app.drivers.errors import DriverError
from app.drivers.game.contract import GamePeer
from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.peers import Peers

ASK_S = 8.0
P = TypeVar("P", bound=GamePeer | HypervisorPeer)
Offered = TypeVar("Offered")
Opened: TypeAlias = Sequence[tuple[P, datetime]]
"""Peers, and since when the connection of each is as it is."""


async def open_all(tx: Tx, vault: Vault, kind: Kind, of: type[P]) -> Opened[P]:
    """Return the peers of a kind, by name; a statement, and one for each."""
    rows = await tx.fetch(
        "SELECT name, updated_at FROM connection WHERE kind = $1 ORDER BY name", kind
    )
    return [
        (peer, row["updated_at"])
        for row in rows
        for peer in [await open_connection(tx, vault, row["name"])]
        if isinstance(peer, of)
    ]


async def ask_all(
    peers: Peers, kind: Kind, opened: Opened[P], ask: Callable[[P], Awaitable[Offered]]
) -> dict[str, Offered | str]:
    """Return what each has, or why it does not say; all are asked at once, each for 8 s at most.

    What one said within the last minute holds, unless its connection was changed since.
    """

    async def answer(peer: P, since: datetime) -> Offered | str:
        try:
            async with asyncio.timeout(ASK_S):
                return await peers.recent.get((kind, peer.name, since), partial(ask, peer))
        except DriverError as error:
            return f"{error.message[:1].upper()}{error.message[1:]}."
        except TimeoutError:
            return f"It does not answer within {ASK_S:g} s."

    answers = await asyncio.gather(*(answer(peer, since) for peer, since in opened))
    return dict(zip((peer.name for peer, _ in opened), answers, strict=True))
