"""Read what machines use from their providers, each three times an hour."""

import asyncio

import structlog

from app.core.database import Database
from app.core.errors import Refusal
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.connections.open import open_connection
from app.domain.usage.note import Due, note_unread, note_usage, take_due
from app.drivers.errors import DriverError
from app.drivers.hypervisor.contract import HypervisorPeer, Usage
from app.drivers.peers import NoTurns, Peers

DOORBELL = "doorbell:usage"
"""Nobody rings: nothing that is done here makes samples come sooner."""
SWEEP_S = 10.0
SLOTS = 4
"""How many machines a worker reads at once."""
READ_S = 30.0
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
            said = await self._ask(due)
            async with self._database.transaction() as tx:
                if isinstance(said, str):
                    await note_unread(tx, due.ref.service, said)
                else:
                    await note_usage(tx, due.ref.service, said)
        except Exception:
            # It is due again soon.
            log.exception("usage.failed", service=str(due.ref.service))

    async def _ask(self, due: Due) -> tuple[Usage, ...] | str:
        """Return the samples of a machine, or why there are none."""
        try:
            async with self._database.snapshot() as tx:
                peer = await open_connection(tx, self._vault, due.connection)
            if not isinstance(peer, HypervisorPeer):
                return f"{due.connection} is no provider of virtual machines"
            async with asyncio.timeout(READ_S):
                return await self._peers.hypervisor(peer, NoTurns()).usage(due.ref)
        except TimeoutError:
            return f"no answer within {READ_S:g} s"
        except (DriverError, Refusal) as error:
            log.info("usage.unread", service=str(due.ref.service), error=str(error))
            return error.message
