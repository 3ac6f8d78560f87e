"""Ask BMCs whether their servers run, each now and then, and at once when something says so.

Now and then they are asked what else they offer, too.
"""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog

from app.core.database import Database
from app.core.errors import Refusal
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.inventory.access import take_access_due
from app.domain.inventory.find import bmc_of
from app.domain.inventory.power import DOORBELL, note_power, note_silence, take_due
from app.drivers.bmc.contract import BmcAddress, BmcFleet
from app.drivers.errors import Busy, DriverError
from app.drivers.power import Power
from app.jobs.ask_access import ask_access

SWEEP_S = 2.0
FULL_S = 0.1
"""When it looks again where as many were due as it had slots for: there may be more."""
SLOTS: Mapping[bool, int] = {False: 16, True: 4}
"""How many BMCs are asked at once. Those that were silent the last time (True) have slots of their
own: they take the longest, and nobody else waits for them."""
READ_S = 20.0
"""How long an answer may take, the wait for a turn included; less than a BMC is put off for."""
log = structlog.get_logger()


class PowerWatch:
    """A worker's long-lived look at what is due; any number of workers look.

    It reads and writes down, and switches nothing.
    """

    def __init__(self, database: Database, live: Live, vault: Vault, fleet: BmcFleet) -> None:
        self._database = database
        self._live = live
        self._vault = vault
        self._fleet = fleet
        self._asking: Mapping[bool, set[asyncio.Task[None]]] = {True: set(), False: set()}

    async def run(self) -> None:
        """Run until cancelled; what is being asked then is due again soon."""
        try:
            await self._live.keep_sweeping(DOORBELL, self._sweep_and_tell, at_most_s=SWEEP_S)
        finally:
            for task in self._all():
                task.cancel()
            await asyncio.gather(*self._all(), return_exceptions=True)

    async def sweep(self) -> int:
        """Begin to ask what is due, as far as slots are free; returns how many BMCs that is."""
        return sum([len(await self._begin(silent=silent)) for silent in self._asking])

    async def _begin(self, *, silent: bool) -> Sequence[UUID]:
        asking = self._asking[silent]
        free = SLOTS[silent] - len(asking)
        if free <= 0:
            return ()
        async with self._database.transaction() as tx:
            due = await take_due(tx, free, silent=silent)
        for server in due:
            task = asyncio.create_task(self._ask(server), name=f"power-{server}")
            asking.add(task)
            task.add_done_callback(asking.discard)
        return due

    async def idle(self) -> None:
        """Wait until nobody is being asked; for tests."""
        while tasks := self._all():
            await asyncio.gather(*tasks)

    def _all(self) -> list[asyncio.Task[None]]:
        return [task for asking in self._asking.values() for task in asking]

    async def _sweep_and_tell(self) -> float:
        free = {silent: SLOTS[silent] - len(asking) for silent, asking in self._asking.items()}
        is_more = [0 < free[kind] == len(await self._begin(silent=kind)) for kind in free]
        return FULL_S if any(is_more) else SWEEP_S

    async def _ask(self, server: UUID) -> None:
        try:
            async with self._database.snapshot() as tx:
                address, _ = await bmc_of(tx, self._vault, server)
            said = await self._read(server, address)
            if said is None:
                return
            async with self._database.transaction() as tx:
                if not isinstance(said, Power):
                    await note_silence(tx, server, said)
                    return
                await note_power(tx, server, said)
                is_due = await take_access_due(tx, server)
            if is_due:
                await ask_access(self._database, self._fleet, server, address)
        except Refusal as error:
            # Its BMC or itself was removed since.
            log.info("power.unread", server=str(server), error=str(error))
        except Exception:
            # It is due again soon.
            log.exception("power.failed", server=str(server))

    async def _read(self, server: UUID, address: BmcAddress) -> Power | str | None:
        """Return what the BMC says, or why it says nothing; None when it was not asked."""
        try:
            async with asyncio.timeout(READ_S):
                return await self._fleet.bmc(address).power.read()
        except Busy as error:
            log.info("power.not_asked", server=str(server), error=str(error))
            return None  # whoever talks to it hears whether it is silent
        except TimeoutError:
            return f"no answer within {READ_S:g} s"
        except DriverError as error:
            log.info("power.unread", server=str(server), error=str(error))
            return error.message
