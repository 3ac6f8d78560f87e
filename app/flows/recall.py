"""Bring claimed runs into memory: tokens, what has finished around them, variables."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.flows.chart import Chart, Charts
from app.flows.containers import LOOK, container_at
from app.flows.course import ENDS, Course, Ending, Place, Token
from app.flows.document import BadDocument
from app.flows.lease import Claim
from app.flows.scopes import chain, count_of, parse_scope
from app.flows.upgrade import load

OUTPUT = "coalesce(b.content, a.output)"
_HAS_FINISHED = (
    "(a.status = 'succeeded' OR (a.status = 'compensated' AND "
    "coalesce(a.output::text, a.blob::text) IS NOT NULL))"
)
"""Also of a step that is undone by now, but had an output."""
_SCOPES = "(a.run, a.scope) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))"


async def recall(
    tx: Tx, claims: Sequence[Claim], charts: Charts
) -> tuple[list[Course], list[tuple[Claim, BadDocument]]]:
    """Return the courses of the claimed runs, and those whose document cannot be read.

    Two statements for runs that are new, four more for those that have a history, whatever
    their number. The cost is flat in a run's length: only scopes where a token stands count.
    """
    unread: list[tuple[Claim, BadDocument]] = []
    courses: dict[UUID, Course] = {}
    found = await _charts(tx, {claim.flow_version for claim in claims}, charts)
    for claim in claims:
        chart = found[claim.flow_version]
        if isinstance(chart, BadDocument):
            unread.append((claim, chart))
            continue
        course = Course(
            claim.run,
            claim.epoch,
            chart,
            subject=claim.subject,
            subject_kind=claim.subject_kind,
            data=claim.input,
            parent=claim.parent,
        )
        course.is_cancelled = claim.is_cancelled or claim.status == "compensating"
        courses[claim.run] = course
    await read_tokens(tx, courses)
    old = {claim.run: courses[claim.run] for claim in claims if not claim.is_fresh
           and claim.run in courses}  # fmt: skip
    if old:
        await _read_history(tx, old)
    return list(courses.values()), unread


async def _charts(tx: Tx, versions: set[UUID], charts: Charts) -> dict[UUID, Chart | BadDocument]:
    found: dict[UUID, Chart | BadDocument] = {}
    missing = []
    for version in versions:
        chart = charts.get(version)
        if chart is None:
            missing.append(version)
        else:
            found[version] = chart
    if not missing:
        return found
    rows = await tx.fetch("SELECT id, document FROM flow_version WHERE id = ANY($1)", missing)
    for row in rows:
        try:
            found[row["id"]] = charts.keep(row["id"], load(row["document"]))
        except BadDocument as error:
            found[row["id"]] = error
    return found


async def read_tokens(tx: Tx, courses: dict[UUID, Course]) -> None:
    rows = await tx.fetch(
        "SELECT id, run, scope, node, state, attempt, since, wake_at, signal_key, memo, heard, "
        "error, doubt, override FROM token WHERE run = ANY($1) ORDER BY id",
        list(courses),
    )
    for row in rows:
        courses[row["run"]].adopt(token_of(row))


def token_of(row: asyncpg.Record) -> Token:
    """Return a token as it stands in the journal; one that was begun outside is in doubt."""
    return Token(
        id=row["id"],
        scope=row["scope"],
        node=row["node"],
        state=row["state"],
        attempt=row["attempt"],
        since=row["since"],
        wake_at=row["wake_at"],
        signal_key=row["signal_key"],
        memo=msgspec.json.decode(row["memo"]),
        heard=_decoded(row["heard"]),
        error=_decoded(row["error"]),
        doubt=row["doubt"] or row["state"] == "started",
        override=_decoded(row["override"]),
    )


def _decoded(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


async def _read_history(tx: Tx, courses: dict[UUID, Course]) -> None:
    """Read what has finished in the scopes around the tokens, lists being gone through, variables.

    Outputs at the top are read when an expression asks for them; those of an iteration now,
    because what ends it asks at once.
    """
    scopes = [(run, scope) for run, course in courses.items() for scope in _scopes_of(course)]
    runs, names = [run for run, _ in scopes], [scope for _, scope in scopes]
    rows = await tx.fetch(
        "SELECT a.run, a.scope, a.node, max(a.attempt) AS attempt, "
        f"bool_or(a.status = 'succeeded') AS done FROM step_attempt a WHERE {_SCOPES} "
        "GROUP BY 1, 2, 3",
        runs,
        names,
    )
    for row in rows:
        course, place = courses[row["run"]], (row["scope"], row["node"])
        course.attempts[place] = row["attempt"]
        if row["done"]:
            course.finished.add(place)
    await _read_items(tx, courses)
    for run, course in courses.items():
        await _read_ending(tx, course)
        wanted = {place for place in course.finished if place[0] != "/"} | set(_asked(course))
        await read_outputs(tx, run, course, wanted)
    for row in await tx.fetch(
        "SELECT run, name, value FROM run_variable WHERE run = ANY($1)", list(courses)
    ):
        courses[row["run"]].variables[row["name"]] = msgspec.json.decode(row["value"])


async def _read_ending(tx: Tx, course: Course) -> None:
    """Take up an end that a step has said and that was not carried out."""
    for token in course.tokens.values():
        if token.memo.get(ENDS):
            course.last_output = await tx.fetchval(
                f"SELECT {OUTPUT} FROM step_attempt a LEFT JOIN run_blob b ON b.id = a.blob "
                "WHERE a.run = $1 AND a.scope = $2 AND a.node = $3 AND a.attempt = $4",
                course.id,
                *token.place,
                token.attempt,
            )
            course.ending = Ending(is_failure=False)


def _scopes_of(course: Course) -> set[str]:
    scopes = {"/"}
    for token in course.tokens.values():
        scopes.update(chain(token.scope))
        for scope in token.memo.get(LOOK, ()):
            scopes.update(chain(scope))
    return scopes


async def _read_items(tx: Tx, courses: dict[UUID, Course]) -> None:
    """Read the lists of the loops that have begun: the input of the loop's attempt."""
    loops = [
        (course.id, token)
        for course in courses.values()
        for token in course.tokens.values()
        if _is_loop(course, token) and "begun" in token.memo
    ]
    for run, token in loops:
        await _read_list(tx, courses[run], token.place)


