"""`power.reconcile`: switch a server to what its service says, since a person wants it so."""

import asyncio

import msgspec

from app.core.database import Database
from app.core.errors import Refusal
from app.core.outbox import Parcel
from app.core.secrets import Vault
from app.domain.inventory.find import bmc_of, find_server
from app.domain.inventory.power import note_power
from app.domain.inventory.reconcile_power import (
    PATIENCE_S,
    PowerOrder,
    Switched,
    note_outcome,
)
from app.drivers.bmc.contract import BmcFleet
from app.drivers.errors import DriverError
from app.drivers.power import Power

DEADLINE_S = 10.0
"""How long a BMC may take to switch; with the patience before, less than the relay gives."""
WHOLE_S = 25.0
"""When it is given up, and said so: what the relay ends it hands over again."""


async def switch_as_wanted(
    database: Database, vault: Vault, fleet: BmcFleet, parcel: Parcel
) -> None:
    """Look first: what should be otherwise by now is left alone. What was done is written down.

    So is what fails, and it is not tried again: a machine goes on or off while somebody looks, or
    not at all.
    """
    order = msgspec.convert(parcel.payload, PowerOrder)
    try:
        async with asyncio.timeout(WHOLE_S):
            done = await _switch(database, vault, fleet, order)
    except TimeoutError:
        done = f"Its BMC was busy for {WHOLE_S:g} s. Do it again."
    except (DriverError, Refusal) as error:
        done = error.message
    async with database.transaction() as tx:
        if isinstance(done, Switched):
            await note_power(tx, order.server, order.wanted)
        await note_outcome(tx, order, done)


async def _switch(
    database: Database, vault: Vault, fleet: BmcFleet, order: PowerOrder
) -> Switched | str:
    """Return how it was switched, or why not."""
    async with database.snapshot() as tx:
        if tx.now() > order.until:
            return "No worker came to it within 2 minutes. Do it again."
        if (await find_server(tx, order.server)).power_wanted is not order.wanted:
            return "It should be otherwise by then."
        address, _ = await bmc_of(tx, vault, order.server)
    power = fleet.bmc(address).power
    if order.wanted is Power.ON:
        await power.ensure(Power.ON, deadline_s=DEADLINE_S)
        return Switched.softly
    was_hard = await power.stop(patience_s=PATIENCE_S, deadline_s=DEADLINE_S)
    return Switched.hard if was_hard else Switched.softly
