"""Keep reverse DNS as Slipway holds it: names are pushed until the server agrees."""

import asyncio

import structlog

from app.core.database import Database
from app.core.errors import Refusal
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.addresses.names import DOORBELL
from app.domain.addresses.push_names import (
    DueName,
    intend,
    note_failed,
    note_pushed,
    take_due,
)
from app.domain.connections.serving import serving
from app.drivers.dns.contract import DnsServer, DnsUpdater, RecordType
from app.drivers.dns.records import record_set
from app.drivers.errors import DriverError, NotReached

SWEEP_S = 2.0
SLOTS = 16
PUSH_S = 45.0
"""Less than a lease, after which another worker deals with the address."""
TTL_S = 3_600
log = structlog.get_logger()


class NobodyServes(Refusal):
    """No connection says which server has the zone."""

    code = "dns.nobody_serves"

    def __init__(self, zone: str) -> None:
        super().__init__(f"No connection of kind DNS has the zone {zone}; add one.")
        self.zone = zone


class Names:
    """A worker's long-lived look at the names that are due; any number of workers look."""

    def __init__(self, database: Database, live: Live, vault: Vault, dns: DnsUpdater) -> None:
        self._database = database
        self._live = live
        self._vault = vault
        self._dns = dns

    async def run(self) -> None:
        """Run until cancelled; what is being pushed then is due again after its lease."""
        await self._live.keep_sweeping(DOORBELL, self._sweep_and_tell, at_most_s=SWEEP_S)

    async def sweep(self) -> int:
        """Tell the servers what is due; returns how many names that was."""
        async with self._database.transaction() as tx:
            due = await take_due(tx, SLOTS)
        await asyncio.gather(*(self._settle(one) for one in due))
        return len(due)

    async def _sweep_and_tell(self) -> float:
        return 0.0 if await self.sweep() == SLOTS else SWEEP_S

    async def _settle(self, due: DueName) -> None:
        try:
            async with asyncio.timeout(PUSH_S):
                is_settled = await self._tell(due)
        except (DriverError, Refusal, TimeoutError) as error:
            reason = str(error) or f"no answer within {PUSH_S:g} s"
            log.warning("reverse_dns.failed", address=str(due.address), error=reason)
            async with self._database.transaction() as tx:
                await note_failed(tx, due, reason)
        except Exception:
            # Its lease runs out, and it is tried again.
            log.exception("reverse_dns.broken", address=str(due.address))
        else:
            if is_settled:
                async with self._database.transaction() as tx:
                    await note_pushed(tx, due)

    async def _tell(self, due: DueName) -> bool:
        """Make the server say what it is to say; False when that was changed meanwhile."""
        if due.pushed_as and (due.hostname is None or due.pushed_as != due.name):
            await self._remove(due, due.pushed_as)
        if due.hostname is None:
            return True
        server = await self._server(due, due.name)
        records = record_set(due.name, RecordType.PTR, (due.hostname,), TTL_S)
        async with self._database.transaction() as tx:
            if not await intend(tx, due):
                return False
        before = await self._dns.replace(server, records)
        if before is not None and before != records:
            log.info("reverse_dns.replaced", name=due.name, values=before.values)
        return True

    async def _remove(self, due: DueName, name: str) -> None:
        server = await self._server(due, name)
        await self._dns.delete(server, name, RecordType.PTR)
        left = await self._dns.read(server, name, RecordType.PTR)
        if left is not None:
            raise NotReached(server.name, wanted="no name", seen=left.values[0], deadline_s=0)

    async def _server(self, due: DueName, name: str) -> DnsServer:
        async with self._database.snapshot() as tx:
            server = await serving(tx, self._vault, name)
        if server is None:
            raise NobodyServes(due.zone)
        return server
