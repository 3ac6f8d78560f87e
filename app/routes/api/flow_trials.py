"""`/api/v1/flows/{flow}/dry-run` and `…/rehearse`, and the same of a document that is sent."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from app.core.database import Database, Tx
from app.domain.accounts.scopes import Scope
from app.flows.document import Document, parse
from app.flows.dryrun.given import Given
from app.flows.dryrun.of_flow import dry_run_of, given_for
from app.flows.dryrun.of_version import WAITED_FOR_S, keep_score, rehearse_version
from app.flows.dryrun.rehearse import rehearse
from app.flows.find_flows import find_version
from app.routes.api.answer import answer
from app.routes.api.flow_json import HIGHEST, SMALL, Slug
from app.routes.api.needs import needs
from app.routes.api.once import Asked
from app.routes.api.trial_json import (
    DryRunReport,
    RehearsalReport,
    dry_run_report,
    rehearsal_report,
)
from app.routes.security.dependencies import Db


class Trial(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a flow is tried with; all of it may be left out, and is made up then."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "input": {"hostname": "web-1.example.net"},
        "pins": {"install": {"banner": "SSH-2.0-OpenSSH_9.2"}},
        "choose": {"look-over": "rejected"},
    }

    input: (
        Annotated[dict[str, Any], Meta(description="The run's input; made to fit if left out.")]
        | None
    ) = None
    pins: Annotated[
        dict[str, Any], Meta(description="Outputs by node; a node that has one is not done.")
    ] = {}
    choose: Annotated[
        dict[str, str],
        Meta(description="By node the port that it leaves by: `rejected`, `timeout`, `error`."),
    ] = {}
    until: Annotated[str, Meta(description="The node after which it stops.")] = ""
    only: Annotated[str, Meta(description="The one node that is done, on sample data.")] = ""
    run: Annotated[UUID | None, Meta(description="A recorded run that answers.")] = None
    seed: Annotated[str, Meta(description="Other made-up data for another seed.")] = ""
    version: (
        Annotated[int, Meta(description="The latest if left out.", ge=1, le=HIGHEST)] | None
    ) = None


class DocumentTrial(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document, and what it is tried with."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"document": SMALL, "trial": {"seed": "other"}}

    document: Annotated[dict[str, Any], Meta(description="A flow document, finished or not.")]
    trial: Annotated[Trial, Meta(description="Its `version` is not looked at.")] | None = None


class Rehearsing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version is rehearsed, with what input."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"version": 3}

    version: (
        Annotated[int, Meta(description="The latest if left out.", ge=1, le=HIGHEST)] | None
    ) = None
    input: (
        Annotated[dict[str, Any], Meta(description="The run's input; made to fit if left out.")]
        | None
    ) = None
    pins: Annotated[dict[str, Any], Meta(description="Outputs by node.")] = {}
    seed: Annotated[str, Meta(description="Other made-up data for another seed.")] = ""


@post(
    "/flows/{slug:str}/dry-run",
    **needs(Scope.FLOWS_READ),
    status_code=200,
    tags=["Flows"],
    operation_id="dryRunFlow",
    summary="Try a flow without any effect",
    description="What a version would do with an input: the path, every effect in order, problems, "
    "and how long it usually takes. Nothing is done and nobody is called.",
)
async def dry_run_flow(db: Db, slug: Slug, data: JSONBody[Trial]) -> Response[DryRunReport]:
    async with db.snapshot() as tx:
        version = await find_version(tx, slug, data.version)
        return await _dry_run(tx, version.document, data)


@post(
    "/flow-dry-runs",
    **needs(Scope.FLOWS_READ),
    status_code=200,
    tags=["Flows"],
    operation_id="dryRunDocument",
    summary="Try a document without any effect",
    description="The same of a document that is not published. What is no flow document at all is "
    "refused (422, `flow.bad_document`).",
)
async def dry_run_document(db: Db, data: JSONBody[DocumentTrial]) -> Response[DryRunReport]:
    async with db.snapshot() as tx:
        return await _dry_run(tx, _document(data), data.trial or Trial())


@post(
    "/flows/{slug:str}/rehearse",
    **needs(Scope.FLOWS_WRITE, 409),
    status_code=200,
    tags=["Flows"],
    operation_id="rehearseFlow",
    summary="Rehearse a flow",
    description="Let every step with an effect fail in every way, in memory, and say what became "
    "of it. The score is kept with the version. At most 10 s.",
)
async def rehearse_flow(
    ask: Asked, db: Db, slug: Slug, data: JSONBody[Rehearsing]
) -> Response[RehearsalReport]:
    given = Given(input=data.input, pins=data.pins, seed=data.seed)
    version, found = await rehearse_version(db, slug, data.version, given)

    async def deed(tx: Tx) -> RehearsalReport:
        caller = ask.caller
        await keep_score(tx, version, found, by=caller.account.id, by_label=caller.label)
        return rehearsal_report(found)

    return await ask.once(deed)


@post(
    "/flow-rehearsals",
    **needs(Scope.FLOWS_READ),
    status_code=200,
    tags=["Flows"],
    operation_id="rehearseDocument",
    summary="Rehearse a document",
    description="The same of a document that is not published; nothing is kept. At most 10 s.",
)
async def rehearse_document(db: Db, data: JSONBody[DocumentTrial]) -> Response[RehearsalReport]:
    given = await _with_recording(db, data.trial or Trial())
    return answer(rehearsal_report(await rehearse(_document(data), given, longest_s=WAITED_FOR_S)))


def _document(data: DocumentTrial) -> Document:
    return parse(msgspec.json.encode(data.document))


async def _with_recording(db: Database, trial: Trial) -> Given:
    async with db.snapshot() as tx:
        return await given_for(tx, _given(trial), trial.run)


async def _dry_run(tx: Tx, document: Document, trial: Trial) -> Response[Any]:
    return answer(dry_run_report(await dry_run_of(tx, document, _given(trial), run=trial.run)))


def _given(trial: Trial) -> Given:
    return Given(
        input=trial.input,
        pins=trial.pins,
        choose=trial.choose,
        until=trial.until,
        only=trial.only,
        seed=trial.seed,
    )


FLOW_TRIALS = (dry_run_flow, dry_run_document, rehearse_flow, rehearse_document)
