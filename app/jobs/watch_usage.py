"""Read what machines use from their providers: each three times an hour, games every 5 min."""

import asyncio
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

from app.core.database import Database, Tx
from app.core.errors import Refusal
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.connections.open import open_connection
from app.domain.games.note import note_game_power
from app.domain.usage.note import (
    Due,
    note_counters,
    note_unread,
    note_usage,
    put_off,
    take_due,
)
from app.drivers.errors import DriverError
from app.drivers.game.contract import GamePeer, GamePower, GameUsage, Limited
from app.drivers.hypervisor.contract import HypervisorPeer, Usage
from app.drivers.peers import NoTurns, Peers
from app.drivers.power import Power

DOORBELL = "doorbell:usage"
"""Nobody rings: nothing that is done here makes samples come sooner."""
SWEEP_S = 10.0
SLOTS = 4
"""How many machines a worker reads at once."""
READ_S = 30.0
OLD = timedelta(seconds=20)
"""How old a panel's answer may be: it was switched since, maybe."""
Said: TypeAlias = tuple[Usage, ...] | GameUsage | Limited | str
log = structlog.get_logger()


class UsageWatch:
    """A worker's long-lived look at what is due; any number of workers look."""

    def __init__(self, database: Database, live: Live, vault: Vault, peers: Peers) -> None:
        self._database = database
        self._live = live
        self._vault = vault
        self._peers = peers

    async def run(self) -> None:
        """Run until cancelled; what is being read then is read again at its next turn."""
        await self._live.keep_sweeping(DOORBELL, self._sweep_and_wait, at_most_s=SWEEP_S)

    async def sweep(self) -> int:
        """Read what is due, four machines at a time; returns how many were read or tried."""
        done = 0
        while True:
            async with self._database.transaction() as tx:
                due = await take_due(tx, SLOTS)
            if not due:
                return done
            await asyncio.gather(*(self._read(one) for one in due))
            done += len(due)

    async def _sweep_and_wait(self) -> float:
        await self.sweep()
        return SWEEP_S

    async def _read(self, due: Due) -> None:
        try:
            began_at = self._database.clock.now()
            said = await self._ask(due)
            async with self._database.transaction() as tx:
                await _note(tx, due, said, began_at)
        except Exception:
            # It is due again soon.
            log.exception("usage.failed", service=str(due.ref.service))

    async def _ask(self, due: Due) -> Said:
        """Return what a machine used, or why that is not known."""
        try:
            async with self._database.snapshot() as tx:
                peer = await open_connection(tx, self._vault, due.connection)
            async with asyncio.timeout(READ_S):
                match peer:
                    case HypervisorPeer() if due.game is None:
                        return await self._peers.hypervisor(peer, NoTurns()).usage(due.ref)
                    case GamePeer() if due.game is not None:
                        game = self._peers.game(peer)
                        return await game.usage(due.ref.service, short=due.game.short)
                    case _:
                        return f"{due.connection} is no provider of that"
        except TimeoutError:
            return f"no answer within {READ_S:g} s"
        except Limited as limited:
            return limited
        except (DriverError, Refusal) as error:
            log.info("usage.unread", service=str(due.ref.service), error=str(error))
            return error.message


async def _note(tx: Tx, due: Due, said: Said, began_at: datetime) -> None:
    service = due.ref.service
    match said:
        case str():
            await note_unread(tx, service, said)
        case Limited():
            await note_unread(tx, service, said.message)
            await put_off(tx, due.connection, tx.now() + timedelta(seconds=said.again_s))
        case GameUsage():
            cpu_percent = due.game.cpu_percent if due.game else 0
            await note_counters(tx, service, said, at=began_at, cpu_percent=cpu_percent)
            power = Power.OFF if said.power is GamePower.STOPPED else Power.ON
            await note_game_power(tx, service, power, as_of=began_at - OLD)
        case _:
            await note_usage(tx, service, said)
