"""`/api/v1/runs`: lists of runs, and one run with everything that it did."""

from typing import Annotated

from litestar import Controller, Response, get
from litestar.params import PathParameter, QueryParameter

from app.domain.accounts.scopes import Scope
from app.flows.dryrun.replay import replay_run
from app.flows.search import RunFilter, search_runs
from app.flows.sheet import find_exchange
from app.flows.views import RunStatus
from app.routes.api.answer import answer, tagged
from app.routes.api.listing import USUAL, Cursor, Limit, page_answer, position_of
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.replay_json import ReplayReport, replay_report
from app.routes.api.run_json import AttemptDetail, RunDetail, RunId, RunList, list_of
from app.routes.api.run_shown import shown
from app.routes.security.dependencies import Db, HttpRequest


class Runs(Controller):
    """Executions of flows, read."""

    path = "/runs"
    tags = ("Runs",)

    @get(
        **needs(Scope.RUNS_READ),
        operation_id="listRuns",
        summary="List runs",
        description="Runs, the latest first. Filters that are given all have to hold.",
    )
    async def list(
        self,
        *,
        request: HttpRequest,
        db: Db,
        status: Annotated[
            tuple[RunStatus, ...] | None,
            QueryParameter(description="Only these; give it several times for several."),
        ] = None,
        stuck: Annotated[
            bool, QueryParameter(description="Only those that do not move by themselves.")
        ] = False,
        flow: Annotated[str, QueryParameter(description="Slug of the flow.")] = "",
        order: Annotated[str, QueryParameter(description="Number or id of an order.")] = "",
        client: Annotated[
            str, QueryParameter(description="E-mail address or id of a client.")
        ] = "",
        server: Annotated[
            str, QueryParameter(description="Name, serial number or id of a server.")
        ] = "",
        q: Annotated[
            str, QueryParameter(description="A part of the host name or of the flow's name.")
        ] = "",
        limit: Limit = USUAL,
        cursor: Cursor = None,
    ) -> Response[RunList]:
        wanted = RunFilter(
            statuses=status or (),
            stuck=stuck,
            flow=flow,
            order=order,
            client=client,
            server=server,
            words=q,
        )
        before = position_of(cursor)
        async with db.snapshot() as tx:
            rows = await search_runs(tx, wanted, before=before, limit=limit + 1)
        return page_answer(request, rows, limit, position=lambda row: row.id, page=list_of)

    @get(
        "/{run_id:uuid}",
        **needs(Scope.RUNS_READ, 304),
        response_headers=[ETAG],
        operation_id="showRun",
        summary="Show a run",
        description="A run with its attempts, its story, its variables and what it has taken.",
    )
    async def show(
        self, db: Db, run_id: RunId, if_none_match: IfNoneMatch = None
    ) -> Response[RunDetail]:
        async with db.snapshot() as tx:
            run = await shown(tx, run_id)
        return tagged(run, if_none_match)

    @get(
        "/{run_id:uuid}/attempts/{attempt_id:int}",
        **needs(Scope.RUNS_READ, 304),
        response_headers=[ETAG],
        operation_id="showAttempt",
        summary="Show an attempt whole",
        description="All that an attempt of a step was given and gave, where the run does not "
        "tell it for its length.",
    )
    async def show_attempt(
        self,
        db: Db,
        run_id: RunId,
        attempt_id: Annotated[
            int, PathParameter(description="Id of the attempt.", ge=1, le=2**63 - 1)
        ],
        if_none_match: IfNoneMatch = None,
    ) -> Response[AttemptDetail]:
        async with db.snapshot() as tx:
            given, output = await find_exchange(tx, run_id, attempt_id)
        return tagged(AttemptDetail(input=given, output=output), if_none_match)

    @get(
        "/{run_id:uuid}/replay",
        **needs(Scope.RUNS_READ),
        operation_id="replayRun",
        summary="Replay a run",
        description="Drive the run again on this release, by what was recorded and without any "
        "effect, and tell where it would do otherwise. At most 30 s.",
    )
    async def replay(self, db: Db, run_id: RunId) -> Response[ReplayReport]:
        async with db.snapshot() as tx:
            return answer(replay_report(await replay_run(tx, run_id)))
