"""Ask BMCs whether their servers run, each now and then, and at once when something says so.

Now and then they are asked what else they offer, too.
"""

from collections.abc import Mapping
from uuid import UUID

from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.inventory.access import take_access_due
from app.domain.inventory.power import note_power, note_silence, take_due
from app.drivers.bmc.contract import BmcAddress, BmcFleet
from app.drivers.power import Power
from app.jobs.ask_access import ask_access
from app.jobs.watch_bmcs import BmcWatch

SWEEP_S = 2.0
FULL_S = 0.1
"""When it looks again where as many were due as it had slots for: there may be more."""
SLOTS: Mapping[bool, int] = {False: 16, True: 4}
"""How many BMCs are asked at once. Those that were silent the last time (True) have slots of their
own: they take the longest, and nobody else waits for them."""


class PowerWatch(BmcWatch):
    """A worker's look at the BMCs of servers in use."""

    def __init__(self, database: Database, live: Live, vault: Vault, fleet: BmcFleet) -> None:
        super().__init__(
            database, live, vault, fleet,
            slots=SLOTS, take_due=take_due, sweep_s=SWEEP_S, full_s=FULL_S,
        )  # fmt: skip

    async def _note(self, server: UUID, address: BmcAddress, said: Power | str, /) -> None:
        async with self._database.transaction() as tx:
            if not isinstance(said, Power):
                await note_silence(tx, server, said)
                return
            await note_power(tx, server, said)
            is_due = await take_access_due(tx, server)
        if is_due:
            await ask_access(self._database, self._fleet, server, address)
