"""trigger.manual: a person, or a program with a key, starts it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from app.flows.node import Done, Effect, NodeType, Step, Subject


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
    about: Annotated[
        Literal["order", "service", "payment", "nothing"] | None,
        msgspec.Meta(
            title="About",
            description="What it must be started about; left open, it may be anything.",
            examples=["service"],
        ),
    ] = None


def gives_of(params: Mapping[str, Any]) -> Subject | None:
    """Return what runs are about; None where that is left open, or is no subject."""
    about = params.get("about")
    return Subject(about) if isinstance(about, str) and about in frozenset(Subject) else None


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
    gives_of=gives_of,
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

`about` says what it is started about: an `order`, a `service`, a `payment` or `nothing`. A start
about anything else is refused, and checking the flow finds the steps that need something else. Left
open, it may be started about any of them, and a step that needs one fails when the run has none.
""",
)
