"""Do one step: evaluate its parameters, write its intent, call the node, take the outcome."""

import contextlib
from datetime import datetime
from typing import Any, cast

import asyncpg
import msgspec
import structlog

from app.core.choices import said
from app.core.database import Database, is_lost
from app.core.errors import Refusal
from app.core.limit import within
from app.drivers.errors import DriverError, Retriable
from app.flows import containers, journal, lease, outcome, recall
from app.flows.change import Unstorable
from app.flows.chart import LOOP_NAMES, Stop
from app.flows.course import Course, Token
from app.flows.expressions import names_in, plan
from app.flows.lease import Fenced
from app.flows.node import (
    DatabaseDo,
    Done,
    Effect,
    ForStaff,
    Idempotency,
    NodeType,
    OutsideDo,
    PureDo,
    RunEnds,
    Step,
    StepFailed,
    Wait,
)
from app.flows.writer import Writer

TRIES_OF_OURS = 5
"""How often a step in our own database is done when it meets another one's locks."""
MEETS_OTHERS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
DOUBT = (
    "nobody knows whether it was done: the worker stopped or got no answer in the middle of it, "
    "and this node must not be done twice. Look at the target, then say what you found"
)
log = structlog.get_logger()


class Broken(Exception):
    """What is in memory may differ from the journal: the run is read anew."""


class Unwritable(Exception):
    """The journal refuses what the run has changed: it halts as it stood before, for a person."""


class Failure(msgspec.Struct, frozen=True):
    """`is_unknown`: the effect may have happened all the same. `told`: what staff are of a halt."""

    text: str
    kind: str
    is_unknown: bool = False
    told: ForStaff | None = None


class Begun(msgspec.Struct, frozen=True):
    """A step ready to be done."""

    step: Step
    params: Any
    given: Any
    limit_s: float


