"""What workers ask of switches: `device.read`, `switch.plan` and `switch.apply`."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from app.core.database import Database
from app.core.errors import NotFound, Refusal
from app.core.outbox import Parcel
from app.core.secrets import Vault
from app.domain.devices.access import switch_address
from app.domain.devices.ask import ASKED, keep_silence, keep_state
from app.domain.devices.change import (
    APPLY,
    PLAN,
    ChangeState,
    SwitchChangeView,
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
TURN_S = 5.0
"""How much of that may pass until other sessions at the switch are over."""


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
        view = await self._change(change)
        if view is None or view.state is not ChangeState.planning:
            return

        async def ask(switch: SwitchAddress) -> SwitchPlan:
            return await self._switches.plan(switch, view.wanted)

        plan = await self._ask(view.device, ask)
        async with self._database.transaction() as tx:
            await keep_plan(tx, change, plan)

    async def apply(self, parcel: Parcel) -> None:
        change = UUID(parcel.payload["change"])
        view = await self._change(change)
        if view is None or view.state is not ChangeState.applying:
            return

        async def ask(switch: SwitchAddress) -> SwitchPlan:
            return await self._switches.apply(switch, view.wanted)

        done = await self._ask(view.device, ask)
        async with self._database.transaction() as tx:
            with contextlib.suppress(NotFound):  # the device was forgotten meanwhile
                await keep_outcome(tx, change, done)

    async def _change(self, change: UUID) -> SwitchChangeView | None:
        """Return a change; None once its device was forgotten."""
        async with self._database.snapshot() as tx:
            with contextlib.suppress(NotFound):
                return await find_change(tx, change)
        return None

    async def _ask(self, device: UUID, ask: Callable[[SwitchAddress], Awaitable[T]]) -> T | str:
        """Return what the switch says, or why it says nothing."""
        try:
            async with asyncio.timeout(WHOLE_S):
                async with self._database.snapshot() as tx:
                    switch = await switch_address(tx, self._vault, device)
                async with contextlib.AsyncExitStack() as turn:
                    try:
                        async with asyncio.timeout(TURN_S):
                            place = f"{switch.host}:{switch.port}"
                            await turn.enter_async_context(device_turn(self._database, place))
                    except TimeoutError:
                        return "Another session is at the switch. Do it again."
                    return await ask(switch)
        except TimeoutError:
            return (
                f"It was not done within {WHOLE_S:g} s. Part of a change may be made and not "
                "saved: look at what the switch says, then do it again."
            )
        except (DriverError, Refusal) as error:
            return error.message
