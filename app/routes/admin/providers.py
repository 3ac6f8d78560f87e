"""Ask the connected providers of virtual machines what products can be made of."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from app.components.admin.machine_rules import Providers
from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.connections.grouping import groups, members_of
from app.domain.connections.kinds import Kind
from app.domain.connections.open import open_connection
from app.drivers.errors import DriverError
from app.drivers.hypervisor.contract import HypervisorPeer, Offers
from app.drivers.peers import NoTurns, Peers

ASK_S = 8.0


async def read_providers(db: Database, vault: Vault, peers: Peers) -> Providers:
    """Return what can be chosen; all are asked at once, each for 8 s at most.

    What one said within the last minute holds, unless its connection was changed since.
    """
    async with db.snapshot() as tx:
        sites = [row[0] for row in await tx.fetch("SELECT code FROM datacentre ORDER BY 1")]
        opened = await _open_all(tx, vault)
        members = await members_of(tx, await groups(tx))
    answers = await asyncio.gather(*(_ask(peers, peer, since) for peer, since in opened))
    told = dict(zip((peer.name for peer, _ in opened), answers, strict=True))
    offers = {name: answer for name, answer in told.items() if isinstance(answer, Offers)}
    for group, some in members.items():
        known = [offers[one.connection] for one in some if one.connection in offers]
        if known:
            offers[group] = _all_of(known)
    return Providers(
        connections=[*told, *members],
        datacentres=sites,
        offers=offers,
        silent={name: answer for name, answer in told.items() if isinstance(answer, str)},
    )


def _all_of(known: Sequence[Offers]) -> Offers:
    """Return what a group has: what any of its providers has."""
    return Offers(
        **{
            name: tuple(dict.fromkeys(one for offers in known for one in getattr(offers, name)))
            for name in Offers.__struct_fields__
        }
    )


async def _open_all(tx: Tx, vault: Vault) -> list[tuple[HypervisorPeer, datetime]]:
    """Return them, and since when each is as it is."""
    rows = await tx.fetch(
        "SELECT name, updated_at FROM connection WHERE kind = $1 ORDER BY name", Kind.HYPERVISOR
    )
    return [
        (peer, row["updated_at"])
        for row in rows
        for peer in [await open_connection(tx, vault, row["name"])]
        if isinstance(peer, HypervisorPeer)
    ]


async def _ask(peers: Peers, peer: HypervisorPeer, since: datetime) -> Offers | str:
    """Return what the provider has, or why it does not say."""
    try:
        async with asyncio.timeout(ASK_S):
            driver = peers.hypervisor(peer, NoTurns())
            return await peers.recent.get((Kind.HYPERVISOR, peer.name, since), driver.offers)
    except DriverError as error:
        return f"{error.message[:1].upper()}{error.message[1:]}."
    except TimeoutError:
        return f"It does not answer within {ASK_S:g} s."
