"""logic.wait: go on later."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait
from app.flows.patience import LONGEST, Duration, gives_up_at, sleep


class Params(msgspec.Struct, frozen=True):
    for_: Annotated[
        Duration | None,
        msgspec.Meta(
            title="For",
            description="How long: 30s, 5m, 1.5h or 90d, counted from when the run comes here.",
            examples=["90d"],
        ),
    ] = msgspec.field(name="for", default=None)
    until: Annotated[
        Annotated[datetime, msgspec.Meta(tz=True)] | None,
        msgspec.Meta(
            title="Until",
            description="A time with its zone (RFC 3339). One that is past goes on at once.",
            examples=["2027-01-01T09:00:00Z", "=timestamp(input.due_at) - duration('72h')"],
        ),
    ] = None

    def __post_init__(self) -> None:
        if (self.for_ is None) == (self.until is None):
            raise ValueError("give either `for` or `until`")


class Output(msgspec.Struct, frozen=True):
    until: Annotated[datetime, msgspec.Meta(tz=True, description="The time that was waited for.")]


DOCS = """\
Waits for a time that passes (`for`) or until a moment (`until`), at most ten years. Waiting costs
no worker and no connection: the run is a row with the time at which it goes on. The moment is
settled when the run comes here; restarts, new releases and months in between do not change it.

```json
{"for": "90d"}
```

Give exactly one of the two. A moment can be computed, here three days before something is due:

```json
{"until": "=timestamp(input.due_at) - duration('72h')"}
```
"""


def do(step: Step, params: Params) -> Done | Wait:
    until = gives_up_at(step, params.for_) or params.until or step.now
    if until <= step.now:
        return Done(Output(until))
    if until - step.now > LONGEST:
        raise StepFailed(f"{until.isoformat()} is more than ten years away")
    told = until.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return sleep(step, until=until, says=f"waiting until {told}")


def says(params: Params) -> str:
    if params.until is not None:
        return f"Waits until {params.until.isoformat()}"
    return f"Waits for {params.for_}"


node = NodeType(
    name="logic.wait",
    title="Wait",
    summary="Goes on after a time, or at a moment.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    output=Output,
    says=says,
    docs=DOCS,
)
