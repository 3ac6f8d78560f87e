"""Containers: a node whose body runs once per iteration, each in a scope of its own.

`logic.repeat` goes round until a condition holds; `logic.each` goes through a list, several
items at once if asked. An iteration ends when no token is left in its scope.
"""

from datetime import datetime
from typing import Any

from app.flows.change import AttemptRow, to_json
from app.flows.course import Course, Token
from app.flows.document import duration
from app.flows.expressions import references, resolve
from app.flows.node import Done, StepFailed
from app.flows.scopes import count_of, inner, is_within, parse_scope

MOST_ERRORS = 100
LOOK = "look"
"""In the memo of a container: its iterations that are over and not closed yet, because its
condition was wrong or it was halted by another one's."""
GATHER = "gather"
"""In the memo of a loop that is through: what its iterations gave is yet to be read."""


def enter(course: Course, token: Token, now: datetime) -> Done | None:
    """Begin the container at `token`, or go on with it after a pause.

    One that halted at its condition only looks at that again: its body is not done again.
    Returns its outcome when there is nothing to go through.
    """
    token.state, token.wake_at, token.signal_key = "inside", None, ""
    course.touch(token)
    if LOOK in token.memo:
        for scope in token.memo[LOOK]:
            done = end_iteration(course, token, scope, now)
            if done is not None:
                return done
        return None
    items = course.items.get(token.place)
    if items is None:
        count = token.memo.get("iteration", 0) + 1
        token.memo = {"iteration": count}
        _begin_iteration(course, token, count, now)
        return None
    if not items:
        return Done({"count": 0, "failed": 0, "items": [], "errors": []}, "done")
    _fill(course, token, now)
    return None


def _fill(course: Course, token: Token, now: datetime) -> None:
    """Begin as many iterations of a loop as may run at once."""
    items = course.items[token.place]
    at_once = int(_setting(course, token, "concurrency", 1))
    begun, ended = token.memo.get("begun", 0), token.memo.get("ended", 0)
    while begun < len(items) and begun - ended < at_once:
        begun += 1
        _begin_iteration(course, token, begun, now)
    token.memo = {**token.memo, "begun": begun, "ended": ended}
    course.touch(token)


def _begin_iteration(course: Course, token: Token, count: int, now: datetime) -> None:
    course.touch(token)
    scope = inner(token.scope, token.node, count)
    for target in course.stop_of(token).targets("each"):
        course.add(course.new_token((scope, target)))
    course.note(now, "iteration", token.place, count=count)


def container_at(course: Course, scope: str) -> Token | None:
    """Return the container whose iteration `scope` is; None at the top."""
    parsed = parse_scope(scope)
    return None if parsed is None else course.at((parsed[0], parsed[1]))


def is_drained(course: Course, scope: str) -> bool:
    return not any(is_within(token.scope, scope) for token in course.tokens.values())


def end_iteration(
    course: Course, token: Token, scope: str, now: datetime, *, error: str = ""
) -> Done | None:
    """Close the iteration `scope` of the container at `token`, and begin what follows.

    Returns the container's outcome when it is over. Raises StepFailed or a Refusal when its
    own condition is wrong; what its body did stays done. While the container is halted the
    iteration is closed when it goes on.
    """
    open_ones = [other for other in token.memo.get(LOOK, ()) if other != scope]
    token.memo = {**token.memo, LOOK: [*open_ones, scope]}
    course.touch(token)
    if token.state != "inside" and not error:
        return None
    if token.place in course.items:
        done = _end_item(course, token, scope, now, error=error)
    else:
        done = _end_round(course, token, scope, now)
    token.memo = {name: value for name, value in token.memo.items() if name != LOOK}
    if open_ones:
        token.memo[LOOK] = open_ones
    return done


def give_up(course: Course, token: Token) -> None:
    """Let go of all that is under way in a container which is being left."""
    inside = inner(token.scope, token.node, 0).removesuffix("0")
    for other in list(course.tokens.values()):
        if other.scope.startswith(inside):
            course.drop(other)