class Doer:
    """Does steps for one process."""

    def __init__(self, database: Database, tools: Any, writer: Writer) -> None:
        self.database = database
        self.tools = tools
        self.writer = writer

    async def commit(self, course: Course) -> None:
        """Return when all that the run has changed is written. Raises Fenced and Unwritable."""
        async with course.lock:
            change = course.take(self.database.clock.now())
            if change.is_empty:
                return
            try:
                written = await self.writer.write(change)
            except asyncpg.PostgresError as error:
                raise Unwritable(str(error)) from error
        course.is_cancelled = course.is_cancelled or written.is_ending
        course.is_steered = course.is_steered or written.is_steered

    async def do(self, course: Course, token: Token) -> None:
        """Do the step at which a token stands. Only Fenced, Broken and Unwritable are raised.

        One that was given up meanwhile, or whose run ends, is left alone.
        """
        if not _may_begin(course, token):
            return
        stop = course.stop_of(token)
        if stop.kind is None:
            message = (
                f"No node type {stop.spec.type} version {stop.spec.v} is installed here; "
                "install the package that ships it, then retry."
            )
            outcome.halt_unbegun(course, token, message, self.database.clock.now())
            return
        try:
            await self._do(course, token, stop, stop.kind)
        except (Fenced, Broken, Unwritable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a node raises is the step's failure
            await self._fail(course, token, stop, error)

    async def _do(self, course: Course, token: Token, stop: Stop, kind: NodeType) -> None:
        if kind.container:
            await self._contain(course, token, stop, kind)
            return
        settled = next((word for word in token.heard or () if _is_settled(word)), None)
        if settled is not None:  # a person looked at the target: that is the outcome
            done = Done(settled.get("output"), kind.main_port(stop.spec.params))
            outcome.finish(course, token, done, self.database.clock.now())
            return
        begun = await self._begin(course, token, stop, kind)
        match kind.effect:
            case Effect.PURE:
                self._do_pure(course, token, kind, begun)
            case Effect.DATABASE:
                if course.owes:
                    await self.commit(course)
                await self._do_here(course, token, kind, begun)
            case _:
                await self._do_outside(course, token, stop, kind, begun)

    async def _begin(self, course: Course, token: Token, stop: Stop, kind: NodeType) -> Begun:
        """Evaluate the parameters. Raises what makes the step fail before it has begun."""
        now = self.database.clock.now()
        limit_s = stop.attempt_s
        if (ends := outcome.ends_at(course, token)) is not None:
            left_s = (ends - now).total_seconds()
            if left_s <= 0:
                raise StepFailed(f"not done within {stop.spec.timeout.total}")
            limit_s = min(limit_s, left_s)
        written, refers = course.params_of(token), course.refers_of(token)
        ready, wants_item = stop.plan, stop.wants_item
        if token.override is not None:
            ready = plan({name: part for name, part in written.items() if name not in kind.lazy})
            wants_item = bool(LOOP_NAMES & names_in(written))
        await self._load(course, token)
        names = course.names(refers, token.scope, wants_item=wants_item)
        names["now"] = now
        if token.error is not None:
            names["error"] = token.error
        given = ready.resolve(names)
        if kind.lazy:
            given = {**given, **{name: written[name] for name in kind.lazy & written.keys()}}
        try:
            params = msgspec.convert(given, kind.params)
        except msgspec.ValidationError as error:
            raise StepFailed(f"parameter of {token.node}: {said(error, kind.params)}") from error
        step = Step(
            run=course.id,
            about=course.subject,
            node=token.node,
            scope=token.scope,
            attempt=token.attempt,
            key=course.key(token.place),
            memo=token.memo,
            started_at=token.since or now,
            database=self.database,
            tools=self.tools,
            now=now,
            signals=tuple(token.heard or ()),
            title=stop.spec.name or token.node,
            input=course.input,
            names=names,
        )
        return Begun(step, params, given, limit_s)

    async def _load(self, course: Course, token: Token) -> None:
        """Have in memory what the parameters of a step refer to."""
        places = course.seen(course.refers_of(token), token.scope)
        missing = [place for place in places if place not in course.outputs]
        if missing:
            async with self.database.snapshot() as tx:
                await recall.read_outputs(tx, course.id, course, missing)

    def _do_pure(self, course: Course, token: Token, kind: NodeType, begun: Begun) -> None:
        now = begun.step.now
        outcome.begin(course, token, begun.given, now)
        try:
            result = cast("PureDo", kind.do)(begun.step, begun.params)
        except RunEnds as ends:
            outcome.end(course, token, ends, now)
        else:
            _keep(course, token, result, now)

    async def _do_here(self, course: Course, token: Token, kind: NodeType, begun: Begun) -> None:
        """Do a step in our own database: its effect and its outcome are one commit."""
        for _ in range(TRIES_OF_OURS - 1):
            with contextlib.suppress(*MEETS_OTHERS):
                return await self._try_here(course, token, kind, begun)
        return await self._try_here(course, token, kind, begun)

    async def _try_here(self, course: Course, token: Token, kind: NodeType, begun: Begun) -> None:
        is_kept = False
        try:
            # The lock is let go after the commit: what another step of the run writes builds on it.
            async with contextlib.AsyncExitStack() as held, self.database.transaction() as tx:
                if await lease.look(tx, course.id, course.epoch):
                    course.is_cancelled = True
                if not _may_begin(course, token):
                    return
                with within(begun.limit_s):
                    result = await cast("DatabaseDo", kind.do)(tx, begun.step, begun.params)
                await held.enter_async_context(course.lock)
                outcome.begin(course, token, begun.given, tx.now())
                _keep(course, token, result, tx.now())
                is_kept = True
                written = await journal.write_with(tx, course.id, course.take(tx.now()))
        except (Fenced, Unstorable):
            raise
        except Exception as error:
            if is_kept and isinstance(error, asyncpg.DataError):
                raise Unwritable(str(error)) from error
            if is_kept or is_lost(error):
                log.warning("step.not_kept", run=str(course.id), error=str(error))
                raise Broken from error
            outcome.begin(course, token, begun.given, self.database.clock.now())
            raise
        course.is_cancelled = course.is_cancelled or written.is_ending
        course.is_steered = course.is_steered or written.is_steered

    async def _do_outside(
        self, course: Course, token: Token, stop: Stop, kind: NodeType, begun: Begun
    ) -> None:
        policy = stop.policy(kind, begun.params)
        is_in_doubt = token.doubt
        outcome.begin(course, token, begun.given, begun.step.now)
        if is_in_doubt and policy is Idempotency.NONE:
            outcome.halt_in_doubt(course, token, DOUBT, self.database.clock.now())
            return
        outcome.intend(course, token)
        await self.commit(course)
        if not _may_begin(course, token):
            return
        asks_first = is_in_doubt and policy is Idempotency.PROBE
        try:
            result: Done | Wait | None = await self._probe(kind, begun) if asks_first else None
            asks_first = False
            if result is None:
                result = await self._call(kind, begun)
            _keep(course, token, result, self.database.clock.now())
        except Exception as error:  # noqa: BLE001 - whatever a node raises is the step's failure
            await self._fail(course, token, stop, error, policy=policy, is_unsaid=asks_first)
        course.owes = True
        if policy is Idempotency.NONE:
            await self.commit(course)

    async def _probe(self, kind: NodeType, begun: Begun) -> Done | None:
        if kind.probe is None:
            raise StepFailed(
                f"{kind.name} cannot be asked whether it was done; look at the target, then "
                "settle the step, or have the flow say another idempotency"
            )
        with within(begun.limit_s):
            return await kind.probe(begun.step, begun.params)

    async def _call(self, kind: NodeType, begun: Begun) -> Done | Wait:
        with within(begun.limit_s):
            return await cast("OutsideDo", kind.do)(begun.step, begun.params)

    async def _contain(self, course: Course, token: Token, stop: Stop, kind: NodeType) -> None:
        now = self.database.clock.now()
        if token.memo.get(containers.GATHER):
            await self._gather(course, token)
            return
        if "iteration" not in token.memo and token.place not in course.items:
            begun = await self._begin(course, token, stop, kind)
            outcome.begin(course, token, begun.given, now)
            items = getattr(begun.params, "items", None)
            if items is not None:
                course.items[token.place] = msgspec.to_builtins(items)
        await self._load(course, token)
        done = containers.enter(course, token, now)
        if done is not None:
            outcome.finish(course, token, done, now)

    async def _gather(self, course: Course, token: Token) -> None:
        """End a loop with what its iterations gave, read from the journal in their order."""
        await self.commit(course)
        async with self.database.snapshot() as tx:
            rows = await recall.read_iterations(tx, course.id, token.place)
        collects = course.params_of(token).get("collect") is not None
        items = [output for _, _, output, _ in rows] if collects else []
        errors = [
            {"index": count - 1, "error": error}
            for count, status, _, error in rows
            if status == "failed"
        ]
        facts = {
            "count": token.memo["ended"],
            "failed": len(errors),
            "items": items,
            "errors": errors[: containers.MOST_ERRORS],
        }
        outcome.finish(course, token, Done(facts, "done"), self.database.clock.now())

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
        """Take a failure for what it is. With `policy` the call to the outside had begun.

        `is_unsaid`: the target was asked whether an earlier call had its effect, and did not say.
        """
        failure = _failure(error, stop)
        if failure is None:
            if policy is not None and await self._is_database_gone(error):
                raise Broken from error
            log.error("step.crashed", run=str(course.id), node=token.node, exc_info=error)
            failure = Failure(f"{type(error).__name__}: {error}", "crashed", is_unknown=True)
        now = self.database.clock.now()
        is_unknown = policy is not None and (failure.is_unknown or is_unsaid)
        if is_unknown and policy is Idempotency.NONE:
            outcome.halt_in_doubt(course, token, f"{failure.text}; {DOUBT}", now)
            return
        outcome.fail(
            course, token, failure.text, failure.kind, now, unknown=is_unknown, told=failure.told
        )

    async def _is_database_gone(self, error: Exception) -> bool:
        """Return whether a node failed because our own database went away under it."""
        if not is_lost(error):
            return False
        try:
            async with self.database.snapshot() as tx:
                await tx.fetchval("SELECT 1")
        except Exception as gone:  # noqa: BLE001 - what else went wrong is no sign of that
            return is_lost(gone)
        return isinstance(error, (asyncpg.InterfaceError, asyncpg.PostgresError))


def _keep(course: Course, token: Token, result: Done | Wait, now: datetime) -> None:
    if isinstance(result, Wait):
        outcome.wait(course, token, result, now)
    else:
        outcome.finish(course, token, result, now)


def _failure(error: Exception, stop: Stop) -> Failure | None:
    """Return what an error means for the step; None for one that no node should raise."""
    match error:
        case TimeoutError():
            text = f"no answer within {stop.spec.timeout.attempt}"
            return Failure(text, "timeout", is_unknown=True)
        case StepFailed():
            kind = "transient" if error.transient else "refused"
            if error.stops is not None:
                kind = outcome.STOPPED
            return Failure(error.message, kind, error.unknown, error.stops)
        case DriverError():
            return Failure(str(error), "transient" if isinstance(error, Retriable) else "refused")
        case Refusal():
            return Failure(error.message, "refused")
        case Unstorable():
            return Failure(f"what it gave cannot be kept: {error}", "refused", is_unknown=True)
        case _:
            return None


def _may_begin(course: Course, token: Token) -> bool:
    return course.has(token) and course.ending is None and not course.is_cancelled


def _is_settled(word: Any) -> bool:
    return isinstance(word, dict) and word.get("settled") is True
