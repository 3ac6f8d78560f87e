"""Drive one leased run: do what is due, write what came of it, follow the edges.

Each step is two commits at most: the intent (what will be done, under which key) before an
outside effect, and the outcome together with the token's move. A node whose effect is in our
own database is one commit, its effect and outcome together. A run that has nothing due goes
back to the database; waiting costs nothing here.
"""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import msgspec
import structlog

from app.core.database import Database, Tx
from app.core.errors import Refusal
from app.core.outbox import emit
from app.drivers.errors import DriverError, Retriable, Unreachable
from app.flows import containers, journal, lease
from app.flows.compensate import compensate
from app.flows.document import Document, NodeSpec, duration, parse
from app.flows.expressions import references, resolve
from app.flows.journal import TokenView
from app.flows.node import (
    DatabaseDo,
    Done,
    Effect,
    NodeType,
    OutsideDo,
    Step,
    StepFailed,
    Wait,
)
from app.flows.registry import node_type
from app.flows.signals import take_signals

log = structlog.get_logger()


class RunView(msgspec.Struct, frozen=True):
    """The fixed part of a run."""

    id: UUID
    subject: UUID
    document: Document
    input: dict[str, Any]


class Interpreter:
    """Drives runs with a worker's database and tools."""

    def __init__(self, database: Database, tools: Any) -> None:
        self.database = database
        self.tools = tools

    async def drive(self, claim: lease.Claim) -> None:
        """Do all that is due of the run, then let it go; returns when the lease is given back."""
        try:
            run = await self._load(claim)
            while True:
                async with self.database.transaction() as tx:
                    await lease.guard(tx, claim)
                    if await self._cancelled(tx, claim):
                        break
                    tokens = await journal.tokens_of(tx, claim.run)
                    if not tokens:
                        await self._succeed(tx, claim, run)
                        return
                    due = await self._due(tx, tokens)
                    if not due:
                        if await lease.let_go(tx, claim):
                            tx.publish("dashboard", f"order:{run.subject}")
                            return
                        continue
                for token in due:
                    await self._advance(claim, run, token)
            await compensate(self.database, self.tools, claim, run.document, "cancelled")
        except lease.Fenced:
            log.warning("run.fenced", run=str(claim.run), epoch=claim.epoch)

    async def _load(self, claim: lease.Claim) -> RunView:
        async with self.database.snapshot() as tx:
            row = await tx.fetchrow(
                "SELECT r.id, r.subject, r.input, v.document FROM run r "
                "JOIN flow_version v ON v.id = r.flow_version WHERE r.id = $1",
                claim.run,
            )
        if row is None:
            raise lease.Fenced
        return RunView(
            row["id"], row["subject"], parse(row["document"]), msgspec.json.decode(row["input"])
        )

    async def _cancelled(self, tx: Tx, claim: lease.Claim) -> bool:
        return bool(
            await tx.fetchval(
                "SELECT cancel_requested OR status = 'compensating' FROM run WHERE id = $1",
                claim.run,
            )
        )

    async def _succeed(self, tx: Tx, claim: lease.Claim, run: RunView) -> None:
        await journal.add_event(tx, claim.run, "succeeded")
        await lease.finish(tx, claim, "succeeded")
        tx.publish("dashboard", f"order:{run.subject}", f"run:{run.id}")

    async def _due(self, tx: Tx, tokens: list[TokenView]) -> list[TokenView]:
        """Return the tokens to do now; a signal that came makes its waiter due."""
        due = []
        for token in tokens:
            if token.state in ("ready", "started"):
                due.append(token)
            elif token.state == "waiting":
                rung = await take_signals(tx, token.signal_key)
                if rung or token.wake_at is None or token.wake_at <= tx.now():
                    due.append(token)
        return due

    async def _advance(self, claim: lease.Claim, run: RunView, token: TokenView) -> None:
        spec = run.document.nodes[token.node]
        kind = node_type(spec.type, spec.v)
        try:
            await self._do(claim, run, token, spec, kind)
        except lease.Fenced:
            raise
        except TimeoutError:
            limit = spec.timeout.attempt
            await self._fail(claim, run, token, spec, f"no answer within {limit}", transient=True)
        except StepFailed as error:
            await self._fail(claim, run, token, spec, error.message, transient=error.transient)
        except DriverError as error:
            transient = isinstance(error, Retriable | Unreachable)
            await self._fail(claim, run, token, spec, str(error), transient=transient)
        except Refusal as error:
            await self._fail(claim, run, token, spec, error.message, transient=False)
        except Exception as error:
            log.exception("step.crashed", run=str(run.id), node=token.node)
            text = f"{type(error).__name__}: {error}"
            await self._fail(claim, run, token, spec, text, transient=True)

    async def _do(
        self, claim: lease.Claim, run: RunView, token: TokenView, spec: NodeSpec, kind: NodeType
    ) -> None:
        if kind.effect is Effect.DATABASE:
            async with self.database.transaction() as tx:
                await lease.guard(tx, claim)
                step, params = await self._begin(tx, run, token, spec, kind)
                result = await cast("DatabaseDo", kind.do)(tx, step, params)
                await self._keep(tx, run, token, kind, result)
            return
        async with self.database.transaction() as tx:
            await lease.guard(tx, claim)
            step, params = await self._begin(tx, run, token, spec, kind)
        limit = duration(spec.timeout.attempt).total_seconds()
        async with asyncio.timeout(limit):
            result = await cast("OutsideDo", kind.do)(step, params)
        async with self.database.transaction() as tx:
            await lease.guard(tx, claim)
            await self._keep(tx, run, token, kind, result)

    async def _begin(
        self, tx: Tx, run: RunView, token: TokenView, spec: NodeSpec, kind: NodeType
    ) -> tuple[Step, Any]:
        """Evaluate the parameters and write the intent."""
        scope = await self._scope(tx, run, token, spec)
        given = resolve(spec.params, scope) if not kind.container else spec.params
        try:
            params = msgspec.convert(given, kind.params)
        except msgspec.ValidationError as error:
            raise StepFailed(f"parameter of {token.node}: {error}") from error
        key = f"{run.id}:{token.scope}:{token.node}"
        began = await journal.begin_attempt(tx, run.id, token, key, given)
        if token.attempt == 1 and token.state == "ready":
            tx.publish("dashboard", f"order:{run.subject}", f"run:{run.id}")
        step = Step(
            run=run.id,
            subject=run.subject,
            node=token.node,
            scope=token.scope,
            attempt=token.attempt,
            key=key,
            memo=token.memo,
            started_at=began,
            database=self.database,
            tools=self.tools,
        )
        return step, params

    async def _scope(
        self, tx: Tx, run: RunView, token: TokenView, spec: NodeSpec
    ) -> dict[str, Any]:
        return {
            "input": run.input,
            "steps": await containers.outputs(tx, run.id, token.scope, references(spec.params)),
            "iteration": {"count": containers.count_of(token.scope)},
        }

    async def _keep(
        self, tx: Tx, run: RunView, token: TokenView, kind: NodeType, result: Done | Wait
    ) -> None:
        """Write the outcome of a step that did not fail, and move its token."""
        tx.publish("dashboard", f"order:{run.subject}", f"run:{run.id}")
        if isinstance(result, Wait):
            await journal.keep_wait(tx, run.id, token, result)
            return
        if kind.container:
            await containers.enter(tx, run.id, run.document, token, count=1)
            return
        await journal.keep_done(tx, run.id, token, result)
        targets = run.document.targets(token.node, result.port)
        await journal.move(tx, run.id, token, targets, token.scope)
        await containers.leave_if_drained(tx, run.id, run.document, run.input, token.scope)

    async def _fail(
        self,
        claim: lease.Claim,
        run: RunView,
        token: TokenView,
        spec: NodeSpec,
        error: str,
        *,
        transient: bool,
    ) -> None:
        """Retry by policy, else leave by the error port, else by the flow's policy on failure."""
        undo = False
        async with self.database.transaction() as tx:
            await lease.guard(tx, claim)
            await self._record_intent(tx, run, token)
            await journal.keep_failure(tx, run.id, token, error)
            tx.publish("dashboard", f"order:{run.subject}", f"run:{run.id}")
            targets = run.document.targets(token.node, "error")
            if transient and token.attempt < spec.retry.max:
                await journal.retry_later(tx, token, _backoff(tx.now(), spec, token.attempt))
            elif targets:
                await journal.move(tx, run.id, token, targets, token.scope)
                await containers.leave_if_drained(tx, run.id, run.document, run.input, token.scope)
            elif run.document.on_failure == "compensate":
                undo = True
                await tx.execute(
                    "UPDATE run SET status = 'compensating', error = $2 WHERE id = $1",
                    run.id,
                    error[:2000],
                )
            else:
                await journal.halt(tx, token)
                await tx.execute("UPDATE run SET error = $2 WHERE id = $1", run.id, error[:2000])
                await emit(
                    tx,
                    "admin.notice",
                    f"halted:{run.id}:{token.scope}:{token.node}:{token.attempt}",
                    {
                        "subject": str(run.subject),
                        "title": f"A run halted at {token.node}",
                        "text": f"{error} — correct it, then retry the step on the run's page.",
                    },
                )
        if undo:
            log.info("run.compensating", run=str(run.id), node=token.node)

    async def _record_intent(self, tx: Tx, run: RunView, token: TokenView) -> None:
        """Make sure that the attempt's row exists: a database step rolled its own back."""
        key = f"{run.id}:{token.scope}:{token.node}"
        await journal.begin_attempt(tx, run.id, token, key, {})


def _backoff(now: datetime, spec: NodeSpec, attempt: int) -> datetime:
    """Return when the next attempt is due: exponential, bounded, with jitter."""
    retry = spec.retry
    wanted = duration(retry.delay) * retry.factor ** (attempt - 1)
    delay: timedelta = min(wanted, duration(retry.longest))
    if retry.jitter:
        delay *= 0.5 + random.random() / 2  # noqa: S311 - spreads load, guards nothing
    return now + delay
