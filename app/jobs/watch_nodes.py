"""Ask clouds of bare metal for all their nodes, each now and then, and at once when told."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from app.core.database import Database
from app.core.errors import Refusal
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.connections.open import open_connection
from app.domain.metal.watch import DOORBELL, note_reading, note_silence, take_due
from app.drivers.errors import DriverError
from app.drivers.metal.contract import MetalNode, MetalPeer
from app.drivers.peers import Peers
from app.jobs.watch_due import DueWatch

SWEEP_S = 5.0
SLOTS: Mapping[bool, int] = {False: 4, True: 2}
"""How many clouds are asked at once; those that were silent the last time have slots of their own,
so that nobody waits for them."""
READ_S = 80.0
"""How long an answer may take, all its pages together; less than a cloud is put off for."""
log = structlog.get_logger()


class NodeWatch(DueWatch[str]):
    """A worker's look at clouds; it reads and writes down, and changes nothing at a cloud."""

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
            await self._note(connection, said, began_at)
        except Exception:
            # It is due again soon.
            log.exception("nodes.failed", connection=connection)

    async def _note(
        self, connection: str, said: Sequence[MetalNode] | str, began_at: datetime
    ) -> None:
        async with self._database.transaction() as tx:
            if isinstance(said, str):
                await note_silence(tx, connection, said)
            else:
                await note_reading(tx, connection, said, began_at=began_at)

    async def _read(self, connection: str) -> Sequence[MetalNode] | str:
        """Return all nodes of a cloud, or why it does not tell."""
        try:
            async with self._database.snapshot() as tx:
                peer = await open_connection(tx, self._vault, connection)
            if not isinstance(peer, MetalPeer):
                return "it is no cloud of bare metal"
            async with asyncio.timeout(READ_S):
                return await self._peers.metal(peer).nodes()
        except TimeoutError:
            return f"no answer within {READ_S:g} s"
        except (DriverError, Refusal) as error:
            log.info("nodes.unread", connection=connection, error=str(error))
            return error.message
