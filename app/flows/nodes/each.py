"""logic.each: run the body for every item of a list, several at once if asked."""

from typing import Annotated, Any, Literal

import msgspec

from app.flows.node import Done, Effect, NodeType, Step


class Params(msgspec.Struct, frozen=True):
    """`collect` is evaluated at the end of each item's body; what it gives is the output."""

    items: Annotated[
        list[Any],
        msgspec.Meta(
            max_length=100_000,
            title="Items",
            description="The list to go through; `item` and `index` (from 0) are seen inside.",
            examples=[["=input.hosts"]],
        ),
    ]
    concurrency: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=100,
            title="At once",
            description="How many items are worked on at the same time.",
            examples=[1],
        ),
    ] = 1
    collect: Annotated[
        Annotated[str, msgspec.Meta(pattern="^=[^=]")] | None,
        msgspec.Meta(
            title="Collect",
            description="What each item gives, seen from the end of its body.",
            examples=["=steps.create.id"],
        ),
    ] = None
    on_error: Annotated[
        Literal["fail", "continue"],
        msgspec.Meta(
            title="When an item fails",
            description="`fail` treats it as a failure of the run; `continue` notes it and goes "
            "on with the next item.",
            examples=["continue"],
        ),
    ] = "fail"


class Failure(msgspec.Struct, frozen=True):
    index: int
    error: str


class Output(msgspec.Struct, frozen=True):
    """`items` has what was collected, in the order of the list; `errors` at most 100."""

    count: int
    failed: int
    items: list[Any]
    errors: list[Failure]


def do(step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    """Stand in for the engine, which drives containers itself (`flows/containers.py`)."""
    return Done(Output(len(params.items), 0, [], []), "each")


node = NodeType(
    name="logic.each",
    title="For each",
    summary="Runs its body for every item of a list, several at once if asked.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    ports=("each", "done"),
    output=Output,
    container=True,
    lazy=frozenset({"collect"}),
    says=lambda params: f"Goes through {len(params.items)} items, {params.concurrency} at once",
    docs="""
The steps inside are run once for each item; `item` is the item and `index` its place, from 0.
`concurrency` items are worked on at the same time. What `collect` gives at the end of each body
comes out as `steps.NAME.items`, in the order of the list. A list that is empty leads on at once.

```json
{"items": "=input.hosts", "concurrency": 4, "collect": "=steps.add.name", "on_error": "continue"}
```

A run that stopped in the middle goes on at the items that were not finished: those that were are
not done again.
""",
)
