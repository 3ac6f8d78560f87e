"""Drive one leased run: do what is due, write what came of it, follow the edges.

Each step is two commits at most: the intent (what will be done, under which key) before an
outside effect, and the outcome together with the token's move. A node whose effect is in our
own database is one commit, its effect and outcome together. A run that has nothing due goes
back to the database; waiting costs nothing here.
"""

import asyncio
from datetime import datetime
from typing import Any, cast

import msgspec
import structlog

from app.core.database import Database, Tx, storable
from app.core.errors import Refusal
from app.core.outbox import emit
from app.drivers.errors import DriverError, Retriable
from app.flows import containers, deadline, journal, lease, outcome
from app.flows.compensate import compensate
from app.flows.document import BadDocument, NodeSpec, duration, parse
from app.flows.expressions import references, resolve
from app.flows.journal import TokenView
from app.flows.node import DatabaseDo, Effect, NodeType, OutsideDo, Step, StepFailed
from app.flows.outcome import Course
from app.flows.registry import UnknownNodeType, node_type
from app.flows.signals import take_signals

SENDING_S = 0.01
"""How long a signal takes to be sent, about: a run that waits for it does not sleep meanwhile."""
log = structlog.get_logger()


class Begun(msgspec.Struct, frozen=True):
    """A step whose intent is written, with its time limits."""

    step: Step
    params: Any
    limit_s: float
    ends: datetime | None
    """When the node's whole time is over."""


