"""trigger.schedule: the clock starts it."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from app.flows.document import BadDocument, duration
from app.flows.node import Done, Effect, NodeType, Step, StepFailed
from app.flows.triggers.schedule import Misfire, check


class Params(msgspec.Struct, frozen=True):
    """When it ticks, and what is done about a tick that nobody was there for."""

    cron: Annotated[
        str,
        msgspec.Meta(
            title="When",
            description="Minute, hour, day of the month, month and weekday, as cron reads them.",
            max_length=100,
            examples=["30 3 * * 1-5", "*/10 * * * *", "0 6 1 * *", "0 9 * * FRI#1"],
        ),
    ]
    timezone: Annotated[
        str,
        msgspec.Meta(
            title="Time zone",
            description="The zone whose clocks are meant.",
            examples=["UTC", "Europe/Berlin"],
        ),
    ] = "UTC"
    misfire: Annotated[
        Misfire,
        msgspec.Meta(
            title="When it was missed",
            description="`skip` waits for the next tick; `once` makes up for all that were "
            "missed by one run.",
        ),
    ] = "skip"
    grace: Annotated[
        str,
        msgspec.Meta(
            title="Missed after",
            description="How late a tick may start a run before it counts as missed.",
            examples=["5m"],
        ),
    ] = "5m"
    data: Annotated[
        dict[str, Any],
        msgspec.Meta(
            title="Input",
            description="What each run gets as input, beside the times.",
            examples=[{"days": 7}],
        ),
    ] = {}

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be kept as a schedule."""
        check(self.cron, self.timezone)
        try:
            duration(self.grace)
        except BadDocument as error:
            raise ValueError(error.message) from error


class Output(msgspec.Struct, frozen=True):
    """`scheduled_at` is the tick, `fired_at` when its run was written down."""

    scheduled_at: datetime
    fired_at: datetime
    data: dict[str, Any]


def do(step: Step, params: Params) -> Done:
    """Give the times; a run that was started by hand has its own time for both."""
    now = step.started_at
    try:
        scheduled_at = msgspec.convert(step.input.get("scheduled_at", now), datetime)
        fired_at = msgspec.convert(step.input.get("fired_at", now), datetime)
    except msgspec.ValidationError as error:
        raise StepFailed(f"the times of the tick cannot be read: {error}") from error
    return Done(Output(scheduled_at, fired_at, params.data))


node = NodeType(
    name="trigger.schedule",
    title="Schedule",
    summary="Starts at times that a cron text names.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    output=Output,
    trigger="schedule",
    says=lambda params: f"Begins at {params.cron} ({params.timezone})",
    docs="""Starts once for each tick, however many workers there are.

```json
{"cron": "30 3 * * 1-5", "timezone": "Europe/Berlin", "misfire": "once", "data": {"days": 7}}
```
When no worker ran at a tick, and the next comes more than `grace` later, the tick was missed:
`skip` waits for the next one, `once` starts one run for all that were missed. Ticks while the flow
is disabled are not made up for.

Where clocks are set forward, a job of the hour that is left out runs right after it; where they are
set back, a job at a fixed hour runs once and one of every hour runs at each of them.

The run's input is `data` with `scheduled_at` and `fired_at`.
""",
)
