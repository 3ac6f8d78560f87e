"""`server.discover`: ask a server's BMC what hardware there is."""

from uuid import UUID

from app.core.database import Database
from app.core.outbox import Parcel
from app.core.secrets import Vault
from app.domain.inventory.discover import keep_failure, keep_report
from app.domain.inventory.errors import NoBmc
from app.domain.inventory.find import bmc_of
from app.drivers.bmc.contract import BmcFleet
from app.drivers.errors import DriverError
from app.jobs.ask_access import ask_access


async def discover_hardware(
    database: Database, vault: Vault, fleet: BmcFleet, parcel: Parcel
) -> None:
    """Keep the answer, or why there is none: a person looks at it and asks again."""
    server = UUID(parcel.payload["server"])
    try:
        async with database.snapshot() as tx:
            address, _ = await bmc_of(tx, vault, server)
        found = await fleet.bmc(address).inventory()
    except (DriverError, NoBmc) as error:
        async with database.transaction() as tx:
            await keep_failure(tx, server, str(error))
        return
    async with database.transaction() as tx:
        await keep_report(tx, server, found)
    await ask_access(database, fleet, server, address)
