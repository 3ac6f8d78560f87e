"""data.set: set variables of the run."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from app.flows.bounds import bounded_value
from app.flows.literal_schema import object_of
from app.flows.node import Done, Effect, NodeType, Step

VariableName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]


class Params(msgspec.Struct, frozen=True):
    variables: Annotated[
        Annotated[dict[VariableName, Any], msgspec.Meta(min_length=1, max_length=100)],
        msgspec.Meta(
            title="Variables",
            description="Names and values. What was not named keeps its value.",
            examples=[{"tries": 1, "region": "=steps.server.datacentre"}],
        ),
    ]


DOCS = """\
Sets variables of the run, which every later node sees as `vars.NAME`, inside loops and branches
too. They are for what changes on the way, such as a count over the iterations of a loop; what a
node gives is at hand anyway as `steps.NODE`. The output are the values that were set.

All of them are computed first, then set together. Of two branches that set one variable at the same
time, the last wins. Together they may be 1 MB as JSON.

```json
{"variables": {"tries": "=vars.tries + 1", "region": "=steps.server.datacentre"}}
```
"""


def do(step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    bounded_value(params.variables, "what is set")
    return Done(params.variables, variables=params.variables)


def output_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    variables = params.get("variables")
    return object_of(variables) if isinstance(variables, dict) else {"type": "object"}


def sets(params: Mapping[str, Any]) -> tuple[str, ...]:
    variables = params.get("variables")
    return tuple(map(str, variables)) if isinstance(variables, dict) else ()


def says(params: Params) -> str:
    return f"Sets {', '.join(params.variables)}"


node = NodeType(
    name="data.set",
    title="Set variables",
    summary="Sets variables that every later node of the run sees.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    output_of=output_of,
    sets=sets,
    says=says,
    docs=DOCS,
)
