"""logic.wait_event: go on when something happens that concerns this run."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from app.flows.node import Done, Effect, NodeType, Step, Wait
from app.flows.patience import Duration, gives_up_at, sleep


class Params(msgspec.Struct, frozen=True):
    event: Annotated[
        Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")],
        msgspec.Meta(
            title="Event",
            description="Its name: small letters, digits, dots, - and _.",
            examples=["dns.delegated"],
        ),
    ]
    correlation: Annotated[
        Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f]+$", max_length=200)] | int,
        msgspec.Meta(
            title="Correlation",
            description="What tells this run's event from others of the name, such as an id.",
            examples=["SO-1042", "=input.order"],
        ),
    ]
    timeout: Annotated[
        Duration | None,
        msgspec.Meta(
            title="Time-out",
            description="How long at most; then the port `timeout` is taken. Without it: no end.",
            examples=["7d"],
        ),
    ] = None


DOCS = """\
Waits until the event arrives with the same correlation, and gives its payload as output. When
several came, the first is taken. An event that came shortly before the run did is not lost: it is
kept for its waiter. With a `timeout` the port `timeout` is taken when nothing came until then, and
the output is null.

Waiting costs no worker and no connection, for minutes or months. A sender names the event and the
correlation; to the engine both together are the signal `event:NAME:CORRELATION`.

```json
{"event": "dns.delegated", "correlation": "=input.domain", "timeout": "7d"}
```
"""


def do(step: Step, params: Params) -> Done | Wait:
    if step.signals:
        return Done(step.signals[0])
    until = gives_up_at(step, params.timeout)
    if until is not None and until <= step.now:
        return Done(None, "timeout")
    return sleep(
        step,
        until=until,
        signal=f"event:{params.event}:{params.correlation}",
        says=f"waiting for {params.event}",
    )


def output_of(params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001 - a node's signature
    """Say nothing: the payload is the sender's."""
    return {}


def says(params: Params) -> str:
    at_most = f", at most {params.timeout}" if params.timeout else ""
    return f"Waits for {params.event} of {params.correlation}{at_most}"


node = NodeType(
    name="logic.wait_event",
    title="Wait for event",
    summary="Goes on when a named event arrives that concerns this run, or at its time-out.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    ports=("out", "timeout"),
    output_of=output_of,
    says=says,
    docs=DOCS,
)
