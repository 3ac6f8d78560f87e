"""One level of a run: the steps of a scope, and the rounds of the loops that stand in it.

A run of 10,000 rounds is read level by level: the rounds are counted in one pass over the run's
attempts, and only a page of them is shown, those that failed first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg
import msgspec
from msgspec.structs import replace

from app.core.database import Tx
from app.flows.attempts import ATTEMPTS, attempt_view
from app.flows.document import Document
from app.flows.redact import redacted
from app.flows.scopes import TOP
from app.flows.views import AttemptView

ROUNDS = 20
"""Rounds of a loop on a page."""
OPENED = 3
"""Rounds of a loop that are shown with their steps; the others lead to a page of their own."""
MOST_ATTEMPTS = 200
MOST_APART = 5
LONGEST_APART_BYTES = 500_000
"""Outputs kept apart that are read with a level; a whole one has a page of its own."""


class RoundState(StrEnum):
    """How a round stands, in the order in which rounds are shown."""

    halted = "halted"
    """A step in it waits for a person."""

    failed = "failed"
    """The last attempt of a step in it failed."""

    open = "open"
    """It goes on."""

    done = "done"
    """It is over."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One pass through the body of a loop."""

    scope: str
    number: int
    state: RoundState
    error: str
    """The last error in it."""
    tries: int
    """Attempts in it and in the loops inside it."""
    began_at: datetime
    ended_at: datetime | None
    attempts: tuple[AttemptView, ...] = ()
    """Its own steps, where it is shown opened."""


