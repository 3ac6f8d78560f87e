"""Whether a machine is what its service says: pure, from what the provider shows."""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from app.domain.inventory.power_rule import SETTLES
from app.domain.services.states import ServiceState
from app.drivers.game.contract import GameServer
from app.drivers.hypervisor.contract import Vm, VmPower

There: TypeAlias = Vm | GameServer
"""What a provider shows of one machine or game server."""


class Drift(StrEnum):
    """How a machine differs from what it should be."""

    gone = "gone"
    """Its provider has it no more."""

    left_over = "left_over"
    """Its service has ended, and the provider still has it."""

    not_suspended = "not_suspended"
    """Its service is suspended, and the provider lets it run or be started."""

    suspended = "suspended"
    """Its service is active, and the provider keeps it from being started."""

    off = "off"
    """Its service is active, and it does not run: its client may have shut it down."""

    @property
    def words(self) -> str:
        return _WORDS[self]


_RUNS = (VmPower.RUNNING, VmPower.PAUSED)
_WORDS = {
    Drift.gone: "The provider has it no more",
    Drift.left_over: "Its service has ended; the provider still has it",
    Drift.not_suspended: "Its service is suspended; the provider lets it run",
    Drift.suspended: "Its service is active; the provider has it suspended",
    Drift.off: "Its service is active; it does not run",
}


def drift_of(
    service: ServiceState,
    there: There | None,
    *,
    changed_at: datetime,
    is_under_way: bool,
    before: Drift | None,
    now: datetime,
) -> Drift | None:
    """Return how a machine that was made differs from its service; None when it does not.

    Nothing is judged while a run is at it, nor for a while after the service changed at
    `changed_at`: its flow has time to bring it about. What the provider works on, or says nothing
    of, stays as it was judged `before`. A game server that does not run is as its client has it.
    """
    is_early = service in (ServiceState.pending, ServiceState.provisioning)
    if is_early or is_under_way or now < changed_at + SETTLES:
        return None
    if there is None:
        return Drift.gone
    still = None if before is Drift.gone else before
    match service:
        case ServiceState.terminated:
            return Drift.left_over
        case _ if there.is_busy:
            return still
        case ServiceState.suspended:
            is_open = not there.is_suspended or power_of(there) in _RUNS
            return Drift.not_suspended if is_open else None
        case _:
            return _active(there, still)


def _active(there: There, still: Drift | None) -> Drift | None:
    if there.is_suspended:
        return Drift.suspended
    match power_of(there):
        case None | VmPower.RUNNING:
            return None
        case VmPower.UNKNOWN:
            return still if still is Drift.off else None
        case _:
            return Drift.off


def power_of(there: There) -> VmPower | None:
    """Return whether it runs; None of game servers, whose panels do not tell it in their list."""
    return there.power if isinstance(there, Vm) else None
