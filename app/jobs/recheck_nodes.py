"""Have clouds look again at servers in quarantine that are their nodes."""

import asyncio
from typing import Any
from uuid import UUID

import structlog

from app.core.database import Database
from app.core.errors import Refusal
from app.core.secrets import Vault
from app.domain.connections.errors import WrongKind
from app.domain.connections.kinds import Kind
from app.domain.connections.open import open_connection
from app.domain.metal.recheck import DueNode, due_nodes, is_service, note_look, trouble_of
from app.drivers.errors import DriverError
from app.drivers.metal.contract import MetalPeer, NodeLost
from app.drivers.peers import Peers
from app.flows.connections import KINDS
from app.jobs.sweeps import context_of

LOOK_S = 60.0
log = structlog.get_logger()


async def recheck_nodes(ctx: dict[str, Any]) -> None:
    """Ask about each server that is due; a cloud that hangs keeps no other back."""
    context = context_of(ctx)
    await recheck_due_nodes(context.database, context.vault, context.peers)


async def recheck_due_nodes(database: Database, vault: Vault, peers: Peers) -> list[UUID]:
    """Ask about each server that is due, and return which were asked about."""
    async with database.transaction() as tx:
        due = await due_nodes(tx)
    await asyncio.gather(*(_recheck(database, vault, peers, one) for one in due))
    return [one.server for one in due]


async def _recheck(database: Database, vault: Vault, peers: Peers, due: DueNode) -> None:
    try:
        async with asyncio.timeout(LOOK_S):
            trouble = await _look(database, vault, peers, due)
    except NodeLost as error:
        trouble = error.message
    except (DriverError, Refusal, TimeoutError) as error:
        # Of the server neither a cloud out of reach nor our own key or settings say anything, nor
        # does what is no cloud; it is asked about again in a while.
        log.info("metal.not_asked", server=str(due.server), error=str(error))
        return
    async with database.transaction() as tx:
        await note_look(tx, due, trouble)
    log.info("metal.rechecked", server=str(due.server), trouble=trouble)


async def _look(database: Database, vault: Vault, peers: Peers, due: DueNode) -> str:
    """Return what the cloud has against the server, "" for nothing. Raises WrongKind."""
    async with database.snapshot() as tx:
        peer = await open_connection(tx, vault, due.connection)
    if not isinstance(peer, MetalPeer):
        raise WrongKind(due.connection, kind=KINDS[type(peer)], wanted=Kind.METAL)
    found = await peers.metal(peer).examine(due.node)
    async with database.snapshot() as tx:
        is_known = await is_service(tx, found.node.service)
    return trouble_of(found, is_known=is_known)
