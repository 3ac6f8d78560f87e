"""action.run_flow: run another flow and wait for its end."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.flows.node import Done, Effect, NodeType, Resource, Step, StepFailed, Subject, Wait
from app.flows.start import start_flow
from app.flows.steer import undo_run

LOOK_AGAIN = timedelta(minutes=10)
UNDO_AGAIN = timedelta(seconds=2)
MOST_NESTED = 8


class Params(msgspec.Struct, frozen=True):
    flow: Annotated[
        str,
        msgspec.Meta(
            title="Flow", description="The slug of the flow to run.", examples=["dns-records"]
        ),
    ]
    input: Annotated[
        dict[str, Any],
        msgspec.Meta(
            title="Input",
            description="What the other flow gets as its `input`.",
            examples=[{"host": "=input.hostname"}],
        ),
    ] = {}


class Output(msgspec.Struct, frozen=True):
    """`output` is what the other flow's `logic.stop`, or else its last step, gave."""

    run: UUID
    status: str
    output: Any


async def do(tx: Tx, step: Step, params: Params) -> Done | Wait:
    """Idempotent: `step.key` and the attempt name the child run. It is about the same order."""
    if await _depth(tx, step.run) >= MOST_NESTED:
        raise StepFailed(f"flows are nested more than {MOST_NESTED} deep; does one run itself?")
    row = await tx.fetchrow("SELECT subject, subject_kind FROM run WHERE id = $1", step.run)
    if row is None:
        raise StepFailed("the run is gone")
    child = await start_flow(
        tx,
        params.flow,
        data=params.input,
        dedup_key=f"{step.key}#{step.attempt}",
        subject=row["subject"],
        subject_kind=Subject(row["subject_kind"]),
        parent=step.run,
    )
    found = await tx.fetchrow("SELECT status, error, output FROM run WHERE id = $1", child)
    if found is None or found["status"] not in ("succeeded", "failed", "cancelled"):
        return Wait(
            until=tx.now() + LOOK_AGAIN, signal=f"run:{child}", says=f"{params.flow} is running"
        )
    if found["status"] != "succeeded":
        raise StepFailed(f"{params.flow} {found['status']}: {found['error'] or 'no reason given'}")
    output = None if found["output"] is None else msgspec.json.decode(found["output"])
    return Done(Output(child, found["status"], output), takes=(Resource("run", str(child)),))


async def _depth(tx: Tx, run: UUID) -> int:
    depth: int = await tx.fetchval(
        "WITH RECURSIVE up AS (SELECT id, parent, 0 AS depth FROM run WHERE id = $1 UNION ALL "
        "SELECT r.id, r.parent, up.depth + 1 FROM run r JOIN up ON r.id = up.parent "
        "WHERE up.depth < 50) SELECT max(depth) FROM up",
        run,
    )
    return depth


async def undo(tx: Tx, step: Step, _: Any) -> Wait | None:
    """Have the child run undo what it did; come again until it has."""
    rows = await tx.fetch(
        "SELECT id FROM run WHERE parent = $1 AND starts_with(dedup_key, $2)",
        step.run,
        f"{step.key}#",
    )
    undone = [await undo_run(tx, row["id"]) for row in rows]
    return None if all(undone) else Wait(until=tx.now() + UNDO_AGAIN)


node = NodeType(
    name="action.run_flow",
    title="Run a flow",
    summary="Runs another flow and waits for its end.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    undo=undo,
    output=Output,
    takes=("run",),
    says=lambda params: f"Runs the flow {params.flow}",
    docs="""
The other flow runs on its latest published version, about the same order or service, with `input`
as its own input. This step waits for its end, which costs nothing, and gives what its `logic.stop`
gave. When the other flow fails, so does this step. Undoing this step undoes the other flow.

```json
{"flow": "dns-records", "input": {"host": "=input.hostname", "address": "=steps.addresses.ipv4"}}
```
""",
)
