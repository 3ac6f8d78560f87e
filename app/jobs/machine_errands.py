"""`machine.errand`: do at a provider what a person has decided about a machine or game server."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from app.core.database import Database
from app.core.errors import Refusal
from app.core.outbox import Parcel, finish
from app.core.secrets import Vault
from app.core.turns import DatabaseTurns
from app.domain.connections.open import open_connection
from app.domain.machines.errand import (
    Deed,
    Errand,
    Played,
    go_on,
    is_still_wanted,
    note_done,
    note_failed,
)
from app.drivers.errors import DriverError, Retriable
from app.drivers.game.contract import Game, GamePeer, GamePower, GameServer
from app.drivers.hypervisor.contract import (
    Hypervisor,
    HypervisorPeer,
    Ref,
    Vm,
    VmPower,
    Working,
)
from app.drivers.hypervisor.iso import InstallsFromIso
from app.drivers.peers import Peers
from app.drivers.power import Power
from app.jobs.stop_then_start import stop_then_start

AGAIN = timedelta(seconds=15)
"""After an answer that may be another one in a moment."""
ADVANCE_S = 24.0
"""Less than the relay gives; what a provider does meanwhile is seen the next time."""
POWERS = {Deed.start: VmPower.RUNNING, Deed.stop: VmPower.STOPPED}
Found = Vm | Played | Working | str | None


async def run_errand(database: Database, vault: Vault, peers: Peers, parcel: Parcel) -> None:
    """Do the next part of an errand; what it comes to is written down. Safe to do twice.

    What is right by now, or is not wanted any more, is left alone.
    """
    errand = msgspec.convert(parcel.payload, Errand)
    async with database.snapshot() as tx:
        now, is_wanted = tx.now(), await is_still_wanted(tx, errand)
    found: Found
    if now > errand.until:
        found = "It was not done in time. Look at it, then do it again."
    elif not is_wanted:
        found = "It should be otherwise by now."
    else:
        try:
            found = await _next_part(database, vault, peers, errand)
        except (Retriable, TimeoutError):
            found = Working(errand.memo, AGAIN.total_seconds(), "")
        except (DriverError, Refusal) as error:
            found = error.message
    async with database.transaction() as tx:
        if not await finish(tx, parcel):
            return
        if isinstance(found, Working):
            at = tx.now() + timedelta(seconds=found.again_s)
            await go_on(tx, errand, memo=found.memo, at=at)
        elif isinstance(found, str):
            await note_failed(tx, errand, found)
        elif await is_still_wanted(tx, errand):
            await note_done(tx, errand, found)


async def _next_part(database: Database, vault: Vault, peers: Peers, errand: Errand) -> Found:
    async with database.snapshot() as tx:
        peer = await open_connection(tx, vault, errand.connection)
    async with asyncio.timeout(ADVANCE_S):
        match peer:
            case HypervisorPeer():
                return await _advance(peers.hypervisor(peer, DatabaseTurns(database)), errand)
            case GamePeer():
                return await _advance_game(peers.game(peer), errand)
            case _:
                return f"{errand.connection} is no provider of machines or game servers."


async def _advance(hypervisor: Hypervisor, errand: Errand) -> Vm | Working | str | None:
    ref, memo = Ref(errand.service, errand.hostname), errand.memo
    found: Vm | Working | str | None = None
    match errand.deed:
        case Deed.suspend:
            found = await hypervisor.suspend(ref, memo)
        case Deed.unsuspend:
            found = await hypervisor.unsuspend(ref, memo)
        case Deed.start | Deed.stop:
            found = await hypervisor.power(ref, POWERS[errand.deed], memo)
        case Deed.restart:
            found = await _restart(hypervisor, ref, memo)
        case Deed.kill | Deed.reset:
            found = "A machine has no such button."
        case Deed.eject:
            found = await _eject(hypervisor, ref, memo)
        case Deed.remove:
            found = await hypervisor.delete(ref, memo)
        case Deed.release:
            there = await hypervisor.find(ref)
            if there is not None:
                found = f"The provider has it: machine {there.id} on {there.node}."
    return found


async def _eject(hypervisor: Hypervisor, ref: Ref, memo: dict[str, Any]) -> Vm | Working | str:
    if not isinstance(hypervisor, InstallsFromIso):
        return "Its provider installs from no ISO, and takes none out."
    return await hypervisor.eject(ref, memo)


async def _restart(hypervisor: Hypervisor, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    """Stop it, hard if its system does not, then start it: what hangs is restarted too."""
    stop = partial(hypervisor.power, ref, VmPower.STOPPED)
    return await stop_then_start(stop, partial(hypervisor.power, ref, VmPower.RUNNING), memo)


async def _advance_game(game: Game, errand: Errand) -> Played | Working | str | None:
    service, memo = errand.service, errand.memo
    found: Played | Working | str | None = None
    match errand.deed:
        case Deed.suspend:
            found = Played(await game.suspend(service), Power.OFF)
        case Deed.unsuspend:
            found = Played(await game.unsuspend(service), Power.OFF)
        case Deed.start:
            found = _played(await game.power(service, GamePower.RUNNING, memo), Power.ON)
        case Deed.stop:
            found = _played(await game.power(service, GamePower.STOPPED, memo), Power.OFF)
        case Deed.restart:
            found = Played(await game.restart(service), Power.ON)
        case Deed.kill:
            found = Played(await game.kill(service), Power.OFF)
        case Deed.remove:
            await game.delete(service)
        case Deed.release:
            there = await game.find(service)
            if there is not None:
                found = f"The panel has it: server {there.id} on {there.node}."
    return found


def _played(found: GameServer | Working, power: Power) -> Played | Working:
    return found if isinstance(found, Working) else Played(found, power)
