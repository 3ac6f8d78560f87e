"""Power over Redfish: read, act, then poll until the BMC says so."""

import asyncio
from typing import Any

from sushy import PowerState, ResetType
from sushy import exceptions as sushy_errors

from app.drivers.bmc.redfish.link import Link
from app.drivers.bmc.redfish.polling import pauses, until
from app.drivers.bmc.redfish.session import fetch
from app.drivers.bmc.redfish.words import said
from app.drivers.errors import NotReached, Refused, Retriable
from app.drivers.power import Power

REJECTIONS_BORNE = 6
"""iDRAC10 answers 409 to power-on just after off, iLO 400 `invalid state`."""
REJECTION_PAUSE_S = 2.0

_STATES = {PowerState.ON: Power.ON, PowerState.OFF: Power.OFF}
_ORDERS = {
    Power.ON: (ResetType.ON, ResetType.FORCE_ON, ResetType.PUSH_POWER_BUTTON),
    Power.OFF: (ResetType.FORCE_OFF, ResetType.PUSH_POWER_BUTTON),
}


class RedfishPower:
    """Adapter of `app.drivers.power.PowerDriver`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def read(self) -> Power:
        return await self._link.call(_read)

    async def ensure(self, wanted: Power, *, deadline_s: float) -> None:
        if wanted is Power.UNKNOWN:
            raise ValueError("a server can be asked to be on or off, not unknown")
        seen = Power.UNKNOWN

        async def read() -> Power:
            nonlocal seen
            seen = await self.read()
            return seen

        try:
            async with asyncio.timeout(deadline_s), self._link.commands:
                if await read() is wanted:
                    return
                if await self._order(wanted):
                    await until(read, lambda state: state is wanted)
        except TimeoutError:
            raise NotReached(
                self._link.peer, wanted=wanted, seen=seen, deadline_s=deadline_s
            ) from None

    async def shut_down(self) -> None:
        async with self._link.commands:
            if await self.read() is Power.OFF:
                return
            try:
                await self._link.call(_shut_down)
            except (Refused, Retriable):
                if await self.read() is not Power.OFF:  # it may have gone off by itself
                    raise

    async def _order(self, wanted: Power) -> bool:
        """Send the reset; return False when the BMC refused because it is there already."""
        for attempt in range(1, REJECTIONS_BORNE + 1):
            try:
                await self._link.call(lambda system: _reset(system, wanted))
            except (Refused, Retriable) as rejection:
                if not isinstance(rejection.__cause__, sushy_errors.HTTPError):
                    raise
                if rejection.__cause__.status_code not in {400, 409}:
                    raise
                if await self.read() is wanted:
                    return False
                if attempt == REJECTIONS_BORNE:
                    # Six refusals are its word: the BMC's reason goes to the history.
                    raise Retriable(self._link.peer, said(rejection.__cause__)) from rejection
                await pauses(REJECTION_PAUSE_S)
            else:
                break
        return True


def _read(system: Any) -> Power:
    fetch(system)
    return _STATES.get(system.power_state, Power.UNKNOWN)


def _shut_down(system: Any) -> None:
    if ResetType.GRACEFUL_SHUTDOWN not in system.get_allowed_reset_system_values():
        raise sushy_errors.MissingActionError(action="GracefulShutdown", resource=system.path)
    system.reset_system(ResetType.GRACEFUL_SHUTDOWN)


def _reset(system: Any, wanted: Power) -> None:
    allowed = system.get_allowed_reset_system_values()
    for order in _ORDERS[wanted]:
        if order in allowed:
            system.reset_system(order)
            return
    raise sushy_errors.InvalidParameterValueError(
        parameter="ResetType", value=wanted, valid_values=sorted(value.value for value in allowed)
    )
