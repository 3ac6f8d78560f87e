"""Ask BMCs whether their servers run, each now and then, and at once when something says so.

Now and then they are asked what else they offer, too.
"""

import asyncio
from collections.abc import Mapping
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
from app.jobs.watch_due import DueWatch

SWEEP_S = 2.0
FULL_S = 0.1
"""When it looks again where as many were due as it had slots for: there may be more."""
SLOTS: Mapping[bool, int] = {False: 16, True: 4}
"""How many BMCs are asked at once. Those that were silent the last time (True) have slots of their
own: they take the longest, and nobody else waits for them."""
READ_S = 20.0
"""How long an answer may take, the wait for a turn included; less than a BMC is put off for."""
log = structlog.get_logger()


class PowerWatch(DueWatch[UUID]):
    """A worker's look at BMCs; it reads and writes down, and switches nothing."""

    def __init__(self, database: Database, live: Live, vault: Vault, fleet: BmcFleet) -> None:
        super().__init__(
            database,
            live,
            doorbell=DOORBELL,
            slots=SLOTS,
            take_due=take_due,
            ask=self._ask,
            sweep_s=SWEEP_S,
            full_s=FULL_S,
        )
        self._vault = vault
        self._fleet = fleet

    async def _ask(self, server: UUID) -> None:
        try:
            async with self._database.snapshot() as tx:
                address, _ = await bmc_of(tx, self._vault, server)
            said = await read_power(self._fleet, server, address)
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


async def read_power(fleet: BmcFleet, server: UUID, address: BmcAddress) -> Power | str | None:
    """Return what a BMC says, or why it says nothing; None when it was not asked."""
    try:
        async with asyncio.timeout(READ_S):
            return await fleet.bmc(address).power.read()
    except Busy as error:
        log.info("power.not_asked", server=str(server), error=str(error))
        return None  # whoever talks to it hears whether it is silent
    except TimeoutError:
        return f"no answer within {READ_S:g} s"
    except DriverError as error:
        log.info("power.unread", server=str(server), error=str(error))
        return error.message
