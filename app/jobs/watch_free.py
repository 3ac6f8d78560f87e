"""Ask the BMCs of free servers now and then whether they answer, before an order needs them."""

from collections.abc import Mapping
from uuid import UUID

from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.inventory.free_bmcs import note_answer, note_silence, take_due
from app.drivers.bmc.contract import BmcAddress, BmcFleet
from app.drivers.power import Power
from app.jobs.watch_bmcs import BmcWatch

SWEEP_S = 5.0
FULL_S = 0.5
SLOTS: Mapping[bool, int] = {False: 4, True: 2}
"""How many BMCs are asked at once, few of all that there are: nobody waits for these."""


class FreeWatch(BmcWatch):
    """A worker's look at the BMCs of free servers."""

    def __init__(self, database: Database, live: Live, vault: Vault, fleet: BmcFleet) -> None:
        super().__init__(
            database, live, vault, fleet,
            slots=SLOTS, take_due=take_due, sweep_s=SWEEP_S, full_s=FULL_S,
        )  # fmt: skip

    async def _note(self, server: UUID, _: BmcAddress, said: Power | str, /) -> None:
        async with self._database.transaction() as tx:
            if isinstance(said, Power):
                await note_answer(tx, server)
            else:
                await note_silence(tx, server, said)