class Rounds(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the rounds of a loop."""

    node: str
    total: int
    counts: dict[RoundState, int]
    page: int
    page_count: int
    items: tuple[Round, ...]


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of a scope with the rounds of its loops, by the loop's node."""

    scope: str
    attempts: tuple[AttemptView, ...]
    """In the order in which they began, the latest 200."""
    rounds: dict[str, Rounds]
    more: bool
    """There are earlier attempts than are shown."""


# A round is named by what follows the scope's own path: `/loop:17/…` is round 17 of `loop`.
_ROUNDS = """
WITH done AS (
    SELECT split_part(substr(scope, length($2) + 1), '/', 1) AS part, status, error, id, port,
           started_at, finished_at,
           attempt = max(attempt) OVER (PARTITION BY scope, node) AS is_last
    FROM step_attempt WHERE run = $1 AND starts_with(scope, $2) AND scope <> $2
), stands AS (
    SELECT split_part(substr(scope, length($2) + 1), '/', 1) AS part,
           bool_or(state = 'halted') AS is_halted
    FROM token WHERE run = $1 AND starts_with(scope, $2) AND scope <> $2 GROUP BY 1
), round AS (
    SELECT part, count(*) FILTER (WHERE port <> 'item') AS tries, min(started_at) AS began_at,
           max(coalesce(finished_at, started_at)) AS ended_at,
           coalesce((array_agg(error ORDER BY id DESC) FILTER (WHERE error <> ''))[1], '') AS error,
           bool_or(is_last AND status IN ('failed', 'ambiguous')) AS has_failed
    FROM done GROUP BY part
), told AS (
    SELECT split_part(part, ':', 1) AS node, split_part(part, ':', 2)::int AS number, tries,
           began_at, CASE WHEN s.part IS NULL THEN ended_at END AS ended_at, error,
           CASE WHEN s.is_halted THEN 'halted' WHEN r.has_failed THEN 'failed'
                WHEN s.part IS NOT NULL THEN 'open' ELSE 'done' END AS state
    FROM round r LEFT JOIN stands s USING (part)
), placed AS (
    SELECT *, count(*) OVER loop AS total,
           count(*) FILTER (WHERE state = 'halted') OVER loop AS halted,
           count(*) FILTER (WHERE state = 'failed') OVER loop AS failed,
           count(*) FILTER (WHERE state = 'open') OVER loop AS open,
           row_number() OVER (PARTITION BY node ORDER BY
               array_position(ARRAY['halted', 'failed', 'open', 'done'], state),
               number DESC) AS place
    FROM told WINDOW loop AS (PARTITION BY node)
)
SELECT * FROM placed
WHERE place > CASE WHEN node = $3 THEN $4::int ELSE 0 END
  AND place <= CASE WHEN node = $3 THEN $4::int ELSE 0 END + $5 ORDER BY node, place
"""


async def find_level(
    tx: Tx, run: UUID, document: Document, *, scope: str = TOP, loop: str = "", page: int = 1
) -> Level:
    """Return the steps of a scope and its loops' rounds, of `loop` those of a page; 4 statements.

    Rounds that halted or failed come first, then those that go on, then the latest. One pass over
    the run's attempts: some 60 ms for 10,000 rounds of three steps.
    """
    rows = await tx.fetch(
        f"{ATTEMPTS} WHERE a.run = $1 AND a.scope = $2 ORDER BY a.id DESC LIMIT $3",
        run,
        scope,
        MOST_ATTEMPTS + 1,
    )
    found = await tx.fetch(_ROUNDS, run, _prefix(scope), loop, (max(page, 1) - 1) * ROUNDS, ROUNDS)
    by_node: dict[str, list[asyncpg.Record]] = {}
    for row in found:
        by_node.setdefault(row["node"], []).append(row)
    rounds = {
        node: _rounds(node, lines, scope, page if node == loop else 1)
        for node, lines in by_node.items()
    }
    opened = [one.scope for many in rounds.values() for one in _opened(many)]
    inside: dict[str, list[AttemptView]] = {}
    if opened:
        inner = await tx.fetch(
            f"{ATTEMPTS} WHERE a.run = $1 AND a.scope = ANY($2) ORDER BY a.id LIMIT $3",
            run,
            opened,
            MOST_ATTEMPTS,
        )
        for view in await _with_apart(tx, [attempt_view(row, document) for row in inner]):
            inside.setdefault(view.scope, []).append(view)
    own = [attempt_view(row, document) for row in reversed(rows[:MOST_ATTEMPTS])]
    return Level(
        scope=scope,
        attempts=tuple(await _with_apart(tx, own)),
        rounds={node: _filled(many, inside) for node, many in rounds.items()},
        more=len(rows) > MOST_ATTEMPTS,
    )


def _prefix(scope: str) -> str:
    return scope if scope == TOP else f"{scope}/"


def _rounds(node: str, rows: Sequence[asyncpg.Record], scope: str, page: int) -> Rounds:
    first = rows[0]
    seen: dict[RoundState, int] = {
        state: first[state.value] for state in RoundState if state is not RoundState.done
    }
    return Rounds(
        node=node,
        total=first["total"],
        counts={**seen, RoundState.done: first["total"] - sum(seen.values())},
        page=page,
        page_count=-(-first["total"] // ROUNDS),
        items=tuple(
            Round(
                scope=f"{_prefix(scope)}{node}:{row['number']}",
                number=row["number"],
                state=RoundState(row["state"]),
                error=row["error"],
                tries=row["tries"],
                began_at=row["began_at"],
                ended_at=row["ended_at"],
            )
            for row in rows
        ),
    )


def _opened(rounds: Rounds) -> tuple[Round, ...]:
    """Return the rounds that are worth their steps: all of a few, else those not simply done."""
    if rounds.total <= OPENED:
        return rounds.items
    worth = tuple(one for one in rounds.items if one.state is not RoundState.done)
    return worth[:OPENED]


def _filled(rounds: Rounds, inside: Mapping[str, list[AttemptView]]) -> Rounds:
    """Put the steps into the rounds that are shown opened; a few rounds stand as they came."""
    items = tuple(replace(one, attempts=tuple(inside.get(one.scope, ()))) for one in rounds.items)
    if rounds.total <= OPENED:
        items = tuple(sorted(items, key=lambda one: one.number))
    return replace(rounds, items=items)


async def _with_apart(tx: Tx, attempts: list[AttemptView]) -> list[AttemptView]:
    """Read the latest outputs that are kept apart, those that are not too long for a page."""
    apart = [one.id for one in attempts if one.is_apart][-MOST_APART:]
    if not apart:
        return attempts
    rows = await tx.fetch(
        "SELECT a.id, b.content FROM step_attempt a JOIN run_blob b ON b.id = a.blob "
        "WHERE a.id = ANY($1) AND pg_column_size(b.content) < $2",
        apart,
        LONGEST_APART_BYTES,
    )
    read = {row["id"]: redacted(msgspec.json.decode(row["content"])) for row in rows}
    return [replace(one, output=read[one.id]) if one.id in read else one for one in attempts]
