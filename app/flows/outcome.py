"""What comes of a step: its token moves on, waits, is tried again, halts, or the run is undone.

Plain functions over the run in memory. All that they change is written in one commit.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.core.database import storable
from app.core.errors import Refusal
from app.flows import containers, join
from app.flows.backoff import backoff
from app.flows.change import AttemptRow, ResourceRow, to_json
from app.flows.course import ENDS, Course, Ending, Place, Token
from app.flows.node import Done, ForStaff, RunEnds, StepFailed, Wait
from app.flows.scopes import is_within

MOST_ERROR_CHARS = 500
STOPPED = "stopped"
"""Kind of a failure that halts for a person, whatever the flow says."""


def begin(course: Course, token: Token, given: Any, now: datetime) -> None:
    """Write down that an attempt begins: who, with what, under which key."""
    place = token.place
    row = course.open.get(place)
    if token.since is None:
        token.since = now
    if row is None or row.attempt != token.attempt:
        is_new = course.attempts.get(place, 0) < token.attempt
        spec = course.stop_of(token).spec
        row = AttemptRow(
            scope=token.scope,
            node=token.node,
            attempt=token.attempt,
            type=spec.type,
            version=spec.v,
            status="started",
            key=course.key(place),
            input=to_json(given),
            started_at=now,
        )
        course.open[place] = row
        course.attempts[place] = token.attempt
        if is_new:
            course.note(now, "started", place, attempt=token.attempt)
    row.status, row.error = "started", ""
    _write(course, row, now)


def intend(course: Course, token: Token) -> None:
    """Mark the token as being done outside, so that a crash leaves it in doubt."""
    token.state, token.signal_key, token.wake_at = "started", "", None
    course.touch(token)


def finish(course: Course, token: Token, done: Done, now: datetime) -> None:
    """Close the attempt with its output and move the token. Raises Unstorable."""
    place = token.place
    output = to_json(done.output)
    variables = {name: to_json(value) for name, value in done.variables.items()}
    row = _open_row(course, token, now)
    row.status, row.port, row.finished_at, row.error = "succeeded", done.port, now, ""
    row.output = output
    _write(course, row, now)
    if course.has(token):
        course.finished.add(place)
        if course.keeps(token.node):
            course.outputs[place] = msgspec.json.decode(output)
        if token.scope == "/":
            course.last_output = output
    if variables:
        course.pending(now).variables.update(variables)
        course.variables |= {name: msgspec.json.decode(value) for name, value in variables.items()}
    if done.takes or done.returns or done.delivers:
        _enter(course, place, done, now)
    course.note(now, "finished", place, port=done.port)
    course.tell(now)
    if course.has(token):
        go_on(course, token, course.stop_of(token).targets(done.port), now)


def _enter(course: Course, place: Place, done: Done, now: datetime) -> None:
    """Keep the ledger of what the run has taken."""
    change = course.pending(now)
    change.resources += [
        ResourceRow(place[0], place[1], taken.kind, storable(taken.ref), "taken", now)
        for taken in dict.fromkeys(done.takes)
    ]
    change.returns += done.returns
    if done.delivers:
        change.delivers = True
        for resource in change.resources:
            resource.state = "delivered"


def wait(course: Course, token: Token, result: Wait, now: datetime) -> None:
    """Park the token until a time or a signal, at the latest until the node's time is over."""
    row = course.open[token.place]
    row.status, row.error = "waiting", storable(result.says)
    _write(course, row, now)
    if not course.has(token):
        del course.open[token.place]
        return
    said = token.memo.get("says")
    until = result.until
    limit = ends_at(course, token)
    is_first = token.state != "waiting" or not token.memo  # a retry is waited for as well
    token.state = "waiting"
    token.wake_at = until if limit is None else min(until, limit)
    token.signal_key, token.heard = storable(result.signal), None
    token.memo = dict(result.memo)
    token.doubt = False
    course.touch(token)
    if is_first or (result.says and result.says != said):
        course.note(now, "waiting", token.place, says=result.says)
    course.tell(now)


def fail(
    course: Course,
    token: Token,
    error: str,
    kind: str,
    now: datetime,
    *,
    unknown: bool = False,
    told: ForStaff | None = None,
) -> None:
    """Retry by policy, else leave by the error port, else follow the policy on failure.

    One that is `STOPPED` halts; `told` is what staff are told then.
    """
    error = storable(error)
    _close(course, token, error, kind, now, status="failed")
    if not course.has(token):
        return
    if kind == STOPPED:
        token.doubt = unknown
        halt(course, token, error, now, told=told)
        return
    spec = course.stop_of(token).spec
    again = _next_try(course, token, kind, now)
    targets = course.stop_of(token).targets("error")
    if again is not None:
        token.state, token.wake_at, token.attempt = "waiting", again, token.attempt + 1
        token.signal_key, token.memo, token.heard, token.doubt = "", {}, None, unknown
        course.touch(token)
    elif targets:
        facts = {"node": token.node, "message": error, "kind": kind}
        containers.give_up(course, token)
        go_on(course, token, targets, now, error=facts)
    elif (loop := containers.tolerant_loop(course, token.scope)) is not None:
        give_up_iteration(course, loop[1], f"{token.node}: {error}", now)
    elif (spec.on_failure or course.chart.document.on_failure) == "compensate":
        course.error = error
        course.ending = Ending(is_failure=True)
    else:
        token.doubt = unknown
        halt(course, token, error, now)


def halt_in_doubt(course: Course, token: Token, error: str, now: datetime) -> None:
    """Stop for a person: whether the attempt had its effect, nobody knows."""
    error = storable(error)
    _close(course, token, error, "unknown", now, status="ambiguous")
    if course.has(token):
        token.doubt = True
        halt(course, token, error, now)


