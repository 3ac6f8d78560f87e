"""trigger.flow_ended: a run of another flow is over."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from app.flows.node import Effect, NodeType
from app.flows.triggers.says import saying


class Params(msgspec.Struct, frozen=True):
    """Whose runs, and how they ended."""

    flows: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            title="Flows",
            description="Short names of the flows whose ends start this one; any when empty.",
            examples=[["dedicated-server"]],
        ),
    ] = ()
    outcomes: Annotated[
        tuple[Literal["succeeded", "failed", "cancelled"], ...],
        msgspec.Meta(title="Outcomes", description="How the run ended.", min_length=1),
    ] = ("succeeded",)


class Output(msgspec.Struct, frozen=True):
    """The run that ended. `output` is what it gave, `error` why it failed."""

    run: UUID
    flow: str
    flow_name: str
    version: int
    outcome: str
    subject: UUID | None
    subject_kind: str
    input: dict[str, Any]
    output: Any
    error: str
    created_at: datetime
    finished_at: datetime | None


def matches(config: Any, data: Mapping[str, Any], led_by: Collection[str] = ()) -> bool:
    """Return whether the end of a run starts the flow.

    What follows on any flow's end does not follow on what follows: of ten such flows each would
    start nine, and each of these eight.
    """
    params = msgspec.convert(config, Params)
    if not params.flows and "flow.ended" in led_by:
        return False
    return data["outcome"] in params.outcomes and (not params.flows or data["flow"] in params.flows)


node = NodeType(
    name="trigger.flow_ended",
    title="Another flow ended",
    summary="Starts when a run of another flow has succeeded, failed or been cancelled.",
    params=Params,
    effect=Effect.PURE,
    do=saying(Output),
    output=Output,
    trigger="flow.ended",
    says=lambda _: "Begins with the run that ended",
    docs="""Starts once for each run that ends, about what that run was about.

```json
{"flows": ["dedicated-server"], "outcomes": ["failed", "cancelled"]}
```
A flow is never started by the end of its own runs, nor by that of a run that it led to itself: of
two flows that wait for each other's end, each runs once. One that names no flows hears of all but
those that were started by an end themselves; to follow on these, name them.
""",
)