class Interpreter:
    """Drives runs with a worker's database and tools."""

    def __init__(self, database: Database, tools: Any) -> None:
        self.database = database
        self.tools = tools

    async def drive(self, claim: lease.Claim) -> None:
        """Do all that is due of the run, then let it go; returns when the lease is given back."""
        try:
            run = await self._load(claim)
            while (due := await self._due(claim, run)) is not None:
                for token in due:
                    await self._advance(claim, run, token)
                if not due:
                    await asyncio.sleep(SENDING_S)
        except BadDocument as error:
            await self._halt_unread(claim, error.message)
        except lease.Fenced:
            log.warning("run.fenced", run=str(claim.run), epoch=claim.epoch)

    async def _load(self, claim: lease.Claim) -> Course:
        async with self.database.snapshot() as tx:
            row = await tx.fetchrow(
                "SELECT r.id, r.subject, r.input, v.document FROM run r "
                "JOIN flow_version v ON v.id = r.flow_version WHERE r.id = $1",
                claim.run,
            )
        if row is None:
            raise lease.Fenced
        return Course(
            row["id"], row["subject"], parse(row["document"]), msgspec.json.decode(row["input"])
        )

    async def _halt_unread(self, claim: lease.Claim, reason: str) -> None:
        """Stop a run whose document this release cannot read; a retry goes on where it stood."""
        async with self.database.transaction() as tx:
            await lease.guard(tx, claim)
            await tx.execute(
                "UPDATE token SET state = 'halted', wake_at = NULL "
                "WHERE run = $1 AND state <> 'inside'",
                claim.run,
            )
            await tx.execute("UPDATE run SET error = $2 WHERE id = $1", claim.run, storable(reason))
            await lease.let_go(tx, claim)
            await emit(
                tx,
                "admin.notice",
                f"halted:{claim.run}:document:{claim.epoch}",
                {"subject": str(claim.run), "title": "A run cannot be read", "text": reason},
            )
            tx.publish("dashboard", f"run:{claim.run}")

    async def _due(self, claim: lease.Claim, run: Course) -> list[TokenView] | None:
        """Return the tokens to do now; None when the run has ended or sleeps.

        A signal that came makes its waiter due. Nothing at all is due while one is being sent.
        """
        async with self.database.transaction() as tx:
            is_ending = await lease.guard(tx, claim)
            if not is_ending:
                tokens = await journal.tokens_of(tx, claim.run)
                if not tokens:
                    await journal.add_event(tx, claim.run, "succeeded")
                    await lease.finish(tx, claim, "succeeded")
                    run.tell(tx)
                    return None
                due = [await self._rung(tx, token) for token in tokens]
                due = [token for token in due if _is_due(token, tx.now())]
                if not due and await lease.let_go(tx, claim):
                    run.tell(tx)
                    return None
        if is_ending:
            await compensate(self.database, self.tools, claim, run.document)
            return None
        return due

    async def _rung(self, tx: Tx, token: TokenView) -> TokenView:
        if token.state == "waiting" and await take_signals(tx, token.signal_key):
            return await journal.make_due(tx, token)
        return token

    async def _advance(self, claim: lease.Claim, run: Course, token: TokenView) -> None:
        spec = run.document.nodes[token.node]
        try:
            await self._do(claim, run, token, spec, node_type(spec.type, spec.v))
        except lease.Fenced:
            raise
        except UnknownNodeType as error:
            async with self.database.transaction() as tx:
                if not await lease.guard(tx, claim):
                    await outcome.halt(tx, run, token, error.message)
        except TimeoutError:
            error_text = f"no answer within {spec.timeout.attempt}"
            await self._fail(claim, run, token, error_text, transient=True)
        except StepFailed as error:
            await self._fail(claim, run, token, error.message, transient=error.transient)
        except DriverError as error:
            transient = isinstance(error, Retriable)
            await self._fail(claim, run, token, str(error), transient=transient)
        except Refusal as error:
            await self._fail(claim, run, token, error.message, transient=False)
        except Exception as error:
            log.exception("step.crashed", run=str(run.id), node=token.node)
            error_text = f"{type(error).__name__}: {error}"
            await self._fail(claim, run, token, error_text, transient=True)

    async def _do(
        self, claim: lease.Claim, run: Course, token: TokenView, spec: NodeSpec, kind: NodeType
    ) -> None:
        """Do one step, unless the run has been cancelled or failed since it was found due."""
        async with self.database.transaction() as tx:
            if await lease.guard(tx, claim):
                return
            begun = await self._begin(tx, run, token, spec, kind)
            if kind.effect is Effect.DATABASE:
                async with asyncio.timeout(begun.limit_s):
                    result = await cast("DatabaseDo", kind.do)(tx, begun.step, begun.params)
                await outcome.keep(tx, run, token, kind, result, ends=begun.ends)
                return
        async with asyncio.timeout(begun.limit_s):
            result = await cast("OutsideDo", kind.do)(begun.step, begun.params)
        async with self.database.transaction() as tx:
            await lease.guard(tx, claim)
            await outcome.keep(tx, run, token, kind, result, ends=begun.ends)

    async def _begin(
        self, tx: Tx, run: Course, token: TokenView, spec: NodeSpec, kind: NodeType
    ) -> Begun:
        """Evaluate the parameters and write the intent."""
        limit_s = duration(spec.timeout.attempt).total_seconds()
        ends = await deadline.ends_at(tx, run.id, token, spec)
        if ends is not None:
            left_s = (ends - tx.now()).total_seconds()
            if left_s <= 0:
                raise StepFailed(f"not done within {spec.timeout.total}")
            limit_s = min(limit_s, left_s)
        scope = await self._scope(tx, run, token, spec)
        given = resolve(spec.params, scope) if not kind.container else spec.params
        try:
            params = msgspec.convert(given, kind.params)
        except msgspec.ValidationError as error:
            raise StepFailed(f"parameter of {token.node}: {error}") from error
        began = await journal.begin_attempt(tx, run.id, token, run.key(token), given)
        if token.attempt == 1 and token.state == "ready":
            run.tell(tx)
        step = Step(
            run=run.id,
            about=run.subject,
            now=self.database.clock.now(),
            node=token.node,
            scope=token.scope,
            attempt=token.attempt,
            key=run.key(token),
            memo=token.memo,
            started_at=began,
            database=self.database,
            tools=self.tools,
        )
        return Begun(step, params, limit_s, ends)

    async def _scope(self, tx: Tx, run: Course, token: TokenView, spec: NodeSpec) -> dict[str, Any]:
        return {
            "input": run.input,
            "steps": await containers.outputs(tx, run.id, token.scope, references(spec.params)),
            "iteration": {"count": containers.count_of(token.scope)},
        }

    async def _fail(
        self, claim: lease.Claim, run: Course, token: TokenView, error: str, *, transient: bool
    ) -> None:
        async with self.database.transaction() as tx:
            await lease.guard(tx, claim)
            if not await journal.has_moved(tx, token):
                await outcome.fail(tx, run, token, error, transient=transient)


def _is_due(token: TokenView, now: datetime) -> bool:
    if token.state == "waiting":
        return token.wake_at is None or token.wake_at <= now
    return token.state in ("ready", "started")
