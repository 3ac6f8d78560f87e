"""Replay: drive a recorded run's document again on the code at hand, by what was recorded.

Every outcome is the recorded one; what is looked at is whether this code would come to the same
steps with the same parameters, and whether nodes without an effect still give the same.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.flows import outcome
from app.flows.chart import Stop
from app.flows.containers import LOOK
from app.flows.course import Course, Token
from app.flows.document import BadDocument
from app.flows.dryrun.answers import Answering, recorded_answer
from app.flows.dryrun.begin import new_course, place_first, plan_of
from app.flows.dryrun.clock import VirtualClock
from app.flows.dryrun.deed import DryDoer
from app.flows.dryrun.drive import Driver, Limits
from app.flows.dryrun.given import Given
from app.flows.dryrun.notebook import Notebook
from app.flows.dryrun.recording import RecordedAttempt, Recording, read_recording
from app.flows.dryrun.result import Ended
from app.flows.expressions import names_in
from app.flows.node import Done, NodeType, PureDo, RunEnds, Wait
from app.flows.redact import redacted
from app.flows.scopes import TOP, is_within
from app.flows.step import Begun

LONGEST_S = 30.0
LIVE = ("queued", "running", "waiting", "halted", "compensating")
CHANGING = frozenset({"now"})
"""Names that are never the same twice: what comes of them is not compared."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where the code at hand would do otherwise. `what`: path, parameter, output or error."""

    node: str
    scope: str
    attempt: int
    what: str
    field: str = ""
    recorded: Any = None
    now: Any = None


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay found. What is named like a secret is hidden."""

    run: UUID
    flow: str
    status: str
    """Of the recorded run."""
    steps: int
    is_same: bool
    differences: tuple[Difference, ...]
    is_cut: bool = False
    """It took too long; what comes after is not looked at."""


async def replay_run(tx: Tx, run: UUID) -> Replay:
    """Return how a recorded run would go on the code at hand. Raises NotFound, TooLong."""
    return await replay(await read_recording(tx, run))


async def replay(recording: Recording) -> Replay:
    """Return the same of a recording that is at hand; pure, without any effect."""
    found: list[Difference] = []
    steps, is_cut = 0, False
    try:
        chart = plan_of(recording.document)
    except BadDocument as error:
        found.append(Difference(node="", scope="/", attempt=0, what="error", now=error.message))
    else:
        steps, is_cut = await _follow(recording, new_course(chart, _given(recording)), found)
    return Replay(
        run=recording.run,
        flow=recording.document.flow,
        status=recording.status,
        steps=steps,
        is_same=not found,
        differences=tuple(found),
        is_cut=is_cut,
    )


def _given(recording: Recording) -> Given:
    return Given(recorded=recording)


async def _follow(
    recording: Recording, course: Course, found: list[Difference]
) -> tuple[int, bool]:
    place_first(course)
    notebook, clock = Notebook(), VirtualClock(recording.created_at)
    answering = Answering(_given(recording), notebook)
    doer = _Replayer(clock, notebook, answering, recording, found)
    driver = Driver(
        doer, notebook, answering, clock,
        limits=Limits(most_steps=2 * len(recording.attempts) + 100, longest_s=LONGEST_S),
    )  # fmt: skip
    ended = await driver.drive(course)
    await doer.commit(course)
    is_cut = ended is Ended.too_long
    cut_short = _cut_short(notebook, ended, clock.now())
    if not is_cut:
        found += [
            Difference(
                node=one.node, scope=one.scope, attempt=one.attempt, what="path",
                recorded=_outcome(one), now="not come to",
            )
            for one in recording.attempts
            if (one.scope, one.node, one.attempt) not in notebook.attempts
            and not _was_under_way(one, cut_short)
        ]  # fmt: skip
    return driver.steps, is_cut


def _cut_short(notebook: Notebook, ended: Ended, now: datetime) -> dict[str, datetime]:
    """Return by scope when a step's failure ended it: iterations that were given up, the run."""
    rows = (row for rows in notebook.items.values() for row in rows if row.status == "failed")
    found = {row.scope: row.finished_at or now for row in rows}
    return {**found, TOP: now} if ended is Ended.failed else found


def _was_under_way(one: RecordedAttempt, cut_short: Mapping[str, datetime]) -> bool:
    """Return whether it had begun when another step's failure ended all that was in its scope."""
    return one.started_at is not None and any(
        is_within(one.scope, scope) and one.started_at <= at for scope, at in cut_short.items()
    )


