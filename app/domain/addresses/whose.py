"""Whose addresses are, in the words of the audit trail."""

from collections.abc import Collection
from uuid import UUID

from app.core.database import Tx


async def client_words(tx: Tx, client: UUID | None) -> str | None:
    """Return the e-mail address of a client, as it is now; None for nobody."""
    if client is None:
        return None
    email: str | None = await tx.fetchval("SELECT email FROM account WHERE id = $1", client)
    return email


async def words_of_clients(
    tx: Tx, clients: Collection[UUID | None]
) -> dict[UUID | None, str | None]:
    """Return the e-mail addresses of some clients as they are now, and None for nobody.

    One statement; none at all where only nobody is asked about.
    """
    words: dict[UUID | None, str | None] = dict.fromkeys(clients)
    known = [client for client in words if client is not None]
    if known:
        rows = await tx.fetch("SELECT id, email FROM account WHERE id = ANY($1)", known)
        words |= {row["id"]: row["email"] for row in rows}
    return words
