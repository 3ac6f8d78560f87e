"""Tickets for a machine's screen or serial line: each opens it once, within seconds, for one."""

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


class _Kept(msgspec.Struct, frozen=True, tag="screen"):
    url: str
    headers: dict[str, str]


class SerialOpening(msgspec.Struct, frozen=True, kw_only=True, tag="serial"):
    """The serial line of a service's server, to be opened now."""

    service: UUID
    server: UUID
    take_over: bool
    """Whether another's console is ended for it."""
    client: UUID | None
    """Whose service it must be; None for staff, who may know what the BMC says."""
    by_command_line: bool = False
    """Whether who asked may stand at the BMC's command line."""


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
    kept = _Kept(console.url, {name: each.reveal() for name, each in console.headers.items()})
    return await _keep(tx, vault, screen.ref.service, screen.connection, kept, account=account)


async def issue_serial_ticket(
    tx: Tx, vault: Vault, opening: SerialOpening, *, account: UUID
) -> str:
    """Return the ticket by which this account opens a serial line once."""
    return await _keep(tx, vault, opening.service, str(opening.server), opening, account=account)


async def _keep(
    tx: Tx,
    vault: Vault,
    service: UUID,
    connection: str,
    kept: _Kept | SerialOpening,
    *,
    account: UUID,
) -> str:
    token = new_token(32)
    await tx.execute(
        "INSERT INTO console_ticket (id, token_hash, service, account, connection, "
        "sealed_console, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new_id(),
        _hash(token),
        service,
        account,
        connection,
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
) -> Opened | SerialOpening:
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
    kept = msgspec.json.decode(vault.open(row["sealed_console"]), type=_Kept | SerialOpening)
    action, after = "machines.console_opened", {"connection": row["connection"]}
    if isinstance(kept, SerialOpening):
        action = "machines.serial_opened"
        after = {"server": row["connection"], "take_over": kept.take_over}
    await record(
        tx,
        actor=account,
        actor_label=actor_label,
        action=action,
        subject_kind="service",
        subject=row["service"],
        before={},
        after=after,
    )
    if isinstance(kept, SerialOpening):
        return kept
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