class _Replayer(DryDoer):
    """Takes every outcome from the recording, and writes down what would be otherwise."""

    def __init__(
        self,
        clock: VirtualClock,
        notebook: Notebook,
        answering: Answering,
        recording: Recording,
        found: list[Difference],
    ) -> None:
        super().__init__(clock, notebook, answering)
        self.recording = recording
        self.found = found
        self.is_over = recording.status not in LIVE

    async def do(self, course: Course, token: Token) -> None:
        one = self._recorded(token)
        stop = course.chart.stops.get(token.node)
        is_inside = token.memo.keys() & {LOOK, "iteration", "begun", "gather"}
        if one is None and not is_inside:
            self._stop(course, token)
            return
        if one is not None and one.started_at is not None:
            self.clock.move_to(one.started_at)
        if stop is not None and stop.kind is None:
            self._differs(token, "error", now=f"no node type {stop.spec.type} is installed here")
            self._stop(course, token)
            return
        await super().do(course, token)

    def _stop(self, course: Course, token: Token) -> None:
        """Stand still where nothing is recorded: a difference if the run went to its end."""
        if self.is_over and self.recording.status == "succeeded":
            self._differs(token, "path", recorded="not come to", now="come to")
        token.state, token.wake_at, token.signal_key = "waiting", None, ""
        course.touch(token)

    async def _begin(self, course: Course, token: Token, stop: Stop, kind: NodeType) -> Begun:
        one = self._recorded(token)
        is_edited = f"{token.scope}:{token.node}" in self.recording.edited
        if one is not None and one.input and is_edited:
            # The document does not say what a person gave; what came of that is recorded.
            token.override = {
                name: value if name in kind.lazy else _written(value)
                for name, value in one.input.items()
            }
        begun = await super()._begin(course, token, stop, kind)
        if one is not None and not is_edited and one.input:
            self._compare_input(token, stop, one.input, msgspec.to_builtins(begun.given))
        return begun

    def _compare_input(self, token: Token, stop: Stop, recorded: Any, now: Any) -> None:
        for name in sorted(recorded.keys() | now.keys()):
            if CHANGING & names_in(stop.spec.params.get(name)):
                continue
            if recorded.get(name) != _as_json(now.get(name)):
                self._differs(
                    token, "parameter", field=name, recorded=recorded.get(name), now=now.get(name)
                )

    def _do_pure(self, course: Course, token: Token, kind: NodeType, begun: Begun) -> None:
        one = self._recorded(token)
        outcome.begin(course, token, begun.given, self.clock.now())
        if one is None:
            return
        try:
            result: Done | Wait | None = cast("PureDo", kind.do)(begun.step, begun.params)
        except RunEnds as ends:
            if ends.failed != one.is_failed:
                self._differs(token, "path", recorded=_outcome(one), now="the run ends")
            outcome.end(course, token, ends, self.clock.now())
            return
        except Exception as error:  # noqa: BLE001 - whatever a node raises is the step's failure
            if not one.is_failed:
                self._differs(token, "error", recorded=_outcome(one), now=str(error))
            result = None
        variables: Mapping[str, Any] = {}
        if isinstance(result, Done):
            self._compare_done(course, token, one, result)
            variables = result.variables
        self._follow(course, token, one, kind, variables)

    def _compare_done(
        self, course: Course, token: Token, one: RecordedAttempt, result: Done
    ) -> None:
        stop = course.stop_of(token)
        is_changing = bool(CHANGING & names_in(stop.spec.params))
        is_join = stop.kind is not None and stop.kind.join
        if result.port != one.port:
            self._differs(token, "path", recorded=_outcome(one), now=result.port)
        elif not is_changing and not is_join and _as_json(result.output) != one.output:
            self._differs(token, "output", recorded=one.output, now=_as_json(result.output))

    async def _do_here(self, course: Course, token: Token, kind: NodeType, begun: Begun) -> None:
        self._answered(course, token, kind, begun)

    async def _do_outside(
        self, course: Course, token: Token, stop: Stop, kind: NodeType, begun: Begun
    ) -> None:
        del stop
        self._answered(course, token, kind, begun)

    def _answered(self, course: Course, token: Token, kind: NodeType, begun: Begun) -> None:
        outcome.begin(course, token, begun.given, self.clock.now())
        if (one := self._recorded(token)) is not None:
            self._follow(course, token, one, kind)

    def _follow(
        self,
        course: Course,
        token: Token,
        one: RecordedAttempt,
        kind: NodeType,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """Let the step end as it is recorded; it is tried again when it was then."""
        answer = recorded_answer(one, kind)
        if one.is_failed and one.finished_at is not None:
            self.clock.move_to(one.finished_at)  # what began until then was under way
        if answer.done is not None and variables:
            done = msgspec.structs.replace(answer.done, variables=variables)
            answer = msgspec.structs.replace(answer, done=done)
        place = token.place
        self.take(course, token, answer)
        again = self._recorded(token)
        if token.place == place and token.state == "waiting" and again is not None:
            token.wake_at = again.started_at or token.wake_at

    async def _fail(
        self, course: Course, token: Token, stop: Stop, error: Exception, **more: Any
    ) -> None:
        """Take a failure before the step began: it is the recorded one, or a difference."""
        del more
        one = self._recorded(token)
        if one is None or not one.is_failed:
            recorded = None if one is None else _outcome(one)
            self._differs(token, "error", recorded=recorded, now=str(error))
        if one is None:
            self._stop(course, token)
            return
        outcome.begin(course, token, one.input, self.clock.now())
        if stop.kind is not None:
            self._follow(course, token, one, stop.kind)

    def _recorded(self, token: Token) -> RecordedAttempt | None:
        return self.answering.answers.find(token.place, token.attempt)

    def _differs(self, token: Token, what: str, **facts: Any) -> None:
        hidden = {name: redacted(value) for name, value in facts.items()}
        self.found.append(
            Difference(
                node=token.node, scope=token.scope, attempt=token.attempt, what=what, **hidden
            )
        )


def _as_json(value: Any) -> Any:
    """Return a value as the journal keeps it."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _written(value: Any) -> Any:
    """Return what one writes into a parameter to have this value: nothing in it is evaluated."""
    match value:
        case str():
            return f"={value}" if value.startswith("=") else value.replace("${", "$${")
        case list():
            return [_written(one) for one in value]
        case dict():
            return {name: _written(one) for name, one in value.items()}
        case _:
            return value


def _outcome(one: RecordedAttempt) -> str:
    if one.is_finished:
        return f"left by {one.port}"
    return f"failed: {one.error}" if one.is_failed else "not ended"
