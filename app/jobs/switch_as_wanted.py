"""`power.reconcile`: switch a server to what its service says, since a person wants it so."""

import msgspec

from app.core.database import Database
from app.core.outbox import Parcel
from app.core.secrets import Vault
from app.domain.inventory.errors import NoBmc
from app.domain.inventory.find import bmc_of, find_server
from app.domain.inventory.power import note_power
from app.domain.inventory.reconcile_power import PowerOrder, note_unswitched
from app.drivers.bmc.contract import BmcFleet
from app.drivers.errors import DriverError
from app.drivers.power import Power, PowerDriver

PATIENCE_S = 12.0
"""How long a machine that was asked to stop may take, until its power is taken away."""
DEADLINE_S = 12.0
"""Both together are within what the relay gives a consumer."""


async def switch_as_wanted(
    database: Database, vault: Vault, fleet: BmcFleet, parcel: Parcel
) -> None:
    """Look first: what is as it should be by now, or should be otherwise, is left alone.

    What fails is written down and not tried again: a machine goes on or off while somebody
    looks, or not at all.
    """
    order = msgspec.convert(parcel.payload, PowerOrder)
    try:
        async with database.snapshot() as tx:
            server = await find_server(tx, order.server)
            is_late = tx.now() > order.until
            address, _ = await bmc_of(tx, vault, order.server)
        if not server.power_drifts or server.power_wanted is not order.wanted:
            return
        seen = None if is_late else await _switch(fleet.bmc(address).power, order.wanted)
    except (DriverError, NoBmc) as error:
        async with database.transaction() as tx:
            await note_unswitched(tx, order, error.message)
        return
    async with database.transaction() as tx:
        if seen is None:
            await note_unswitched(tx, order, "Its BMC was busy for too long. Do it again.")
        else:
            await note_power(tx, order.server, seen)


async def _switch(power: PowerDriver, wanted: Power) -> Power:
    """Return what the BMC says afterwards."""
    if wanted is Power.ON:
        await power.ensure(Power.ON, deadline_s=DEADLINE_S)
    else:
        await power.stop(patience_s=PATIENCE_S, deadline_s=DEADLINE_S)
    return await power.read()
