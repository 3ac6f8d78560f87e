"""logic.approval: a person decides whether the run goes on."""

from typing import Annotated, Any, Literal

import msgspec

from app.flows.node import Done, Effect, NodeType, Step, Wait
from app.flows.patience import Duration, gives_up_at, sleep

WAITING = "waiting for approval"


class Params(msgspec.Struct, frozen=True):
    title: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=200)],
        msgspec.Meta(
            title="Title",
            description="What is asked, in a line.",
            examples=["Deliver order ${input.number}?"],
        ),
    ]
    text: Annotated[
        Annotated[str, msgspec.Meta(max_length=10_000)],
        msgspec.Meta(
            title="Text",
            description="The facts that help to decide.",
            examples=["${input.client} has ordered for the first time, from a new address."],
        ),
    ] = ""
    role: Annotated[
        Literal["operator", "designer", "finance", "owner"],
        msgspec.Meta(
            title="Who may",
            description="The role that decides; an owner always may.",
            examples=["finance"],
        ),
    ] = "operator"
    timeout: Annotated[
        Duration | None,
        msgspec.Meta(
            title="Time-out",
            description="How long at most; then the port `timeout` is taken. Without it: no end.",
            examples=["2d"],
        ),
    ] = None


class Answer(msgspec.Struct, frozen=True):
    decision: Annotated[
        Literal["approved", "rejected", "timeout"],
        msgspec.Meta(description="Also the port taken."),
    ]
    by: Annotated[str, msgspec.Meta(description="Who decided; empty at a time-out.")] = ""
    note: Annotated[str, msgspec.Meta(description="What they said about it.")] = ""


class Word(msgspec.Struct, frozen=True):
    """The signal's payload."""

    decision: Literal["approved", "rejected"]
    by: str = ""
    note: str = ""


DOCS = """\
Stops the branch until a person of the role approves or rejects, and goes on by that port; the
output tells who decided and what they said. The first word counts. With a `timeout` the port
`timeout` is taken when nobody decided until then. The run waits for it without cost, for days or
months, inside loops and branches too; other branches go on meanwhile.

```json
{
  "title": "Deliver order ${input.number}?",
  "text": "First order of this client, paid by ${input.method}.",
  "role": "finance",
  "timeout": "2d"
}
```

To the engine the decision is the signal `approval:` with the step's key, whose payload is
`{"decision": "approved", "by": "…", "note": "…"}`.
"""


def do(step: Step, params: Params) -> Done | Wait:
    words = [word for word in map(_read, step.signals) if word is not None]
    if words:
        first = words[0]
        return Done(Answer(first.decision, first.by, first.note), first.decision)
    until = gives_up_at(step, params.timeout)
    if until is not None and until <= step.now:
        return Done(Answer("timeout"), "timeout")
    return sleep(step, until=until, signal=f"approval:{step.key}", says=WAITING)


def _read(payload: Any) -> Word | None:
    """Read a decision; what is none leaves the question open rather than guess at it."""
    try:
        return msgspec.convert(payload, Word)
    except msgspec.ValidationError:
        return None


def says(params: Params) -> str:
    at_most = f", at most {params.timeout}" if params.timeout else ""
    return f"Asks the {params.role}: {params.title}{at_most}"


node = NodeType(
    name="logic.approval",
    title="Approval",
    summary="Waits until a person approves or rejects.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    ports=("approved", "rejected", "timeout"),
    output=Answer,
    says=says,
    docs=DOCS,
)
