"""Forget what has run out: sessions, counted sign-in attempts, answers to programs."""

from app.core.database import Tx
from app.domain.accounts.api_answers import KEPT
from app.domain.accounts.throttle import WINDOW


async def expire_sessions(tx: Tx) -> int:
    """Delete ended sessions, old attempts and answers; returns how many rows.

    For a periodic job. API tokens stay, ended or not: the audit trail speaks of them.
    """
    sessions = await tx.fetch("DELETE FROM session WHERE expires_at <= $1 RETURNING id", tx.now())
    attempts = await tx.fetch(
        "DELETE FROM sign_in_attempt WHERE at <= $1 RETURNING id", tx.now() - WINDOW
    )
    answers = await tx.fetch("DELETE FROM api_answer WHERE at <= $1 RETURNING id", tx.now() - KEPT)
    return len(sessions) + len(attempts) + len(answers)