async def _read_list(tx: Tx, course: Course, place: Place) -> None:
    items = await tx.fetchval(
        "SELECT input->'items' FROM step_attempt WHERE run = $1 AND scope = $2 AND node = $3 "
        "AND input ? 'items' ORDER BY attempt DESC LIMIT 1",
        course.id,
        *place,
    )
    if items is not None:
        course.items[place] = msgspec.json.decode(items)


async def read_around(tx: Tx, course: Course, scope: str) -> None:
    """Read what a step of `scope` saw, which may be over and undone in part."""
    scopes = chain(scope)
    rows = await tx.fetch(
        "SELECT a.scope, a.node FROM step_attempt a WHERE a.run = $1 AND a.scope = ANY($2) "
        f"AND {_HAS_FINISHED}",
        course.id,
        scopes,
    )
    course.finished |= {(row["scope"], row["node"]) for row in rows}
    for around in scopes:
        parsed = parse_scope(around)
        if parsed is not None and parsed[:2] not in course.items:
            await _read_list(tx, course, parsed[:2])


def _is_loop(course: Course, token: Token) -> bool:
    stop = course.chart.stops.get(token.node)
    return stop is not None and stop.kind is not None and stop.kind.container


def _asked(course: Course) -> Iterable[Place]:
    """Return what containers will ask for when an iteration ends."""
    for token in course.tokens.values():
        if _is_loop(course, token):
            yield from course.seen(course.refers_of(token), token.scope)
        for scope in {*chain(token.scope), *token.memo.get(LOOK, ())}:
            container = container_at(course, scope)
            if container is not None and container.node in course.chart.stops:
                yield from course.seen(course.refers_of(container), scope)


async def read_outputs(tx: Tx, run: UUID, course: Course, places: Iterable[Place]) -> None:
    """Read the outputs at `places` that are not in memory."""
    missing = [place for place in places if place not in course.outputs]
    if not missing:
        return
    rows = await tx.fetch(
        f"SELECT DISTINCT ON (a.scope, a.node) a.scope, a.node, {OUTPUT} AS output "
        "FROM step_attempt a LEFT JOIN run_blob b ON b.id = a.blob "
        "WHERE a.run = $1 AND (a.scope, a.node) IN (SELECT * FROM unnest($2::text[], $3::text[])) "
        f"AND {_HAS_FINISHED} ORDER BY a.scope, a.node, a.attempt DESC",
        run,
        [scope for scope, _ in missing],
        [node for _, node in missing],
    )
    for row in rows:
        course.outputs[row["scope"], row["node"]] = msgspec.json.decode(row["output"] or "null")


async def read_iterations(tx: Tx, run: UUID, place: Place) -> list[tuple[int, str, Any, str]]:
    """Return (count, status, output, error) of each iteration of a loop, in their order."""
    prefix = f"{place[0].rstrip('/')}/{place[1]}:"
    rows = await tx.fetch(
        f"SELECT a.scope, a.status, {OUTPUT} AS output, a.error FROM step_attempt a "
        "LEFT JOIN run_blob b ON b.id = a.blob "
        "WHERE a.run = $1 AND a.node = $2 AND a.port = 'item' AND starts_with(a.scope, $3)",
        run,
        place[1],
        prefix,
    )
    found = [
        (count_of(row["scope"]), row["status"], _decoded(row["output"]), row["error"])
        for row in rows
    ]
    return sorted(found, key=lambda one: one[0])
