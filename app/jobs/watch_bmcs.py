"""What looks at BMCs have in common: whose BMC is due is read, and what it says is written down."""

import asyncio
from abc import abstractmethod
from collections.abc import Mapping
from uuid import UUID

import structlog

from app.core.database import Database
from app.core.errors import Refusal
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.inventory.find import bmc_of
from app.domain.inventory.power import DOORBELL
from app.drivers.bmc.contract import BmcAddress, BmcFleet
from app.drivers.errors import Busy, DriverError
from app.drivers.power import Power
from app.jobs.watch_due import DueWatch, TakeDue

READ_S = 20.0
"""How long an answer may take, the wait for a turn included; less than a BMC is put off for."""
log = structlog.get_logger()


class BmcWatch(DueWatch[UUID]):
    """A worker's look at the BMCs of servers; it reads and writes down, and switches nothing."""

    def __init__(
        self,
        database: Database,
        live: Live,
        vault: Vault,
        fleet: BmcFleet,
        *,
        slots: Mapping[bool, int],
        take_due: TakeDue[UUID],
        sweep_s: float,
        full_s: float,
    ) -> None:
        super().__init__(
            database,
            live,
            doorbell=DOORBELL,
            slots=slots,
            take_due=take_due,
            ask=self._ask,
            sweep_s=sweep_s,
            full_s=full_s,
        )
        self._vault = vault
        self._fleet = fleet

    @abstractmethod
    async def _note(self, server: UUID, address: BmcAddress, said: Power | str, /) -> None:
        """Write down what the server's BMC says, or in words why it says nothing."""

    async def _ask(self, server: UUID) -> None:
        try:
            async with self._database.snapshot() as tx:
                address, _ = await bmc_of(tx, self._vault, server)
            said = await self._read(server, address)
            if said is not None:
                await self._note(server, address, said)
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
