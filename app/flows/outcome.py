"""What comes of a step: its token moves on, waits, is tried again, is undone, or halts.

All of it is written in the transaction that closes the attempt.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.core.outbox import emit
from app.flows import containers, deadline, journal
from app.flows.document import Document
from app.flows.journal import TokenView
from app.flows.node import Done, NodeType, Wait


class Course(msgspec.Struct, frozen=True):
    """The fixed part of a run."""

    id: UUID
    subject: UUID
    document: Document
    input: dict[str, Any]

    def key(self, token: TokenView) -> str:
        """Return the idempotency key of the step: the same in every attempt."""
        return f"{self.id}:{token.scope}:{token.node}"

    def tell(self, tx: Tx) -> None:
        """Let the pages that show the run look again."""
        tx.publish("dashboard", f"order:{self.subject}", f"run:{self.id}")


async def keep(
    tx: Tx,
    course: Course,
    token: TokenView,
    kind: NodeType,
    result: Done | Wait,
    *,
    ends: datetime | None,
) -> None:
    """Write the outcome of a step that did not fail, and move its token.

    A wait is looked at again when the node's whole time `ends`, at the latest.
    """
    course.tell(tx)
    if isinstance(result, Wait):
        until = result.until if ends is None else min(result.until, ends)
        await journal.keep_wait(tx, course.id, token, msgspec.structs.replace(result, until=until))
    elif kind.container:
        await _enter(tx, course, token)
    else:
        await journal.keep_done(tx, course.id, token, result)
        targets = course.document.targets(token.node, result.port)
        await journal.move(tx, course.id, token, targets, token.scope)
        await _leave(tx, course, token.scope)


async def fail(tx: Tx, course: Course, token: TokenView, error: str, *, transient: bool) -> None:
    """Retry by policy, else leave by the error port, else follow the flow's policy on failure."""
    error = storable(error)
    await _record(tx, course, token, error)
    again = None
    if transient:
        spec = course.document.nodes[token.node]
        again = await deadline.next_try(tx, course.id, token, spec)
    targets = course.document.targets(token.node, "error")
    if again is not None:
        await journal.retry_later(tx, token, again)
    elif targets:
        await journal.move(tx, course.id, token, targets, token.scope)
        await _leave(tx, course, token.scope)
    elif course.document.on_failure == "compensate":
        await tx.execute(
            "UPDATE run SET status = 'compensating', error = $2 WHERE id = $1", course.id, error
        )
    else:
        await _halt(tx, course, token, error)


async def halt(tx: Tx, course: Course, token: TokenView, error: str) -> None:
    """Stop at the token whatever the flow says: the step could not even be tried."""
    error = storable(error)
    await _record(tx, course, token, error)
    await _halt(tx, course, token, error)


async def _record(tx: Tx, course: Course, token: TokenView, error: str) -> None:
    # A step in our own database rolled its intent back together with what it did.
    await journal.begin_attempt(tx, course.id, token, course.key(token), {})
    await journal.keep_failure(tx, course.id, token, error)
    course.tell(tx)


async def _halt(tx: Tx, course: Course, token: TokenView, error: str) -> None:
    await journal.halt(tx, token)
    await tx.execute("UPDATE run SET error = $2 WHERE id = $1", course.id, error)
    await emit(
        tx,
        "admin.notice",
        f"halted:{course.id}:{token.scope}:{token.node}:{token.attempt}",
        {
            "subject": str(course.subject),
            "title": f"A run halted at {token.node}",
            "text": f"{error} — correct it, then retry the step on the run's page.",
        },
    )


async def _enter(tx: Tx, course: Course, token: TokenView) -> None:
    """Begin a container; one that halted after an iteration only looks at its condition again."""
    count = token.memo.get("iteration")
    if count is None:
        await containers.enter(tx, course.id, course.document, token, count=1)
    else:
        await _leave(tx, course, containers.inner(token.scope, token.node, count))


async def _leave(tx: Tx, course: Course, scope: str) -> None:
    stuck = await containers.leave_if_drained(tx, course.id, course.document, course.input, scope)
    if stuck is not None:
        await fail(tx, course, stuck.token, stuck.error, transient=False)
