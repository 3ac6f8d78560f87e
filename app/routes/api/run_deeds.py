"""`/api/v1/runs/{run}/…`: retry, resume, settle, decide and cancel."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from litestar import Controller, Response, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.flows.approvals import require_decider
from app.flows.find import find_run_row
from app.flows.search import version_for
from app.flows.steer import Fate, cancel_run, decide, resume, retry_halted, retry_many, settle
from app.flows.still import hold_run
from app.routes.api.answer import require_match
from app.routes.api.flow_json import HIGHEST
from app.routes.api.needs import ETAG, needs
from app.routes.api.once import Asked
from app.routes.api.run_json import RunDetail, RunId
from app.routes.api.run_shown import by_of, shown

STATUSES = (409, 412)
MOST_RUNS = 500

Where = Annotated[str, Meta(description="Round of the loops around the node; `/`: none.")]
Node = Annotated[str, Meta(description="Id of the node.", examples=["install"])]


class Edit(Struct, frozen=True, forbid_unknown_fields=True):
    """Other parameters for a halted step, in place of the document's; expressions are allowed."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "node": "install",
        "scope": "/attempts:1",
        "params": {"os": "debian-12"},
    }

    node: Node
    params: Annotated[dict[str, Any], Meta(description="All of the step's `with`.")]
    scope: Where = "/"


class Resumption(Struct, frozen=True, forbid_unknown_fields=True):
    """How a halted run goes on."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"edits": [Edit.EXAMPLE], "version": 4}

    edits: tuple[Edit, ...] = ()
    version: (
        Annotated[
            int, Meta(description="Number of another version to go on with.", ge=1, le=HIGHEST)
        ]
        | None
    ) = None


class Settlement(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a step that nobody knows the outcome of."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "node": "install",
        "scope": "/attempts:1",
        "happened": True,
        "output": {"banner": "SSH-2.0-OpenSSH_9.2"},
    }

    node: Node
    happened: Annotated[
        bool, Meta(description="True: it counts as done. False: it is tried again.")
    ]
    scope: Where = "/"
    output: Annotated[Any, Meta(description="What it gave, if it happened.")] = None


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to a step that waits for approval."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "node": "look-over",
        "decision": "approved",
        "note": "The client has called",
    }

    node: Node
    decision: Literal["approved", "rejected"]
    scope: Where = "/"
    note: Annotated[str, Meta(description="Why; the flow sees it.", max_length=2_000)] = ""


class Cancellation(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a run is cancelled."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "Ordered by mistake"}

    reason: Annotated[
        str, Meta(description="Kept in the audit trail.", min_length=1, max_length=500)
    ]


class Selection(Struct, frozen=True, forbid_unknown_fields=True):
    """Runs that are to be tried again together."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"runs": ["01934a5e-2c7b-7f3a-9d2e-5b8c1f0a6e42"]}

    runs: Annotated[list[UUID], Meta(min_length=1, max_length=MOST_RUNS)]


class RunFate(Struct, frozen=True):
    """What became of one of the runs."""

    run: UUID
    fate: Annotated[
        Fate,
        Meta(
            description="`started`: its halted steps are tried again. `in_doubt`: settle its step "
            "first; nothing was done. `not_halted`: no step of it is halted. `unknown`: there is "
            "no such run."
        ),
    ]


class Retried(Struct, frozen=True):
    """What became of each of the runs, and how many go on."""

    retried: int
    runs: Annotated[tuple[RunFate, ...], Meta(description="Each run once, in the order asked.")]


@post(
    "/runs/retry",
    **needs(Scope.RUNS_WRITE, 409),
    status_code=200,
    tags=["Runs"],
    operation_id="retryRuns",
    summary="Retry many runs",
    description="Let the halted steps of several runs be tried again, and say of each what became "
    "of it. A run with a step in doubt is left alone until that is settled.",
)
async def retry_runs(ask: Asked, data: JSONBody[Selection]) -> Response[Retried]:
    async def deed(tx: Tx) -> Retried:
        fates = await retry_many(tx, data.runs, by=by_of(ask.caller))
        return Retried(
            retried=sum(fate is Fate.started for fate in fates.values()),
            runs=tuple(RunFate(run, fates[run]) for run in dict.fromkeys(data.runs)),
        )

    return await ask.once(deed)