def _setting(course: Course, token: Token, name: str, default: Any = None) -> Any:
    """Return what a parameter of the container comes to, as its own scope sees it."""
    written = course.params_of(token).get(name, default)
    return resolve(written, _names(course, token.scope, written))


def _end_round(course: Course, token: Token, scope: str, now: datetime) -> Done | None:
    count = count_of(scope)
    if _holds(course, scope, course.params_of(token)["until"]):
        port = "done"
    elif count >= int(_setting(course, token, "max")):
        port = "exhausted"
    else:
        pause = _setting(course, token, "every")
        forget(course, scope)
        if pause is None:
            token.memo = {"iteration": count + 1}
            _begin_iteration(course, token, count + 1, now)
        else:
            token.state, token.wake_at = "waiting", now + duration(pause)
            token.memo = {"iteration": count}
            course.touch(token)
        return None
    last = {
        node: course.outputs[scope, node]
        for node in course.chart.bodies.get(token.node, ())
        if (scope, node) in course.outputs
    }
    forget(course, scope)
    return Done({"count": count, "last": last}, port)


def _end_item(
    course: Course, token: Token, scope: str, now: datetime, *, error: str
) -> Done | None:
    collect = course.params_of(token).get("collect")
    if error:
        _keep_item(course, token, scope, now, error=error)
    elif collect is not None:
        value = resolve(collect, _names(course, scope, collect))
        _keep_item(course, token, scope, now, value=value)
    forget(course, scope)
    memo = dict(token.memo)
    memo["ended"] = memo.get("ended", 0) + 1
    if error:
        memo["failed"] = memo.get("failed", 0) + 1
    token.memo = memo
    course.touch(token)
    if memo["ended"] < len(course.items[token.place]):
        if token.state == "inside":
            _fill(course, token, now)
        return None
    if collect is None and not memo.get("failed"):
        return Done({"count": memo["ended"], "failed": 0, "items": [], "errors": []}, "done")
    token.state, token.memo = "ready", {**memo, GATHER: True}
    return None


def _keep_item(
    course: Course, token: Token, scope: str, now: datetime, *, value: Any = None, error: str = ""
) -> None:
    """Write down what an iteration gave, as a row of the container in the iteration's scope."""
    stop = course.stop_of(token)
    course.pending(now).attempts.append(
        AttemptRow(
            scope=scope,
            node=token.node,
            attempt=1,
            type=stop.spec.type,
            version=stop.spec.v,
            status="failed" if error else "succeeded",
            key=course.key((scope, token.node)),
            input="{}",
            started_at=now,
            finished_at=now,
            output=None if error else to_json(value),
            port="item",
            error=error,
        )
    )


def _names(course: Course, scope: str, source: Any) -> dict[str, Any]:
    return course.names(references(source), scope, wants_item=True)


def _holds(course: Course, scope: str, until: Any) -> bool:
    result = resolve(until, _names(course, scope, until))
    if not isinstance(result, bool):
        raise StepFailed(f"`until` must be true or false, it is {result!r}")
    return result


def forget(course: Course, scope: str) -> None:
    """Let go of what an iteration left in memory; the journal has it.

    A step that was given up while it is under way closes its own attempt.
    """
    for place in [place for place in course.open if is_within(place[0], scope)]:
        if course.open[place].status != "started":
            del course.open[place]
    for kept in (course.outputs, course.attempts, course.items):
        for place in [place for place in kept if is_within(place[0], scope)]:
            del kept[place]
    gone = {place for place in course.finished if is_within(place[0], scope)}
    course.finished -= gone


def tolerant_loop(course: Course, scope: str) -> tuple[Token, str] | None:
    """Return the innermost loop around that goes on after a failure, and the failing iteration."""
    while (parsed := parse_scope(scope)) is not None:
        token = course.at((parsed[0], parsed[1]))
        if token is not None and course.stop_of(token).spec.params.get("on_error") == "continue":
            return token, scope
        scope = parsed[0]
    return None
