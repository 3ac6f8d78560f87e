"""Whose addresses are, in the words of the audit trail."""

from uuid import UUID

from app.core.database import Tx


async def client_words(tx: Tx, client: UUID | None) -> str | None:
    """Return the e-mail address of a client, as it is now; None for nobody."""
    if client is None:
        return None
    email: str | None = await tx.fetchval("SELECT email FROM account WHERE id = $1", client)
    return email
