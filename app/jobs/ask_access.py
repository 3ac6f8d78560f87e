"""Ask a server's BMC what it is, and which consoles it offers."""

from uuid import UUID

import structlog

from app.core.database import Database
from app.domain.inventory.access import note_access
from app.drivers.bmc.contract import BmcAddress, BmcFleet
from app.drivers.errors import DriverError

log = structlog.get_logger()


async def ask_access(
    database: Database, fleet: BmcFleet, server: UUID, address: BmcAddress
) -> None:
    """Write down what it says; where it says nothing, what it said before stays."""
    try:
        access = await fleet.bmc(address).access()
    except DriverError as error:
        log.info("access.unread", server=str(server), error=str(error))
        return
    async with database.transaction() as tx:
        await note_access(tx, server, access)
