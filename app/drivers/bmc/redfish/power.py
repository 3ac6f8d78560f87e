"""Power orders over Redfish, past the answers that are no answers."""

from typing import Any

from sushy import PowerState, ResetType
from sushy import exceptions as sushy_errors

from app.drivers.bmc.polling import pauses
from app.drivers.bmc.redfish.link import Link
from app.drivers.bmc.redfish.session import fetch
from app.drivers.bmc.redfish.words import said
from app.drivers.bmc.switch import PowerOrder
from app.drivers.bmc.vendors import Profile, profile_of
from app.drivers.errors import Refused, Retriable
from app.drivers.power import Power

_STATES = {PowerState.ON: Power.ON, PowerState.OFF: Power.OFF}
_REACHED = {PowerOrder.ON: Power.ON, PowerOrder.OFF: Power.OFF}
_RESETS = {
    PowerOrder.ON: (ResetType.ON, ResetType.FORCE_ON, ResetType.PUSH_POWER_BUTTON),
    PowerOrder.OFF: (ResetType.FORCE_OFF, ResetType.PUSH_POWER_BUTTON),
    # Never the button: of a machine that is going down already it would make a hard off.
    PowerOrder.SHUT_DOWN: (ResetType.GRACEFUL_SHUTDOWN,),
    PowerOrder.RESET: (ResetType.FORCE_RESTART,),
}


class RedfishPower:
    """The `app.drivers.bmc.switch.PowerWire` of Redfish."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def read(self) -> Power:
        return await self._link.call(_read)

    async def send(self, order: PowerOrder) -> bool:
        """Send the reset; a BMC that is not ready for it is asked again, as its vendor's are."""
        wanted = _REACHED.get(order)
        attempt = 0
        while True:
            attempt += 1
            try:
                await self._link.call(lambda system: _reset(system, order))
            except (Refused, Retriable) as rejection:
                cause = rejection.__cause__
                if wanted is None or not isinstance(cause, sushy_errors.HTTPError):
                    raise
                if cause.status_code not in {400, 409}:
                    raise
                if await self.read() is wanted:
                    return False
                profile = await self._link.call(_profile)
                if attempt >= profile.power_rejections:
                    # So many refusals are its word: the BMC's reason goes to the history.
                    raise Retriable(self._link.peer, said(cause)) from rejection
                await pauses(profile.power_rejection_pause_s)
            else:
                return True


def _read(system: Any) -> Power:
    fetch(system)
    return _STATES.get(system.power_state, Power.UNKNOWN)


def _profile(system: Any) -> Profile:
    return profile_of(system.manufacturer)


def _reset(system: Any, order: PowerOrder) -> None:
    allowed = system.get_allowed_reset_system_values()
    for reset in _RESETS[order]:
        if reset in allowed:
            system.reset_system(reset)
            return
    names = [reset.value for reset in _RESETS[order]]
    if len(names) == 1:
        raise sushy_errors.MissingActionError(action=names[0], resource=system.path)
    raise sushy_errors.InvalidParameterValueError(
        parameter="ResetType", value=order, valid_values=sorted(value.value for value in allowed)
    )
