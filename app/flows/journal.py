"""The journal: attempts, tokens and events, written together with what a step did."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.flows.node import Done, Wait


class TokenView(msgspec.Struct, frozen=True):
    """Where the run stands at one node of one scope."""

    id: int
    scope: str
    node: str
    state: str
    attempt: int
    wake_at: datetime | None
    signal_key: str
    memo: dict[str, Any]


def to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


async def tokens_of(tx: Tx, run: UUID) -> list[TokenView]:
    rows = await tx.fetch(
        "SELECT id, scope, node, state, attempt, wake_at, signal_key, memo FROM token "
        "WHERE run = $1 ORDER BY id",
        run,
    )
    return [
        TokenView(**{**row, "memo": msgspec.json.decode(row["memo"])}) for row in map(dict, rows)
    ]


async def has_moved(tx: Tx, token: TokenView) -> bool:
    """Return whether the token went on from where the attempt at hand found or put it.

    So it is when the answer to a COMMIT was lost: the outcome is kept and must not be
    overwritten with an error.
    """
    row = await tx.fetchrow("SELECT state, attempt, wake_at FROM token WHERE id = $1", token.id)
    if row is None or row["attempt"] != token.attempt:
        return True
    as_found = (row["state"], row["wake_at"]) == (token.state, token.wake_at)
    return row["state"] != "started" and not as_found


async def add_event(
    tx: Tx, run: UUID, kind: str, token: TokenView | None = None, **facts: Any
) -> None:
    await tx.execute(
        "INSERT INTO run_event (run, at, kind, scope, node, facts) VALUES ($1, $2, $3, $4, $5, $6)",
        run,
        tx.now(),
        kind,
        token.scope if token else "/",
        token.node if token else "",
        to_json(facts),
    )


async def begin_attempt(tx: Tx, run: UUID, token: TokenView, key: str, given: Any) -> datetime:
    """Write the intent of an attempt, or find the one that a crash or a wait left open.

    Returns when the attempt began, for deadlines and for the time line.
    """
    now = tx.now()
    began: datetime = await tx.fetchval(
        "INSERT INTO step_attempt (run, scope, node, attempt, status, idempotency_key, input, "
        "started_at) VALUES ($1, $2, $3, $4, 'started', $5, $6, $7) "
        "ON CONFLICT (run, scope, node, attempt) DO UPDATE SET status = 'started' "
        "RETURNING started_at",
        run,
        token.scope,
        token.node,
        token.attempt,
        key,
        to_json(given),
        now,
    )
    await tx.execute(
        "UPDATE token SET state = 'started', signal_key = '', wake_at = NULL WHERE id = $1",
        token.id,
    )
    if began == now and token.state == "ready":
        await add_event(tx, run, "started", token, attempt=token.attempt)
    return began


async def keep_wait(tx: Tx, run: UUID, token: TokenView, wait: Wait) -> None:
    """Park the token until a time or a signal; a repeated wait overwrites the same row."""
    await tx.execute(
        "UPDATE token SET state = 'waiting', wake_at = $2, signal_key = $3, memo = $4 "
        "WHERE id = $1",
        token.id,
        wait.until,
        wait.signal,
        to_json(wait.memo),
    )
    await tx.execute(
        "UPDATE step_attempt SET status = 'waiting', error = $5 "
        "WHERE run = $1 AND scope = $2 AND node = $3 AND attempt = $4",
        run,
        token.scope,
        token.node,
        token.attempt,
        storable(wait.says),
    )
    if wait.says and wait.says != token.memo.get("says"):
        await add_event(tx, run, "waiting", token, says=wait.says)


async def keep_done(tx: Tx, run: UUID, token: TokenView, done: Done) -> None:
    """Close the attempt with its output; the token itself is moved by the interpreter."""
    await tx.execute(
        "UPDATE step_attempt SET status = 'succeeded', output = $5, port = $6, finished_at = $7, "
        "error = '' WHERE run = $1 AND scope = $2 AND node = $3 AND attempt = $4",
        run,
        token.scope,
        token.node,
        token.attempt,
        to_json(done.output),
        done.port,
        tx.now(),
    )
    await add_event(tx, run, "finished", token, port=done.port)


async def keep_failure(tx: Tx, run: UUID, token: TokenView, error: str) -> None:
    """Close the attempt with its error, which is `storable` already."""
    await tx.execute(
        "UPDATE step_attempt SET status = 'failed', error = $5, finished_at = $6 "
        "WHERE run = $1 AND scope = $2 AND node = $3 AND attempt = $4",
        run,
        token.scope,
        token.node,
        token.attempt,
        error,
        tx.now(),
    )
    await add_event(tx, run, "failed", token, error=error[:500], attempt=token.attempt)


async def make_due(tx: Tx, token: TokenView) -> TokenView:
    """Let a waiting token go on now. Written down: its signal is spent and would be lost."""
    await tx.execute("UPDATE token SET wake_at = $2 WHERE id = $1", token.id, tx.now())
    return msgspec.structs.replace(token, wake_at=tx.now())


async def retry_later(tx: Tx, token: TokenView, at: datetime) -> None:
    """Make the token due again as a new attempt."""
    await tx.execute(
        "UPDATE token SET state = 'waiting', attempt = attempt + 1, wake_at = $2, signal_key = '', "
        "memo = '{}' WHERE id = $1",
        token.id,
        at,
    )


async def halt(tx: Tx, token: TokenView) -> None:
    """Stop the token for a person."""
    await tx.execute(
        "UPDATE token SET state = 'halted', wake_at = NULL, signal_key = '' WHERE id = $1", token.id
    )


async def move(tx: Tx, run: UUID, token: TokenView, targets: tuple[str, ...], scope: str) -> None:
    """Replace the token by one at each target."""
    await tx.execute("DELETE FROM token WHERE id = $1", token.id)
    await place(tx, run, targets, scope)


async def place(tx: Tx, run: UUID, targets: tuple[str, ...], scope: str) -> None:
    for target in targets:
        await tx.execute(
            "INSERT INTO token (run, scope, node, state, attempt, memo) "
            "SELECT $1, $2, $3, 'ready', 1 + coalesce(max(attempt), 0), '{}' FROM step_attempt "
            "WHERE run = $1 AND scope = $2 AND node = $3 ON CONFLICT (run, scope, node) DO NOTHING",
            run,
            scope,
            target,
        )
