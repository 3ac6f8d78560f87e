"""The states of a service and of an installation, and the only ways between them."""

from collections.abc import Collection
from enum import StrEnum
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Refusal


class ServiceState(StrEnum):
    pending = "pending"
    """Ordered and paid; nothing has been taken yet."""

    provisioning = "provisioning"
    """A run is making it."""

    active = "active"
    """Delivered; the client has access."""

    suspended = "suspended"
    """Switched off for a reason; data and addresses are kept."""

    terminated = "terminated"
    """Ended; server and addresses were given back."""


SERVICE_MOVES: dict[ServiceState, frozenset[ServiceState]] = {
    ServiceState.pending: frozenset({ServiceState.provisioning, ServiceState.terminated}),
    ServiceState.provisioning: frozenset({ServiceState.active, ServiceState.terminated}),
    ServiceState.active: frozenset({ServiceState.suspended, ServiceState.terminated}),
    ServiceState.suspended: frozenset({ServiceState.active, ServiceState.terminated}),
    ServiceState.terminated: frozenset(),
}


class InstallationState(StrEnum):
    prepared = "prepared"
    """Written down; the machine has not asked for anything yet."""

    booted = "booted"
    """The machine fetched its boot script."""

    installing = "installing"
    """The installer has reported progress."""

    installed = "installed"
    """It called back: the system is installed, the rescue system runs, or the disks are erased.
    Nothing is served to the machine any more."""

    failed = "failed"
    """The installer reported an error, or fell silent."""

    abandoned = "abandoned"
    """Given up by us: cancelled, or replaced by another try."""


class WrongServiceState(Refusal):
    code = "service.wrong_state"

    def __init__(self, service: UUID, wanted: str, actual: str) -> None:
        super().__init__(f"The service is {actual}; from there it cannot become {wanted}.")
        self.service = service
        self.wanted = wanted
        self.actual = actual


async def move(
    tx: Tx,
    service: UUID,
    to: ServiceState,
    *,
    only_from: Collection[ServiceState] = tuple(ServiceState),
) -> bool:
    """Change the state if the table allows it, and return whether it was changed.

    To where it already is, do nothing. A verb that means less than the table allows names the
    states that it begins at.
    """
    allowed = [state for state in only_from if to in SERVICE_MOVES[state]]
    order: UUID | None = await tx.fetchval(
        "UPDATE service SET state = $2, state_since = $3 WHERE id = $1 AND state = ANY($4) "
        'RETURNING "order"',
        service,
        to,
        tx.now(),
        allowed,
    )
    if order is None:
        actual = await tx.fetchval("SELECT state FROM service WHERE id = $1", service)
        if actual != to:
            raise WrongServiceState(service, to, str(actual or "gone"))
        return False
    tx.publish(f"service:{service}", f"order:{order}", "dashboard")
    return True
