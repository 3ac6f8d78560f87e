"""Tickets for the screen of a machine: each opens it once, within seconds, for one person."""

import hashlib
from datetime import timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.core.secrets import Vault, new_token
from app.domain.audit.record import record
from app.domain.services.states import ServiceState
from app.drivers.hypervisor.contract import Console, Ref
from app.drivers.secret import Secret

GOOD_FOR = timedelta(seconds=10)
"""Providers wait no longer for the screen to be opened (Proxmox VE: 10 s)."""
KEPT = timedelta(days=1)


class NoScreen(Conflict):
    code = "machines.no_screen"

    def __init__(self, why: str) -> None:
        super().__init__(why)


class BadTicket(Conflict):
    code = "machines.bad_ticket"

    def __init__(self) -> None:
        super().__init__("The ticket was used, or is too old, or another's. Open the screen again.")


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """Whose machine, and at which provider."""

    ref: Ref
    connection: str


class _Kept(msgspec.Struct, frozen=True):
    url: str
    headers: dict[str, str]


async def screen_of(tx: Tx, service: UUID, *, account: UUID | None) -> Screen:
    """Return where the screen of an active service's machine is; its own client's with `account`.

    Raises NotFound, and NoScreen where there is no machine whose screen may be seen.
    """
    row = await tx.fetchrow(
        "SELECT s.hostname, s.state, m.connection FROM service s LEFT JOIN machine m "
        "ON m.service = s.id AND m.made_at IS NOT NULL AND m.removed_at IS NULL "
        "WHERE s.id = $1 AND ($2::uuid IS NULL OR s.account = $2)",
        service,
        account,
    )
    if row is None:
        raise NotFound("service", service)
    if row["connection"] is None:
        raise NoScreen("It has no virtual machine whose screen could be shown.")
    if row["state"] != ServiceState.active:
        raise NoScreen(f"The service is {row['state']}: its screen is shown while it is active.")
    return Screen(ref=Ref(service, row["hostname"]), connection=row["connection"])


async def issue_ticket(
    tx: Tx, vault: Vault, screen: Screen, console: Console, *, account: UUID
) -> str:
    """Return the ticket by which this account opens a console that a provider has just offered.

    Its hash is kept, and sealed what the provider said; the password of the screen is not.
    """
    token = new_token(32)
    kept = _Kept(console.url, {name: each.reveal() for name, each in console.headers.items()})
    await tx.execute(
        "INSERT INTO console_ticket (id, token_hash, service, account, connection, "
        "sealed_console, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new_id(),
        _hash(token),
        screen.ref.service,
        account,
        screen.connection,
        vault.seal(msgspec.json.encode(kept).decode()),
        tx.now() + GOOD_FOR,
    )
    return token


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A console to be opened now."""

    service: UUID
    connection: str
    url: str
    headers: dict[str, Secret]


async def take_ticket(
    tx: Tx, vault: Vault, token: str, *, account: UUID, actor_label: str
) -> Opened:
    """Use a ticket up and return what it opens; audited. Raises BadTicket.

    One statement lets one of any number through, and none after its time.
    """
    row = await tx.fetchrow(
        "UPDATE console_ticket SET taken_at = $2 WHERE token_hash = $1 AND account = $3 "
        "AND taken_at IS NULL AND expires_at >= $2 RETURNING service, connection, sealed_console",
        _hash(token),
        tx.now(),
        account,
    )
    if row is None:
        raise BadTicket
    await record(
        tx,
        actor=account,
        actor_label=actor_label,
        action="machines.console_opened",
        subject_kind="service",
        subject=row["service"],
        before={},
        after={"connection": row["connection"]},
    )
    kept = msgspec.json.decode(vault.open(row["sealed_console"]), type=_Kept)
    return Opened(
        service=row["service"],
        connection=row["connection"],
        url=kept.url,
        headers={name: Secret(value) for name, value in kept.headers.items()},
    )


async def forget_tickets(tx: Tx) -> None:
    """Delete tickets that were good long ago."""
    await tx.execute("DELETE FROM console_ticket WHERE expires_at < $1", tx.now() - KEPT)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
