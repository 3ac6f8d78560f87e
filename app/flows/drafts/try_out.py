"""Try a draft out: a dry run by chosen data, or a rehearsal that tells how far it is."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace
from redis.asyncio import Redis

from app.core.database import Database, Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.flows.document import BadDocument, Document
from app.flows.drafts.ports import type_of
from app.flows.drafts.sheet import Sheet
from app.flows.drafts.trial import Trial, content_of, go_on
from app.flows.drafts.views import Designer, DraftView
from app.flows.dryrun.begin import input_of, plan_of
from app.flows.dryrun.given import Given
from app.flows.dryrun.of_flow import dry_run_of
from app.flows.dryrun.rehearse import rehearse
from app.flows.dryrun.score import keep_rehearsal
from app.flows.inputs import BadInput, Inputs, schema_problems
from app.flows.typed_input import ROOT, InputField, beside, input_fields, read_input

TELL_EVERY = timedelta(milliseconds=300)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a dry run goes by: a recorded run, an input, or what is pinned and made up."""

    run: UUID | None = None
    text: str = ""
    """An input as JSON."""
    data: dict[str, Any] | None = None
    """An input as it was typed into a form of its own."""
    only: str = ""
    until: str = ""


async def dry_run_draft(tx: Tx, view: DraftView, ask: Ask) -> Trial:
    """Return the dry run of a draft; nothing is written and nobody is called.

    Raises Invalid for an input that is no JSON object, NotFound for a run or a node that is not.
    """
    typed = _input(ask.text) if ask.data is None else ask.data
    given = Given(input=typed, only=ask.only, until=ask.until)
    run = await dry_run_of(tx, view.sheet.document, given, run=ask.run, pins=view.sheet.pins)
    begun = begin_trial(tx, view, words=_words(view.sheet, ask))
    return replace(begun, run=run, only=ask.only, until=ask.until)


def begin_trial(tx: Tx, view: DraftView, *, words: str) -> Trial:
    """Return a trial of the draft as it is now, without a result yet."""
    return Trial(
        id=new_id(),
        rev=view.rev,
        content=content_of(view.sheet),
        at=tx.now(),
        heard_at=tx.now(),
        words=words,
    )


async def rehearse_draft(
    redis: Redis, database: Database, view: DraftView, trial: Trial, *, by: Designer
) -> None:
    """Let every step fail in every way and keep the report, unless it was taken away meanwhile."""
    now = database.clock.now
    latest = trial

    async def tell(done: int, known: int) -> bool:
        nonlocal latest
        await asyncio.sleep(0)
        if now() - latest.heard_at < TELL_EVERY:
            return True
        latest = replace(latest, done=done, known=known, heard_at=now())
        return await go_on(redis, view.id, by.id, latest)

    report = await rehearse(view.sheet.document, Given(pins=view.sheet.pins), tell=tell)
    if await go_on(redis, view.id, by.id, replace(trial, report=report)):
        async with database.transaction() as tx:
            await keep_rehearsal(tx, report, by=by.id, by_label=by.name)


def sample_input(sheet: Sheet) -> dict[str, object]:
    """Return an input that fits the flow, to be edited; empty where the draft cannot be run."""
    try:
        return dict(input_of(plan_of(sheet.document), Given(pins=sheet.pins)))
    except BadDocument:
        return {}


def own_fields(document: Document, values: Mapping[str, str]) -> tuple[InputField, ...]:
    """Return the fields into which an input of one's own is typed, filled in as `values` say.

    None where the draft does not say what it takes, or not so that it can be used.
    """
    schema = document.inputs
    if not schema or schema_problems(schema):
        return ()
    fields = input_fields(schema, values)
    return () if any(field.name == ROOT for field in fields) else fields


def own_input(document: Document, values: Mapping[str, str]) -> dict[str, Any]:
    """Return what was typed into `own_fields`. Raises Invalid by field."""
    fields = own_fields(document, values)
    data, errors = read_input(fields, values)
    try:
        Inputs(document.flow, document.inputs).require(data)
    except BadInput as bad:
        errors = {**beside(fields, bad.fields), **errors}
    if errors:
        raise Invalid(errors)
    return data


def _input(text: str) -> dict[str, object] | None:
    if not text.strip():
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise Invalid({"text": f"The input must be a JSON object: {error}"}) from error


def _words(sheet: Sheet, ask: Ask) -> str:
    if ask.data is not None or ask.text.strip():
        return "the input that was typed"
    if ask.run is not None:
        return f"the recorded run {str(ask.run)[-8:]}"
    if trigger_pinned(sheet):
        return "the sample pinned to the trigger"
    return "made-up data"


def trigger_pinned(sheet: Sheet) -> bool:
    """Say whether sample data is pinned to where runs begin."""
    kinds = {node: type_of(sheet, node) for node in sheet.pins if node in sheet.nodes}
    return any(kind is not None and kind.trigger is not None for kind in kinds.values())
