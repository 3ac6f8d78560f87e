"""Forget what has run out: sessions and counted sign-in attempts."""

from app.core.database import Tx
from app.domain.accounts.throttle import WINDOW


async def expire_sessions(tx: Tx) -> int:
    """Delete ended sessions and old attempts; returns how many rows. For a periodic job."""
    sessions = await tx.fetch("DELETE FROM session WHERE expires_at <= $1 RETURNING id", tx.now())
    attempts = await tx.fetch(
        "DELETE FROM sign_in_attempt WHERE at <= $1 RETURNING id", tx.now() - WINDOW
    )
    return len(sessions) + len(attempts)
