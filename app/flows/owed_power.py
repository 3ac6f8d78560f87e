"""The undo of what takes a server's power for a moment: it has it back."""

import contextlib
from typing import Any

from app.domain.devices.errors import NoOutlet
from app.domain.devices.owed_power import owed_by, pay
from app.drivers.errors import DriverError
from app.flows.node import Step


async def give_owed_power(step: Step, _: Any) -> None:
    """Give a server its power if the step took it and was stopped before it gave it back.

    A PDU that is away keeps no run from being undone: the debt stands, and is paid by itself.
    """
    async with step.database.snapshot() as tx:
        server = await owed_by(tx, step.key)
    if server is not None:
        with contextlib.suppress(DriverError, NoOutlet):
            await pay(step.database, step.tools.vault, step.tools.peers.pdus, server)
