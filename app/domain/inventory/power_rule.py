"""Whether a server should be on or off: pure, from what its service is."""

from datetime import datetime, timedelta

from app.domain.inventory.states import ServerState
from app.domain.services.states import ServiceState
from app.drivers.power import Power

SETTLES = timedelta(minutes=6)
"""How long nothing is judged after a service changed: its flow gives a machine 5 min to stop."""
_WANTED = {ServiceState.active: Power.ON, ServiceState.suspended: Power.OFF}


def wanted_power(server: ServerState, service: ServiceState | None) -> Power | None:
    """Return what the power should be: on for a delivered service, off for a suspended one.

    None where nobody can say: what is in stock, being set up, given back or put aside may be
    either.
    """
    if server is not ServerState.active or service is None:
        return None
    return _WANTED.get(service)


def still_taken(taken: Power | None, seen: Power, wanted: Power | None) -> Power | None:
    """Return what stays taken for right against `wanted`, which its service says.

    None once the power is as that says again, or nobody says anything any more.
    """
    return None if wanted is None or seen is wanted else taken


def drifts_since(
    seen: Power,
    wanted: Power | None,
    *,
    changed_at: datetime | None,
    before: datetime | None,
    now: datetime,
) -> datetime | None:
    """Return since when the power is not what is wanted; None when it is, or nobody can say.

    `changed_at` is when the service became what it is, `before` what this said the last time.
    A BMC that does not say on or off leaves it as it was: it is no proof of anything.
    """
    if wanted is None or changed_at is None or now < changed_at + SETTLES or seen is wanted:
        return None
    if seen is Power.UNKNOWN:
        return before
    return before or now
