"""logic.if: go on one way or the other."""

from typing import Annotated, Any

import msgspec

from app.flows.bounds import shown
from app.flows.node import Done, Effect, NodeType, Step, StepFailed


class Params(msgspec.Struct, frozen=True):
    condition: Annotated[
        Any,
        msgspec.Meta(
            title="Condition",
            description="An expression that is true or false. Anything else fails the step.",
            examples=[True, "=steps.server.datacentre == 'ams1'"],
        ),
    ]


class Output(msgspec.Struct, frozen=True):
    condition: Annotated[bool, msgspec.Meta(description="What it was.")]


DOCS = """\
Leaves by `true` or by `false`. The condition must be a truth value: `=input.ram_gb > 64`, not
`=input.ram_gb`. A text such as `"yes"` or a missing value is an error, for a wrong guess here would
send the order the wrong way; ask with `has(input.panel)` whether something is there at all.

A port that leads nowhere ends the branch. Branches that part here may lead to the same node again,
for only one of them is taken.

```json
{"condition": "=has(input.panel) && input.panel != 'none'"}
```
"""


def do(step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    if not isinstance(params.condition, bool):
        raise StepFailed(
            f"the condition must be true or false, it is {shown(params.condition)}; "
            "compare it with something"
        )
    return Done(Output(params.condition), "true" if params.condition else "false")


def says(params: Params) -> str:
    return f"Goes on by {shown(params.condition)}"


node = NodeType(
    name="logic.if",
    title="If",
    summary="Goes on by `true` or `false`, as a condition is.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    ports=("true", "false"),
    output=Output,
    says=says,
    docs=DOCS,
)
