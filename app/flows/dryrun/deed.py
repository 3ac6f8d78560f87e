"""Do one step of a dry run: what is pure is really done, all else is answered or goes wrong."""

from typing import Any, cast

import msgspec

from app.core.database import Database
from app.core.errors import Refusal
from app.drivers.errors import DriverError
from app.flows import containers, outcome
from app.flows.change import Unstorable
from app.flows.chart import Stop
from app.flows.course import Course, Token
from app.flows.dryrun.answers import Answer, Answering
from app.flows.dryrun.clock import VirtualClock
from app.flows.dryrun.given import Fault, FaultKind
from app.flows.dryrun.notebook import Notebook
from app.flows.dryrun.result import DryProblem, EffectLine
from app.flows.expressions import BadExpression, references
from app.flows.node import Done, Effect, Idempotency, NodeType, StepFailed
from app.flows.standins import Origin
from app.flows.step import DOUBT, Begun, Doer
from app.flows.writer import Writer

KNOWN = (TimeoutError, StepFailed, DriverError, Refusal, Unstorable)
"""What nodes may raise."""


class Rehearsed(StepFailed):
    """A failure that a rehearsal brought about."""


class _NoDatabase:
    """All that a step may ask of the database in a dry run: the time."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock


class DryDoer(Doer):
    """The real doer, with answers in place of effects and a notebook in place of the journal."""

    def __init__(
        self,
        clock: VirtualClock,
        notebook: Notebook,
        answering: Answering,
        faults: tuple[Fault, ...] = (),
    ) -> None:
        super().__init__(cast("Database", _NoDatabase(clock)), None, cast("Writer", None))
        self.clock = clock
        self.notebook = notebook
        self.answering = answering
        self.faults = faults
        self.struck: list[Fault] = []
        """Faults that have come to pass."""
        self._made: set[str] = set()
        """Keys of calls that reached the peer and whose outcome got lost."""

    async def commit(self, course: Course) -> None:
        self.notebook.write(course.take(self.clock.now()))

    async def _begin(self, course: Course, token: Token, stop: Stop, kind: NodeType) -> Begun:
        refers = references(token.override) if token.override is not None else stop.refers
        for place in course.seen(refers, token.scope):
            if place not in course.outputs:  # let go of since, as a real run reads it again
                course.outputs[place] = self.notebook.output(place)
        return await super()._begin(course, token, stop, kind)

    def _do_pure(self, course: Course, token: Token, kind: NodeType, begun: Begun) -> None:
        stop = course.stop_of(token)
        pinned = None if kind.join else self.answering.pinned(stop, kind)
        if pinned is None:
            super()._do_pure(course, token, kind, begun)
            return
        now = self.clock.now()
        self.notebook.note_origin(token.place, token.attempt, Origin.PINNED)
        outcome.begin(course, token, begun.given, now)
        outcome.finish(course, token, pinned, now)

    async def _do_here(self, course: Course, token: Token, kind: NodeType, begun: Begun) -> None:
        stop = course.stop_of(token)
        now = self.clock.now()
        outcome.begin(course, token, begun.given, now)
        match self._strike(token):
            case FaultKind.crash_before | FaultKind.crash_after:
                return  # rolled back: it is done again, and nobody can tell
            case FaultKind() as fault:
                raise _error(fault)
        answer = self.answering.of(stop, kind, token)
        self._note(token, kind, begun, answer)
        self.take(course, token, answer)

    async def _do_outside(
        self, course: Course, token: Token, stop: Stop, kind: NodeType, begun: Begun
    ) -> None:
        policy = stop.policy(kind, begun.params)
        now = self.clock.now()
        is_in_doubt = token.doubt
        outcome.begin(course, token, begun.given, now)
        if is_in_doubt and policy is Idempotency.NONE:
            outcome.halt_in_doubt(course, token, DOUBT, now)
            return
        outcome.intend(course, token)
        answer = self.answering.of(stop, kind, token)
        key = course.key(token.place)
        is_found = is_in_doubt and policy is Idempotency.PROBE and key in self._made
        fault = None if is_found else self._strike(token)
        if fault is FaultKind.crash_before:
            token.doubt = True  # as a token that was begun is read from the journal
            return
        if not is_found:
            self._note(token, kind, begun, answer)
        if fault is FaultKind.crash_after:
            token.doubt = True
            self._made.add(key)
            return
        if fault is not None:
            if fault is FaultKind.timeout:
                self._made.add(key)
            await self._fail(course, token, stop, _error(fault), policy=policy)
            return
        self.take(course, token, answer)

    def take(self, course: Course, token: Token, answer: Answer) -> None:
        """Let a step end as it is answered."""
        now = self.clock.now()
        self.notebook.note_origin(token.place, token.attempt, answer.origin)
        if answer.done is not None:
            outcome.finish(course, token, answer.done, now)
        elif answer.status == "ambiguous":
            outcome.halt_in_doubt(course, token, answer.error, now)
        elif answer.status:
            outcome.fail(course, token, answer.error, answer.kind, now)
        else:
            token.state, token.wake_at, token.signal_key = "waiting", None, ""
            course.touch(token)

    async def _gather(self, course: Course, token: Token) -> None:
        await self.commit(course)
        rows = self.notebook.items.get(token.place, [])
        # The counts of rows are those of their scopes, which need not end in their order.
        rows = sorted(rows, key=lambda row: int(row.scope.rpartition(":")[2]))
        failed = [row for row in rows if row.status == "failed"]
        errors = [
            {"index": int(row.scope.rpartition(":")[2]) - 1, "error": row.error} for row in failed
        ]
        facts = {
            "count": token.memo["ended"],
            "failed": len(failed),
            "items": [
                None if row.output is None else msgspec.json.decode(row.output) for row in rows
            ],
            "errors": errors[: containers.MOST_ERRORS],
        }
        outcome.finish(course, token, Done(facts, "done"), self.clock.now())

    async def _fail(
        self,
        course: Course,
        token: Token,
        stop: Stop,
        error: Exception,
        *,
        policy: Idempotency | None = None,
        is_unsaid: bool = False,
    ) -> None:
        if not isinstance(error, (Rehearsed, TimeoutError)):
            self.notebook.problems.append(problem_at(token, error))
        if isinstance(error, KNOWN):
            await super()._fail(course, token, stop, error, policy=policy, is_unsaid=is_unsaid)
        else:  # told among the problems; a real run would have it in its worker's log, too
            text = f"{type(error).__name__}: {error}"
            outcome.fail(course, token, text, "crashed", self.clock.now())

    def _strike(self, token: Token) -> FaultKind | None:
        """Return what goes wrong with this call, if anything does."""
        for fault in self.faults:
            if fault.is_at(token.scope, token.node) and (
                fault.kind.is_lasting or fault not in self.struck
            ):
                self.struck.append(fault)
                return fault.kind
        return None

    def is_silent(self, token: Token) -> bool:
        """Return whether nobody sends a word to what waits there."""
        for fault in self.faults:
            if fault.kind is FaultKind.unanswered and fault.is_at(token.scope, token.node):
                self.struck.append(fault)
                return True
        return False

    def _note(self, token: Token, kind: NodeType, begun: Begun, answer: Answer) -> None:
        done = answer.done
        self.notebook.effects.append(
            EffectLine(
                node=token.node,
                scope=token.scope,
                attempt=token.attempt,
                says=said(kind, begun.params),
                where=where_of(kind),
                at_s=self.clock.seconds(self.clock.now()),
                takes=done.takes if done is not None else (),
                returns=done.returns if done is not None else (),
                delivers=done is not None and done.delivers,
            )
        )


def said(kind: NodeType, params: Any) -> str:
    """Return in a line what a node would do; its title when it cannot say."""
    if kind.says is None:
        return kind.title
    try:
        return kind.says(params)
    except Exception as error:  # noqa: BLE001 - a package's own words must not end a dry run
        return f"{kind.title} (it cannot say what it would do: {error})"


def where_of(kind: NodeType) -> str:
    return "database" if kind.effect is Effect.DATABASE else "outside"


def problem_at(token: Token, error: Exception) -> DryProblem:
    """Return an error of a step, with its place in the expression where it has one."""
    cause = error if isinstance(error, BadExpression) else error.__cause__
    if isinstance(cause, BadExpression):
        return DryProblem(
            node=token.node, scope=token.scope, message=str(error),
            field=f"with.{cause.where}" if cause.where else "with",
            source=cause.source, line=cause.line, column=cause.column,
        )  # fmt: skip
    return DryProblem(node=token.node, scope=token.scope, message=str(error) or repr(error))


def _error(fault: FaultKind) -> Exception:
    match fault:
        case FaultKind.timeout:
            return TimeoutError()
        case FaultKind.transient | FaultKind.transient_always:
            return Rehearsed("rehearsed: busy, try again", transient=True)
        case _:
            return Rehearsed("rehearsed: refused")
