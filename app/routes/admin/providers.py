"""Ask the connected providers of virtual machines what products can be made of."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from app.components.admin.machine_rules import Providers
from app.core.database import Database
from app.core.secrets import Vault
from app.domain.connections.grouping import groups, members_of
from app.domain.connections.kinds import Kind
from app.drivers.hypervisor.contract import Hypervisor, HypervisorPeer, Offers
from app.drivers.hypervisor.iso import InstallsFromIso
from app.drivers.peers import NoTurns, Peers
from app.routes.admin.offered import ask_all, open_all


async def read_providers(db: Database, vault: Vault, peers: Peers) -> Providers:
    """Return what can be chosen, as `ask_all` learns it."""
    async with db.snapshot() as tx:
        sites = [row[0] for row in await tx.fetch("SELECT code FROM datacentre ORDER BY 1")]
        opened = await open_all(tx, vault, Kind.HYPERVISOR, HypervisorPeer)
        members = await members_of(tx, await groups(tx))
    told = await ask_all(
        peers,
        Kind.HYPERVISOR,
        opened,
        lambda peer: _offers(peers.hypervisor(peer, NoTurns())),
    )
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


async def _offers(hypervisor: Hypervisor) -> Offers:
    """Return what one has, the ISOs too where it installs from these."""
    if not isinstance(hypervisor, InstallsFromIso):
        return await hypervisor.offers()
    offers, isos = await asyncio.gather(hypervisor.offers(), hypervisor.isos())
    return replace(offers, isos=isos)


def _all_of(known: Sequence[Offers]) -> Offers:
    """Return what a group has: what any of its providers has."""
    return Offers(
        **{
            name: tuple(dict.fromkeys(one for offers in known for one in getattr(offers, name)))
            for name in Offers.__struct_fields__
        }
    )
