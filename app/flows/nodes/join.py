"""logic.join: branches that run at the same time meet, and one goes on."""

from typing import Annotated, Literal

import msgspec

from app.flows.node import Done, Effect, NodeType, Step


class Params(msgspec.Struct, frozen=True):
    mode: Annotated[
        Literal["all", "any"],
        msgspec.Meta(
            title="Waits for",
            description="`all` branches that can still come here, or `any`: the first one.",
            examples=["all"],
        ),
    ] = "all"


class Output(msgspec.Struct, frozen=True):
    """`arrived` names the nodes from which branches came, sorted."""

    arrived: list[str]


def do(step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    """Go on with one token: the engine has waited for the branches (`flows/join.py`)."""
    return Done(Output(step.memo.get("arrived", [])))


node = NodeType(
    name="logic.join",
    title="Join",
    summary="Waits until the branches that run at the same time have come, then goes on once.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    output=Output,
    join=True,
    says=lambda params: (
        "Goes on with the first branch"
        if params.mode == "any"
        else "Waits for every branch that can still come"
    ),
    docs="""
Where branches that run at the same time meet, a join makes one of them. With `all` it waits for
every branch that can still come: one that turned off by a condition or ended is not waited for.
With `any` it goes on with the first, and those that come later end here.

```json
{"mode": "all"}
```
""",
)
