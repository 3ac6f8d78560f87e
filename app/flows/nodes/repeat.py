"""logic.repeat: run the body again until a condition holds, at most so many times."""

from typing import Annotated

import msgspec

from app.core.database import Tx
from app.flows.node import Done, Effect, NodeType, Step


class Params(msgspec.Struct, frozen=True):
    """`until` is an expression over the body's outputs, looked at after each iteration."""

    until: Annotated[str, msgspec.Meta(pattern="^=[^=]")]
    max: Annotated[int, msgspec.Meta(ge=1, le=1_000)]


async def do(tx: Tx, step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    """Enter the first iteration; `flows/containers.py` does the rest."""
    return Done(None, "each")


node = NodeType(
    name="logic.repeat",
    title="Repeat until",
    summary="Runs its body until a condition holds; leaves by `exhausted` when it never does.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    ports=("each", "done", "exhausted"),
    container=True,
    lazy=frozenset({"until"}),
)
