"""How a client gets in: made once, sealed, and shown once in the portal."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.core.secrets import Vault
from app.drivers.deploy.netboot.passwords import new_password

ROOT = "root"
PASSWORDS = ("root_password", "panel_password")
"""Kinds of credentials that hold a password; a `panel_user` keeps one that we do not know."""


class Access(msgspec.Struct, frozen=True):
    """The way in: a password, or nothing but the keys that the client gave."""

    username: str
    password: str | None


async def keep_access(tx: Tx, vault: Vault, service: UUID, *, keys_only: bool) -> Access:
    """Return the service's access; a password is made on the first call and kept.

    A second installation of the same service gets the same password, so the one that was
    mailed always works.
    """
    kind = "ssh_keys" if keys_only else "root_password"
    sealed = None if keys_only else vault.seal(new_password())
    await tx.execute(
        "INSERT INTO credential (id, service, kind, username, sealed_secret, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (service, kind) DO NOTHING",
        new_id(),
        service,
        kind,
        ROOT,
        sealed,
        tx.now(),
    )
    return await read_access(tx, vault, service)


async def read_access(tx: Tx, vault: Vault, service: UUID) -> Access:
    """Return the access for the mail and for the installer; never for a page."""
    row = await tx.fetchrow(
        "SELECT username, sealed_secret FROM credential WHERE service = $1 "
        "ORDER BY kind LIKE '%password' DESC LIMIT 1",
        service,
    )
    if row is None:
        raise NotFound("credential of service", service)
    sealed = row["sealed_secret"]
    return Access(row["username"], None if sealed is None else vault.open(sealed))


class AlreadyRevealed(Conflict):
    code = "credential.already_revealed"

    def __init__(self) -> None:
        super().__init__(
            "The password was shown before and is not shown twice; it is in the mail that you "
            "got at delivery."
        )


async def reveal(tx: Tx, vault: Vault, *, service: UUID, account: UUID) -> Access:
    """Show the password to its owner, once."""
    row = await tx.fetchrow(
        "UPDATE credential SET revealed_at = $3 FROM service WHERE service.id = credential.service "
        "AND credential.service = $1 AND service.account = $2 AND service.state = 'active' "
        "AND kind = ANY($4) AND revealed_at IS NULL "
        "RETURNING username, sealed_secret",
        service,
        account,
        tx.now(),
        list(PASSWORDS),
    )
    if row is None:
        mine = await tx.fetchval(
            "SELECT revealed_at IS NOT NULL FROM credential JOIN service s ON s.id = service "
            "WHERE service = $1 AND s.account = $2 AND kind = ANY($3)",
            service,
            account,
            list(PASSWORDS),
        )
        if mine:
            raise AlreadyRevealed
        raise NotFound("password of service", service)
    tx.publish(f"service:{service}")
    return Access(row["username"], vault.open(row["sealed_secret"]))