def halt_unbegun(course: Course, token: Token, error: str, now: datetime) -> None:
    """Stop at the token whatever the flow says: the step could not even be tried."""
    begin(course, token, {}, now)
    error = storable(error)
    _close(course, token, error, "refused", now, status="failed")
    halt(course, token, error, now)


def halt(
    course: Course, token: Token, error: str, now: datetime, *, told: ForStaff | None = None
) -> None:
    """Stop at the token for a person, and tell staff."""
    told = told or ForStaff(
        f"A run halted at {token.node}",
        f"{course.id}:{token.scope}:{token.node}:{token.attempt}",
    )
    token.state, token.wake_at, token.signal_key = "halted", None, ""
    course.touch(token)
    course.error = error
    course.emit(
        now,
        "admin.notice",
        f"halted:{told.key}",
        {
            "kind": "run.halted",
            "run": str(course.id),
            "subject": str(course.subject or course.id),
            "path": f"/admin/runs/{course.id}",
            "title": told.title,
            "text": _asking_for_a_retry(error),
        },
    )
    course.tell(now)


def _asking_for_a_retry(error: str) -> str:
    """Return the error and what to do; below it where its last line is what a program printed."""
    if "\n" in error:
        return f"{error}\n\nCorrect it, then retry the step on the run's page."
    return f"{error} — correct it, then retry the step on the run's page."


def end(course: Course, token: Token, ends: RunEnds, now: datetime) -> None:
    """End the whole run by a node's word."""
    place = token.place
    if ends.failed:
        _close(course, token, storable(ends.message), "refused", now, status="failed")
    else:
        row = _open_row(course, token, now)
        row.status, row.port, row.finished_at = "succeeded", "out", now
        row.output = course.last_output = to_json(ends.output)
        _write(course, row, now)
        course.note(now, "finished", place, port="out")
        token.memo = {ENDS: True}  # whoever goes on after a crash ends the run, and nothing else
        course.touch(token)
    course.error = storable(ends.message) if ends.failed else ""
    course.ending = Ending(is_failure=ends.failed)
    course.tell(now)


def go_on(
    course: Course,
    token: Token,
    targets: tuple[str, ...],
    now: datetime,
    *,
    error: dict[str, Any] | None = None,
) -> None:
    """Move the token along its edges; close the iterations that are over by that."""
    came_from, scope = token.node, token.scope
    carried = error or token.error
    others = [course.new_token((scope, target), error=carried) for target in targets[1:]]
    if targets:
        _come(course, token, came_from, targets[0], carried)
    else:
        course.drop(token)
    for other, target in zip(others, targets[1:], strict=True):
        course.add(other)
        _come(course, other, came_from, target, carried)
    join.settle(course, now)
    _leave(course, scope, now)


def _come(
    course: Course, token: Token, came_from: str, target: str, error: dict[str, Any] | None
) -> None:
    place = (token.scope, target)
    kind = course.chart[target].kind
    token.error, token.override, token.doubt, token.heard = error, None, False, None
    if kind is not None and kind.join:
        join.arrive(course, token, came_from, target)
        return
    standing = course.at(place)
    if standing is not None and standing is not token:
        course.drop(token)  # who stands there already goes on for both
        return
    token.node, token.state, token.attempt = target, "ready", course.attempts.get(place, 0) + 1
    token.memo, token.wake_at, token.since, token.signal_key = {}, None, None, ""
    course.touch(token)


def give_up_iteration(course: Course, scope: str, error: str, now: datetime) -> None:
    """End the iteration of a loop that goes on after failures: nothing more is done in it."""
    for token in list(course.tokens.values()):
        if is_within(token.scope, scope):
            course.drop(token)
    _leave(course, scope, now, error=error)


def _leave(course: Course, scope: str, now: datetime, *, error: str = "") -> None:
    container = containers.container_at(course, scope)
    if container is None or not containers.is_drained(course, scope):
        return
    try:
        done = containers.end_iteration(course, container, scope, now, error=error)
    except (StepFailed, Refusal) as wrong:
        fail(course, container, wrong.message, "refused", now)
    else:
        if done is not None:
            finish(course, container, done, now)


def ends_at(course: Course, token: Token) -> datetime | None:
    """Return when the node's whole time is over; None when it has no such limit."""
    total_s = course.stop_of(token).total_s
    if total_s is None or token.since is None:
        return None
    return token.since + timedelta(seconds=total_s)


def _next_try(course: Course, token: Token, kind: str, now: datetime) -> datetime | None:
    retry = course.stop_of(token).spec.retry
    if kind not in retry.on or token.attempt >= retry.max:
        return None
    at = now + backoff(retry, token.attempt)
    limit = ends_at(course, token)
    return None if limit is not None and at >= limit else at


def _close(
    course: Course, token: Token, error: str, kind: str, now: datetime, *, status: str
) -> None:
    row = _open_row(course, token, now)
    row.status, row.error, row.error_kind, row.finished_at = status, error, kind, now
    _write(course, row, now)
    course.note(
        now,
        "failed",
        token.place,
        error=error[:MOST_ERROR_CHARS],
        attempt=token.attempt,
        kind=kind,
    )
    course.tell(now)


def _open_row(course: Course, token: Token, now: datetime) -> AttemptRow:
    """Return the row of the attempt at hand, which is closed by what comes of it."""
    if token.place not in course.open:  # begun under an earlier lease: the journal has the rest
        begin(course, token, {}, now)
    return course.open.pop(token.place)


def _write(course: Course, row: AttemptRow, now: datetime) -> None:
    attempts = course.pending(now).attempts
    for other in attempts:
        if other is row:
            return
    attempts.append(row)
