"""The provider's own panel, for the client of a machine: a link to it, or a way in for one use."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict, NotFound
from app.domain.audit.record import record
from app.domain.services.states import ServiceState
from app.drivers.hypervisor.contract import Ref
from app.drivers.registry import BrokenDriver, UnknownDriver, load


class NoPanel(Conflict):
    code = "machines.no_panel"

    def __init__(self, why: str) -> None:
        super().__init__(why)


class OwnPanel(msgspec.Struct, frozen=True, kw_only=True):
    """Where a client finds the machine at its provider."""

    ref: Ref
    connection: str
    signs_on: bool
    """Whether the provider signs the client in."""
    url: str
    """What the connection says that clients are led to, "" where it says nothing."""


async def own_panel_of(tx: Tx, service: UUID, *, account: UUID) -> OwnPanel | None:
    """Return the panel of an active service's machine; None where there is none for clients."""
    row = await tx.fetchrow(
        "SELECT s.hostname, m.connection, c.facts->>'provider' AS provider, "
        "coalesce(c.facts->>'panel_url', '') AS url FROM service s JOIN machine m "
        "ON m.service = s.id AND m.made_at IS NOT NULL AND m.removed_at IS NULL "
        "JOIN connection c ON c.name = m.connection AND c.kind = 'hypervisor' "
        "WHERE s.id = $1 AND s.account = $2 AND s.state = $3",
        service,
        account,
        ServiceState.active,
    )
    if row is None:
        return None
    signs_on = _signs_on(row["provider"])
    if not signs_on and not row["url"]:
        return None
    return OwnPanel(
        ref=Ref(service, row["hostname"]),
        connection=row["connection"],
        signs_on=signs_on,
        url=row["url"],
    )


async def panel_to_open(tx: Tx, service: UUID, *, account: UUID) -> OwnPanel:
    """Return the panel that signs its client in. Raises NotFound."""
    found = await own_panel_of(tx, service, account=account)
    if found is None or not found.signs_on:
        raise NotFound("panel of service", service)
    return found


async def note_opened(tx: Tx, panel: OwnPanel, *, account: UUID, actor_label: str) -> None:
    """Keep who was signed in to the provider's panel; by which link is kept nowhere."""
    await record(
        tx,
        actor=account,
        actor_label=actor_label,
        action="machines.panel_opened",
        subject_kind="service",
        subject=panel.ref.service,
        before={},
        after={"connection": panel.connection},
    )


def _signs_on(provider: str) -> bool:
    try:
        return hasattr(load("hypervisor", provider), "sign_on")
    except (UnknownDriver, BrokenDriver):
        return False
