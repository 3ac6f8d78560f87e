"""trigger.manual: a person, or a program with a key, starts it."""

from typing import Annotated

import msgspec

from app.flows.node import Done, Effect, NodeType, Step


class Params(msgspec.Struct, frozen=True):
    """How starting it is offered; what is asked for is the flow's `inputs`."""

    label: Annotated[
        str,
        msgspec.Meta(
            title="Label",
            description="What the button says that starts it.",
            max_length=60,
            examples=["Reinstall"],
        ),
    ] = "Start"
    hint: Annotated[
        str,
        msgspec.Meta(
            title="Hint",
            description="What a person should know before starting it; shown above the form.",
            max_length=2_000,
            examples=["Takes about ten minutes. The client is told when it is done."],
        ),
    ] = ""


def do(step: Step, _: Params) -> Done:
    """Give what was asked for, as it was typed."""
    return Done(dict(step.input))


node = NodeType(
    name="trigger.manual",
    title="By hand",
    summary="Starts when a person or a program asks for it, with the input that the flow names.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    output_of=lambda _: {"type": "object"},
    trigger="manual",
    says=lambda _: "Begins with what was asked for",
    docs="""Starts from a form, by the API or as a sub-flow of another flow. The fields of the form
are the flow's `inputs`, a JSON Schema:

```json
{"type": "object", "required": ["host"],
 "properties": {"host": {"type": "string", "title": "Host name"},
                "days": {"type": "integer", "minimum": 1, "default": 7}}}
```
What does not fit is refused before anything runs, with the field and what is expected there. The
output is the input: `=input.host` and `=steps.begin.host` are the same.

It may be started about an order, a service or a payment, or about nothing; a step that needs one
fails when the run has none.
""",
)
