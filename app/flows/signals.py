"""Signals: a word from outside to whoever waits for it, never lost between asking and waiting.

A sender holds the key's lock from before its look for waiters until its commit. Who is about
to sleep only tries that lock (`all_quiet`) and stays awake when it is taken: it holds its
run's row already, which the sender may want, and two who wait for each other never end.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from app.core.database import Tx
from app.flows.start import DOORBELL

TAKEN_KEPT = timedelta(days=1)
UNWANTED_KEPT = timedelta(days=30)


async def send_signal(tx: Tx, signal_key: str, payload: dict[str, Any] | None = None) -> None:
    """Keep the signal for its waiter, and wake the runs that already wait for it."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", signal_key)
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


async def all_quiet(tx: Tx, signal_keys: Sequence[str]) -> bool:
    """Return whether nobody is just sending to any of the keys; so until the commit.

    Waiters share the lock, so that they only ever give way to a sender.
    """
    if not signal_keys:
        return True
    rows = await tx.fetch(
        "SELECT pg_try_advisory_xact_lock_shared(hashtextextended(signal_key, 0)) AS quiet "
        "FROM unnest($1::text[]) AS waits (signal_key)",
        signal_keys,
    )
    return all(row["quiet"] for row in rows)


async def take_signals(tx: Tx, signal_keys: Sequence[str]) -> dict[str, list[Any]]:
    """Consume what was sent under the keys; returns the payloads by key, in the order sent."""
    if not signal_keys:
        return {}
    rows = await tx.fetch(
        "UPDATE run_signal SET consumed_at = $2 WHERE signal_key = ANY($1) "
        "AND consumed_at IS NULL RETURNING id, signal_key, payload",
        signal_keys,
        tx.now(),
    )
    found: dict[str, list[Any]] = {}
    for row in sorted(rows, key=lambda row: row["id"]):
        found.setdefault(row["signal_key"], []).append(msgspec.json.decode(row["payload"]))
    return found


async def wake_waiters(tx: Tx, prefix: str) -> None:
    """Signal everyone who waits for a key that begins with `prefix`, each by its own key."""
    rows = await tx.fetch(
        "SELECT DISTINCT signal_key FROM token WHERE state = 'waiting' "
        "AND starts_with(signal_key, $1) ORDER BY 1",
        prefix,
    )
    for row in rows:
        await send_signal(tx, row["signal_key"])


async def wake_first(tx: Tx, prefix: str) -> None:
    """Signal the one of `wake_waiters` that has waited longest and was not signalled yet."""
    key = await tx.fetchval(
        "SELECT t.signal_key FROM token t WHERE t.state = 'waiting' "
        "AND starts_with(t.signal_key, $1) AND NOT EXISTS (SELECT FROM run_signal s "
        "WHERE s.signal_key = t.signal_key AND s.consumed_at IS NULL) "
        "ORDER BY t.since, t.id LIMIT 1",
        prefix,
    )
    if key is not None:
        await send_signal(tx, key)


async def forget_signals(tx: Tx) -> None:
    """Delete signals that were taken long ago, and those that nobody came for."""
    await tx.execute(
        "DELETE FROM run_signal WHERE consumed_at < $1 OR at < $2",
        tx.now() - TAKEN_KEPT,
        tx.now() - UNWANTED_KEPT,
    )
