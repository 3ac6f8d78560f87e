"""Look at servers in quarantine again: one whose BMC obeys and finds it well goes to be erased.

The erasure boots the machine and looks at its hardware. What passes that is sold again; what does
not is back in quarantine, and looked at later. So a BMC that was away for an hour costs no server.
"""

import asyncio
from typing import Any
from uuid import UUID

import structlog

from app.core.database import Database
from app.core.errors import Refusal
from app.core.secrets import CannotOpen, Vault
from app.domain.inventory.find import bmc_of
from app.domain.inventory.quarantine import due_rechecks, note_recheck
from app.drivers.bmc.contract import BmcFleet
from app.drivers.boot import BootDevice
from app.drivers.errors import Busy, DriverError, Refused
from app.drivers.power import Power
from app.jobs.sweeps import context_of

DEADLINE_S = 30.0
WHOLE_S = 180.0
"""Sensors by IPMI take a minute and a half at the first time."""
WITHIN_S = 900.0
"""What the BMC's log calls critical counts for so long: as long as until the first look."""
log = structlog.get_logger()


async def recheck_servers(ctx: dict[str, Any]) -> None:
    """Look at each server that is due; one that hangs keeps no other back."""
    context = context_of(ctx)
    await recheck_due(context.database, context.vault, context.fleet)


async def recheck_due(database: Database, vault: Vault, fleet: BmcFleet) -> list[UUID]:
    """Look at each server that is due, and return which were looked at."""
    async with database.transaction() as tx:
        due = await due_rechecks(tx)
    await asyncio.gather(*(_recheck(database, vault, fleet, server) for server in due))
    return due


async def _recheck(database: Database, vault: Vault, fleet: BmcFleet, server: UUID) -> None:
    trouble = ""
    try:
        async with asyncio.timeout(WHOLE_S):
            trouble = await _look(database, vault, fleet, server)
    except (Busy, CannotOpen) as error:
        # It was not asked: of the server that says nothing. It is looked at again in a while.
        log.info("inventory.not_rechecked", server=str(server), error=str(error))
        return
    except TimeoutError:
        trouble = f"its BMC did not do as it was told within {WHOLE_S:g} s"
    except (DriverError, Refusal) as error:
        trouble = error.message
    async with database.transaction() as tx:
        await note_recheck(tx, server, trouble)
    log.info("inventory.rechecked", server=str(server), trouble=trouble)


async def _look(database: Database, vault: Vault, fleet: BmcFleet, server: UUID) -> str:
    """Have the BMC switch the machine off and boot it from its disk next; both are read back.

    Returns what it calls critical then, "" for nothing.
    """
    async with database.snapshot() as tx:
        address, _ = await bmc_of(tx, vault, server)
    bmc = fleet.bmc(address)
    await bmc.power.ensure(Power.OFF, deadline_s=DEADLINE_S)
    await bmc.boot.set_once(BootDevice.DISK)
    try:
        health = await bmc.health(within_s=WITHIN_S)
    except Refused:
        return ""
    return "; ".join(health.critical)
