"""logic.parallel: go on by several branches at once."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from app.flows.node import ALL_PORTS, Done, Effect, NodeType, Step

BranchName = Annotated[str, msgspec.Meta(pattern=r"^[\w][\w .+-]{0,39}$")]


class Params(msgspec.Struct, frozen=True):
    branches: Annotated[
        Annotated[tuple[BranchName, ...], msgspec.Meta(min_length=1, max_length=50)],
        msgspec.Meta(
            title="Branches",
            description="A name for each branch; its port is `branch:` and the name.",
            examples=[["dns", "monitoring"]],
        ),
    ]


class Output(msgspec.Struct, frozen=True):
    branches: Annotated[tuple[str, ...], msgspec.Meta(description="The branches gone by.")]


DOCS = """\
All branches go on at once: where one waits, the others do not. They may end each by itself, or meet
in a `logic.join`, behind which the outputs of all of them can be referred to. A branch cannot
refer to what another one does at the same time.

A step that fails in a branch and has no error port follows the flow's policy, which is for the
whole run. Several edges from one port fork as well; this node gives the branches their names.

```json
{"branches": ["dns", "monitoring"]}
```
"""


def do(step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    return Done(Output(tuple(dict.fromkeys(params.branches))), ALL_PORTS)


def ports_of(params: Mapping[str, Any]) -> tuple[str, ...]:
    names = params.get("branches")
    if not isinstance(names, list):
        return ()
    return tuple(dict.fromkeys(f"branch:{name}" for name in names if isinstance(name, str)))


def says(params: Params) -> str:
    return f"Goes on by {', '.join(dict.fromkeys(params.branches))} at once"


node = NodeType(
    name="logic.parallel",
    title="Parallel",
    summary="Goes on by several named branches at once.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    ports=(),
    ports_of=ports_of,
    output=Output,
    lazy=frozenset({"branches"}),
    forks=True,
    says=says,
    docs=DOCS,
)
