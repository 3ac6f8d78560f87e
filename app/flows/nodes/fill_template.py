"""data.template: a text with values filled in, none of them missing."""

from typing import Annotated

import msgspec

from app.flows.bounds import MAX_TEXT_CHARS, Text, bounded_text, shown
from app.flows.expressions import BadExpression, sources_of
from app.flows.node import Done, Effect, NodeType, Step, StepFailed

MOST_SHOWN = 10


class Params(msgspec.Struct, frozen=True):
    text: Annotated[
        Text,
        msgspec.Meta(
            title="Text",
            description="The text, with values as `${input.name}`.",
            examples=["Hello ${input.name}, ${steps.install.address} is yours."],
        ),
    ]


class Output(msgspec.Struct, frozen=True):
    text: Annotated[str, msgspec.Meta(description="The filled text.")]


DOCS = """\
Fills in each `${…}`, which holds an expression, and gives `text`. Every value must be there: a name
that does not exist and a value that is null fail the step, and the error names all of them at once,
so that no letter leaves with a hole in it. What may be missing says so itself:
`${has(input.company) ? input.company : "-"}`.

```json
{"text": "#cloud-config\\nhostname: ${input.hostname}\\nssh_authorized_keys: [${input.key}]"}
```

Parameters of every other node interpolate as well; there a null value becomes nothing.
"""


def do(step: Step, params: Params) -> Done:
    """`text` is lazy, so that all that is missing can be told."""
    _require_all(step, params.text)
    text = step.evaluate(params.text)
    if not isinstance(text, str):
        raise StepFailed(f"the template must be a text, it is {shown(text)}")
    return Done(Output(bounded_text(text, "the filled text")))


def _require_all(step: Step, template: str) -> None:
    missing: list[str] = []
    chars = 0
    for source in dict.fromkeys(sources_of(template)):
        try:
            value = step.evaluate(f"={source}")
        except BadExpression as error:
            missing.append(f"{source} ({error.reason})")
            continue
        if value is None:
            missing.append(f"{source} (null)")
        chars += len(str(value)) * template.count(f"${{{source}}}")
    if missing:
        more = f" and {len(missing) - MOST_SHOWN} more" if len(missing) > MOST_SHOWN else ""
        raise StepFailed(f"it cannot be filled in: {'; '.join(missing[:MOST_SHOWN])}{more}")
    if chars > MAX_TEXT_CHARS:
        raise StepFailed(f"the filled text would have more than {MAX_TEXT_CHARS:,} characters")


def says(params: Params) -> str:
    return f"Fills in a text of {len(params.text):,} characters"


node = NodeType(
    name="data.template",
    title="Template",
    summary="Fills values into a text; a missing one is an error.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    output=Output,
    lazy=frozenset({"text"}),
    says=says,
    docs=DOCS,
)
