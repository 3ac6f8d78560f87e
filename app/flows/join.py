"""Joins: branches that run at the same time meet, and one token goes on.

A join fires when no other token of its scope can still come to it, so that a branch which
turned off elsewhere is not waited for. With `mode` `any` it fires at the first arrival and
takes in those that come later.
"""

from datetime import datetime

from app.flows.course import Course, Token


def arrive(course: Course, token: Token, came_from: str, node: str) -> None:
    """Let a token come to the join `node` of its scope."""
    place = (token.scope, node)
    waiting = course.at(place)
    if place in course.finished or (waiting is not None and waiting.is_busy):
        course.drop(token)  # it has fired already: what comes later is taken in
        return
    if waiting is not None:
        arrived = [*waiting.memo.get("arrived", []), came_from]
        waiting.memo = {"arrived": sorted(set(arrived))}
        course.touch(waiting)
        course.drop(token)
        return
    token.node, token.state, token.attempt = node, "waiting", course.attempts.get(place, 0) + 1
    token.memo, token.wake_at, token.since = {"arrived": [came_from]}, None, None
    course.touch(token)


def settle(course: Course, now: datetime) -> None:
    """Let every join go on that nothing can come to any more."""
    for token in list(course.tokens.values()):
        stop = course.stop_of(token)
        if token.state != "waiting" or stop.kind is None or not stop.kind.join:
            continue
        if token.wake_at is not None:
            continue
        fires_at_once = stop.spec.params.get("mode", "all") == "any"
        if fires_at_once or not _may_come(course, token):
            token.wake_at = now
            course.touch(token)


def _may_come(course: Course, join: Token) -> bool:
    return any(
        other is not join
        and other.scope == join.scope
        and course.chart.can_reach(other.node, join.node)
        for other in course.tokens.values()
    )
