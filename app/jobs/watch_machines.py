"""Ask providers and panels for all they have, each now and then, and at once when told."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from app.core.database import Database
from app.core.errors import Refusal
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.connections.open import open_connection
from app.domain.machines.judge import There
from app.domain.machines.watch import DOORBELL, note_reading, note_silence, take_due
from app.drivers.errors import DriverError
from app.drivers.game.contract import GamePeer, Limited
from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.peers import NoTurns, Peers
from app.jobs.watch_due import DueWatch

SWEEP_S = 5.0
SLOTS: Mapping[bool, int] = {False: 4, True: 2}
"""How many providers are asked at once; those that were silent the last time have slots of their
own, so that nobody waits for them."""
READ_S = 40.0
"""How long an answer may take; less than a provider is put off for."""
log = structlog.get_logger()


class MachineWatch(DueWatch[str]):
    """A worker's look at providers; it reads and writes down, and changes nothing at one."""

    def __init__(self, database: Database, live: Live, vault: Vault, peers: Peers) -> None:
        super().__init__(
            database,
            live,
            doorbell=DOORBELL,
            slots=SLOTS,
            take_due=take_due,
            ask=self._ask,
            sweep_s=SWEEP_S,
        )
        self._vault = vault
        self._peers = peers

    async def _ask(self, connection: str) -> None:
        try:
            began_at = self._database.clock.now()
            said = await self._read(connection)
            if said is not None:
                await self._note(connection, said, began_at)
        except Exception:
            # It is due again soon.
            log.exception("machines.failed", connection=connection)

    async def _note(self, connection: str, said: Sequence[There] | str, began_at: datetime) -> None:
        async with self._database.transaction() as tx:
            if isinstance(said, str):
                await note_silence(tx, connection, said)
            else:
                await note_reading(tx, connection, said, began_at=began_at)

    async def _read(self, connection: str) -> Sequence[There] | str | None:
        """Return all machines of a provider, or why it does not tell; None: it asks for a pause."""
        try:
            async with self._database.snapshot() as tx:
                peer = await open_connection(tx, self._vault, connection)
            async with asyncio.timeout(READ_S):
                match peer:
                    case HypervisorPeer():
                        return await self._peers.hypervisor(peer, NoTurns()).machines()
                    case GamePeer():
                        return await self._peers.game(peer).servers()
                    case _:
                        return "it is no provider of machines or game servers"
        except TimeoutError:
            return f"no answer within {READ_S:g} s"
        except Limited:
            log.info("machines.limited", connection=connection)
            return None
        except (DriverError, Refusal) as error:
            log.info("machines.unread", connection=connection, error=str(error))
            return error.message
