"""Signals: a word from outside to whoever waits for it, never lost between asking and waiting."""

from typing import Any

import msgspec

from app.core.database import Tx
from app.flows.start import DOORBELL


async def lock_signal(tx: Tx, signal_key: str) -> None:
    """Serialise the sender and the one who is about to wait, until the transaction ends.

    Without it each could miss the other's uncommitted row and the run would sleep on.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", signal_key)


async def send_signal(tx: Tx, signal_key: str, payload: dict[str, Any] | None = None) -> None:
    """Keep the signal for its waiter, and wake the runs that already wait for it."""
    await lock_signal(tx, signal_key)
    await tx.execute(
        "INSERT INTO run_signal (signal_key, payload, at) VALUES ($1, $2, $3)",
        signal_key,
        msgspec.json.encode(payload or {}).decode(),
        tx.now(),
    )
    await tx.execute(
        "UPDATE run SET wake_at = $2 WHERE id IN "
        "(SELECT run FROM token WHERE signal_key = $1 AND state = 'waiting') "
        "AND status IN ('queued', 'running', 'waiting')",
        signal_key,
        tx.now(),
    )
    tx.publish(DOORBELL)


async def take_signals(tx: Tx, signal_key: str) -> bool:
    """Consume what was sent under the key; returns whether there was any."""
    if not signal_key:
        return False
    tag = await tx.execute(
        "UPDATE run_signal SET consumed_at = $2 WHERE signal_key = $1 AND consumed_at IS NULL",
        signal_key,
        tx.now(),
    )
    return tag != "UPDATE 0"


async def wake_waiters(tx: Tx, prefix: str) -> None:
    """Signal everyone who waits for a key that begins with `prefix`, each by its own key."""
    rows = await tx.fetch(
        "SELECT DISTINCT signal_key FROM token WHERE state = 'waiting' "
        "AND starts_with(signal_key, $1) ORDER BY 1",
        prefix,
    )
    for row in rows:
        await send_signal(tx, row["signal_key"])