class RunDeeds(Controller):
    """What a person, or a program for them, may do to a run."""

    path = "/runs/{run_id:uuid}"
    tags = ("Runs",)

    @post(
        "/retry",
        **needs(Scope.RUNS_WRITE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="retryRun",
        summary="Retry a run",
        description="Let its halted steps be tried again, as new attempts.",
    )
    async def retry(self, change: Asked, run_id: RunId) -> Response[RunDetail]:
        async def steer(tx: Tx) -> None:
            await retry_halted(tx, run_id, by=by_of(change.caller))

        return await _steered(change, run_id, steer)

    @post(
        "/resume",
        **needs(Scope.RUNS_WRITE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="resumeRun",
        summary="Resume a run",
        description="Go on from its halted steps, with other parameters for some of them or on "
        "another version of the flow. What is finished is not done again.",
    )
    async def resume(
        self, change: Asked, run_id: RunId, data: JSONBody[Resumption]
    ) -> Response[RunDetail]:
        async def steer(tx: Tx) -> None:
            await resume(
                tx,
                run_id,
                edits={(edit.scope, edit.node): edit.params for edit in data.edits},
                version=None
                if data.version is None
                else await version_for(tx, run_id, data.version),
                by=by_of(change.caller),
            )

        return await _steered(change, run_id, steer)

    @post(
        "/settle",
        **needs(Scope.RUNS_WRITE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="settleStep",
        summary="Settle a doubtful step",
        description="Say what became of a step that nobody knows the outcome of, after looking.",
    )
    async def settle(
        self, change: Asked, run_id: RunId, data: JSONBody[Settlement]
    ) -> Response[RunDetail]:
        async def steer(tx: Tx) -> None:
            await settle(
                tx,
                run_id,
                scope=data.scope,
                node=data.node,
                happened=data.happened,
                output=data.output,
                by=by_of(change.caller),
            )

        return await _steered(change, run_id, steer)

    @post(
        "/decide",
        **needs(Scope.RUNS_DECIDE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="decideApproval",
        summary="Decide an approval",
        description="Approve or reject what a step waits for. It asks for one role, whose people "
        "decide, and owners.",
    )
    async def decide(
        self, change: Asked, run_id: RunId, data: JSONBody[Decision]
    ) -> Response[RunDetail]:
        async def steer(tx: Tx) -> None:
            await require_decider(
                tx, run_id, scope=data.scope, node=data.node, role=change.caller.account.role
            )
            await decide(
                tx,
                run_id,
                scope=data.scope,
                node=data.node,
                decision=data.decision,
                note=data.note,
                by=by_of(change.caller),
            )

        return await _steered(change, run_id, steer)

    @post(
        "/cancel",
        **needs(Scope.RUNS_WRITE, *STATUSES),
        status_code=200,
        response_headers=[ETAG],
        operation_id="cancelRun",
        summary="Cancel a run",
        description="Ask it to undo what it did and end; a worker does it soon after.",
    )
    async def cancel(
        self, change: Asked, run_id: RunId, data: JSONBody[Cancellation]
    ) -> Response[RunDetail]:
        async def steer(tx: Tx) -> None:
            await cancel_run(tx, run_id, by=by_of(change.caller), reason=data.reason)

        return await _steered(change, run_id, steer)


async def _steered(
    change: Asked, run: UUID, steer: Callable[[Tx], Awaitable[None]]
) -> Response[Any]:
    """Do one thing to a run, and answer with the run as it stands then."""

    async def deed(tx: Tx) -> RunDetail:
        if change.if_match is not None:
            await hold_run(tx, run)
            require_match(change.if_match, await shown(tx, run))
        row = await find_run_row(tx, run)
        await steer(tx)
        if row.order_id is not None:
            tx.publish(f"order:{row.order_id}")
        return await shown(tx, run)

    return await change.once(deed)
