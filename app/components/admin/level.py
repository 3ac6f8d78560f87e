"""The steps of one level of a run, and the rounds of the loops in it."""

from datetime import datetime
from urllib.parse import urlencode

import htpy as h

from app.components.admin.attempts import attempt_item, scope_words
from app.components.admin.run_bits import RUNS, length_ms
from app.components.badge import badge
from app.components.empty import empty
from app.components.pagination import pagination
from app.components.time import duration_text
from app.components.tone import Tone
from app.flows.rounds import Level, Round, Rounds, RoundState
from app.flows.scopes import TOP, chain
from app.flows.sheet import Sheet

_STATES: dict[RoundState, tuple[str, Tone]] = {
    RoundState.halted: ("Halted", "danger"),
    RoundState.failed: ("With a failure", "warning"),
    RoundState.open: ("Under way", "info"),
    RoundState.done: ("Done", "success"),
}


def level_address(sheet: Sheet, scope: str, *, loop: str = "", page: int = 1) -> str:
    query = {"scope": scope if scope != TOP else "", "loop": loop if page > 1 else ""}
    query["page"] = str(page) if page > 1 else ""
    words = urlencode({name: value for name, value in query.items() if value})
    return f"{RUNS}/{sheet.row.id}" + (f"?{words}" if words else "")


def level_path(sheet: Sheet) -> h.Element | None:
    """Return the way back to the top from inside a round; None at the top."""
    scope = sheet.level.scope
    if scope == TOP:
        return None
    outer = list(reversed(chain(scope)))[:-1]
    return h.nav(".sw-level-path", aria_label="Level")[
        [
            [h.a(href=level_address(sheet, one))[scope_words(one, sheet.names)], " / "]
            for one in outer
        ],
        h.span(aria_current="page")[scope_words(scope, sheet.names)],
    ]


def level_body(sheet: Sheet, at: datetime) -> h.Node:
    level = sheet.level
    if not level.attempts and not level.rounds:
        if level.scope == TOP:
            return empty("hourglass", "Not begun", "A worker takes it as soon as one is free.")
        return empty("circle-dashed", "Nothing here", "The run has no such round.")
    tops = {attempt.node: attempt.id for attempt in level.attempts}
    return [
        h.p(".sw-quiet")["Only the latest attempts are shown."] if level.more else None,
        h.ol(".sw-timeline.sw-attempts", aria_label=scope_words(level.scope, sheet.names))[
            [
                attempt_item(
                    one,
                    at,
                    run=sheet.row.id,
                    # The rounds stand with the latest attempt of their loop.
                    within=_rounds(sheet, level, one.node, at)
                    if tops[one.node] == one.id
                    else None,
                )
                for one in level.attempts
            ]
        ],
    ]


def _rounds(sheet: Sheet, level: Level, node: str, at: datetime) -> h.Element | None:
    rounds = level.rounds.get(node)
    if rounds is None:
        return None
    return h.div(".sw-rounds", id=f"rounds-{node}")[
        _counts(rounds) if rounds.total > len(rounds.items) or rounds.total > 3 else None,
        [_round(sheet, one, at) for one in rounds.items],
        pagination(
            page=rounds.page,
            page_count=rounds.page_count,
            href=lambda page: level_address(sheet, level.scope, loop=node, page=page),
        )
        if rounds.page_count > 1
        else None,
    ]


def _counts(rounds: Rounds) -> h.Element:
    words = [
        f"{count:,} {_STATES[state][0].lower()}" for state, count in rounds.counts.items() if count
    ]
    return h.p(".sw-quiet")[f"{rounds.total:,} rounds: ", ", ".join(words)]


def _round(sheet: Sheet, one: Round, at: datetime) -> h.Element:
    words, tone = _STATES[one.state]
    spent = (one.ended_at or at) - one.began_at
    head = h.div(".sw-round-head")[
        h.a(href=level_address(sheet, one.scope))[scope_words(one.scope, sheet.names)],
        badge(words, tone, dot=False) if one.state is not RoundState.done else None,
        h.span(".sw-quiet")[duration_text(length_ms(spent))],
    ]
    if not one.attempts:
        return h.div(".sw-round", id=f"round-{one.scope}")[
            head,
            h.p(".sw-step-note.sw-why")[one.error]
            if one.error and one.state is not RoundState.done
            else None,
        ]
    return h.div(".sw-round", id=f"round-{one.scope}")[
        head,
        h.ol(".sw-timeline.sw-attempts", aria_label=scope_words(one.scope, sheet.names))[
            [
                attempt_item(
                    attempt, at, run=sheet.row.id, rounds_at=level_address(sheet, one.scope)
                )
                for attempt in one.attempts
            ]
        ],
    ]
