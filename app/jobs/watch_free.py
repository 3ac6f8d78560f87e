"""Ask the BMCs of free servers now and then whether they answer, before an order needs them."""

from uuid import UUID

import structlog

from app.core.database import Database
from app.core.errors import Refusal
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.inventory.find import bmc_of
from app.domain.inventory.free_bmcs import note_answer, note_silence, take_due
from app.domain.inventory.power import DOORBELL
from app.drivers.bmc.contract import BmcFleet
from app.drivers.power import Power
from app.jobs.watch_due import DueWatch
from app.jobs.watch_power import read_power

SWEEP_S = 5.0
FULL_S = 0.5
SLOTS = {False: 4, True: 2}
"""How many BMCs are asked at once, few of all that there are: nobody waits for these."""
log = structlog.get_logger()


class FreeWatch(DueWatch[UUID]):
    """A worker's look at the BMCs of free servers; it switches nothing."""

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
                if isinstance(said, Power):
                    await note_answer(tx, server)
                else:
                    await note_silence(tx, server, said)
        except Refusal as error:
            # Its BMC or itself was removed since.
            log.info("power.unread", server=str(server), error=str(error))
        except Exception:
            # It is due again soon.
            log.exception("power.failed", server=str(server))
