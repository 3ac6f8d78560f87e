"""logic.repeat: run the body again until a condition holds, at most so many times."""

from typing import Annotated, Any

import msgspec

from app.flows.node import Done, Effect, NodeType, Step
from app.flows.patience import Duration


class Params(msgspec.Struct, frozen=True):
    """`until` is an expression over the body's outputs, looked at after each iteration."""

    until: Annotated[
        str,
        msgspec.Meta(
            pattern="^=[^=]",
            title="Until",
            description="Looked at after each round, seeing the outputs of its steps: the loop "
            "is done when it is true.",
            examples=["=has(steps.install)"],
        ),
    ]
    max: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=1_000,
            title="At most",
            description="How many rounds there are; then the loop leaves by `exhausted`.",
            examples=[5],
        ),
    ]
    every: Annotated[
        Duration | None,
        msgspec.Meta(
            title="Pause",
            description="How long the run sleeps between two rounds, such as `30s`.",
            examples=["30s"],
        ),
    ] = None


class Output(msgspec.Struct, frozen=True):
    """`count` rounds were made; `last` has the outputs of the steps of the last one, by node."""

    count: int
    last: dict[str, Any]


def do(step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    """Stand in for the engine, which drives containers itself (`flows/containers.py`)."""
    return Done(Output(0, {}), "each")


node = NodeType(
    name="logic.repeat",
    title="Repeat until",
    summary="Runs its body until a condition holds; leaves by `exhausted` when it never does.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    ports=("each", "done", "exhausted"),
    output=Output,
    container=True,
    lazy=frozenset({"until"}),
    says=lambda params: f"Repeats its body at most {params.max} times",
    docs="""
The steps inside are run in rounds. After each round `until` is looked at; it sees the outputs of
the steps of that round under `steps`. When it is true the run goes on at `done`, after `max` rounds
at `exhausted`. With `every` the run sleeps between rounds: it costs no worker and no connection.

```json
{"until": "=steps.look.status == \\"ready\\"", "max": 60, "every": "10s"}
```

Outside, `steps.NAME.last.STEP` is what a step of the last round gave, `iteration.count` inside is
the number of the round, from 1.
""",
)
