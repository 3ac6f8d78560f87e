"""logic.stop: the run ends here, well."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from app.flows.bounds import bounded_value
from app.flows.node import Effect, NodeType, RunEnds, Step


class Params(msgspec.Struct, frozen=True):
    output: Annotated[
        Any,
        msgspec.Meta(
            title="Output",
            description="What the run gives, to the flow that called it or to who looks at it.",
            examples=[{"address": "198.51.100.7"}, "=steps.install.address"],
        ),
    ] = None
    message: Annotated[
        Annotated[str, msgspec.Meta(max_length=2_000)],
        msgspec.Meta(
            title="Message",
            description="Why it ends here, for who looks at the run.",
            examples=["The client has this service already."],
        ),
    ] = ""


DOCS = """\
Ends the whole run as succeeded, with an output. Other branches that still run or wait are given up;
what was done stays done. A run also ends by itself when its last branch has nowhere to go on to, so
this node is for an early end and for an output.

```json
{"output": {"address": "=steps.install.address"}, "message": "Installed."}
```
"""


def do(step: Step, params: Params) -> Any:  # noqa: ARG001 - a node's signature
    raise RunEnds(
        failed=False,
        message=params.message,
        output=bounded_value(params.output, "the run's output"),
    )


def output_of(params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001 - a node's signature
    """Say nothing: no node comes after it."""
    return {}


def says(params: Params) -> str:
    return f"Ends the run: {params.message or 'done'}"


node = NodeType(
    name="logic.stop",
    title="Stop",
    summary="Ends the run as succeeded, with an output.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    ports=(),
    output_of=output_of,
    says=says,
    docs=DOCS,
)
