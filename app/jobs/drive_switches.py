"""What workers ask of switches: `device.read`, `switch.plan` and `switch.apply`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from app.core.database import Database
from app.core.errors import Refusal
from app.core.outbox import Parcel
from app.core.secrets import Vault
from app.domain.devices.access import switch_address
from app.domain.devices.ask import ASKED, keep_silence, keep_state
from app.domain.devices.change import (
    APPLY,
    PLAN,
    ChangeState,
    find_change,
    keep_outcome,
    keep_plan,
)
from app.domain.devices.turn import device_turn
from app.drivers.errors import DriverError
from app.drivers.switching.contract import SwitchAddress, Switches, SwitchPlan, SwitchState
from app.jobs.relay_outbox import Consumer

T = TypeVar("T")
WHOLE_S = 25.0
"""When a switch is given up, and said so: less than the relay gives."""


class SwitchWork:
    """Consumers of the outbox. What fails is told to who asked, and not tried again."""

    def __init__(self, database: Database, vault: Vault, switches: Switches) -> None:
        self._database = database
        self._vault = vault
        self._switches = switches

    def consumers(self) -> dict[str, Consumer]:
        return {ASKED: self.read, PLAN: self.plan, APPLY: self.apply}

    async def read(self, parcel: Parcel) -> None:
        device = UUID(parcel.payload["device"])
        said = await self._ask(device, self._switches.read)
        async with self._database.transaction() as tx:
            if isinstance(said, SwitchState):
                await keep_state(tx, device, said)
            else:
                await keep_silence(tx, device, said)

    async def plan(self, parcel: Parcel) -> None:
        change = UUID(parcel.payload["change"])
        async with self._database.snapshot() as tx:
            view = await find_change(tx, change)
        if view.state is not ChangeState.planning:
            return

        async def ask(switch: SwitchAddress) -> SwitchPlan:
            return await self._switches.plan(switch, view.wanted)

        plan = await self._ask(view.device, ask)
        async with self._database.transaction() as tx:
            await keep_plan(tx, change, plan)

    async def apply(self, parcel: Parcel) -> None:
        change = UUID(parcel.payload["change"])
        async with self._database.snapshot() as tx:
            view = await find_change(tx, change)
        if view.state is not ChangeState.applying:
            return

        async def ask(switch: SwitchAddress) -> SwitchPlan:
            return await self._switches.apply(switch, view.wanted)

        done = await self._ask(view.device, ask)
        async with self._database.transaction() as tx:
            await keep_outcome(tx, change, done)

    async def _ask(self, device: UUID, ask: Callable[[SwitchAddress], Awaitable[T]]) -> T | str:
        """Return what the switch says, or why it says nothing."""
        try:
            async with asyncio.timeout(WHOLE_S):
                async with self._database.snapshot() as tx:
                    switch = await switch_address(tx, self._vault, device)
                async with device_turn(self._database, f"{switch.host}:{switch.port}"):
                    return await ask(switch)
        except TimeoutError:
            return f"It was not done within {WHOLE_S:g} s. Do it again."
        except (DriverError, Refusal) as error:
            return error.message
