"""`machine.errand`: do at a provider what a person has decided about a machine."""

import asyncio
from datetime import timedelta

import msgspec

from app.core.database import Database
from app.core.errors import Refusal
from app.core.outbox import Parcel
from app.core.secrets import Vault
from app.core.turns import DatabaseTurns
from app.domain.connections.open import open_connection
from app.domain.machines.errand import (
    Deed,
    Errand,
    go_on,
    is_still_wanted,
    note_done,
    note_failed,
)
from app.drivers.errors import DriverError, Retriable
from app.drivers.hypervisor.contract import (
    Hypervisor,
    HypervisorPeer,
    Ref,
    Vm,
    VmPower,
    Working,
)
from app.drivers.peers import Peers

AGAIN = timedelta(seconds=15)
"""After an answer that may be another one in a moment."""
ADVANCE_S = 24.0
"""Less than the relay gives; what a provider does meanwhile is seen the next time."""


async def run_errand(database: Database, vault: Vault, peers: Peers, parcel: Parcel) -> None:
    """Do the next part of an errand; what it comes to is written down. Safe to do twice.

    What is right by now, or is not wanted any more, is left alone.
    """
    errand = msgspec.convert(parcel.payload, Errand)
    async with database.snapshot() as tx:
        now, is_wanted = tx.now(), await is_still_wanted(tx, errand)
    found: Vm | Working | str | None
    if now > errand.until:
        found = "It was not done within 15 minutes. Look at it, then do it again."
    elif not is_wanted:
        found = "It should be otherwise by now."
    else:
        try:
            async with database.snapshot() as tx:
                peer = await open_connection(tx, vault, errand.connection)
            if not isinstance(peer, HypervisorPeer):
                found = f"{errand.connection} is no provider of virtual machines."
            else:
                async with asyncio.timeout(ADVANCE_S):
                    hypervisor = peers.hypervisor(peer, DatabaseTurns(database))
                    found = await _advance(hypervisor, errand)
        except (Retriable, TimeoutError):
            found = Working(errand.memo, AGAIN.total_seconds(), "")
        except (DriverError, Refusal) as error:
            found = error.message
    async with database.transaction() as tx:
        if isinstance(found, Working):
            at = tx.now() + timedelta(seconds=found.again_s)
            await go_on(tx, errand, memo=found.memo, at=at)
        elif isinstance(found, str):
            await note_failed(tx, errand, found)
        elif await is_still_wanted(tx, errand):
            await note_done(tx, errand, found)


async def _advance(hypervisor: Hypervisor, errand: Errand) -> Vm | Working | str | None:
    ref = Ref(errand.service, errand.hostname)
    match errand.deed:
        case Deed.suspend:
            return await hypervisor.suspend(ref, errand.memo)
        case Deed.unsuspend:
            return await hypervisor.unsuspend(ref, errand.memo)
        case Deed.start:
            return await hypervisor.power(ref, VmPower.RUNNING, errand.memo)
        case Deed.remove:
            return await hypervisor.delete(ref, errand.memo)
        case Deed.release:
            there = await hypervisor.find(ref)
            if there is not None:
                return f"The provider has it: machine {there.id} on {there.node}."
            return None
