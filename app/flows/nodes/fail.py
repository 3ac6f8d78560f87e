"""logic.fail: the run ends here, as failed."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from app.flows.node import Effect, NodeType, RunEnds, Step


class Params(msgspec.Struct, frozen=True):
    message: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)],
        msgspec.Meta(
            title="Message",
            description="What is wrong and what to do about it, for who looks at the run.",
            examples=["No product offers ${input.os}; correct the order."],
        ),
    ]


DOCS = """\
Ends the whole run as failed, with a message. It is for what the flow itself finds wrong: no retry
and no error port comes of it, and other branches that still run or wait are given up. A step that
fails by itself halts the run or leaves by its error port instead.

```json
{"message": "No product offers ${input.os}; correct the order."}
```
"""


def do(step: Step, params: Params) -> Any:  # noqa: ARG001 - a node's signature
    raise RunEnds(failed=True, message=params.message)


def output_of(params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001 - a node's signature
    """Say nothing: no node comes after it."""
    return {}


def says(params: Params) -> str:
    return f"Fails the run: {params.message}"


node = NodeType(
    name="logic.fail",
    title="Fail",
    summary="Ends the run as failed, with a message.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    ports=(),
    output_of=output_of,
    says=says,
    docs=DOCS,
)
