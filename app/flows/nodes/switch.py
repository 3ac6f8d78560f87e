"""logic.switch: go on by the first case that fits, or by `default`."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from app.flows.bounds import shown
from app.flows.expressions import BadExpression
from app.flows.node import Done, Effect, NodeType, Step, StepFailed
from app.flows.same import same

CaseName = Annotated[str, msgspec.Meta(pattern=r"^[\w][\w .+-]{0,39}$")]


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One way out: taken when the value `is` this, or `when` the expression is true."""

    name: Annotated[
        CaseName,
        msgspec.Meta(
            title="Name",
            description="Its port is `case:` and this name. Cases of one name share the port.",
            examples=["linux"],
        ),
    ]
    is_: Annotated[
        Any | msgspec.UnsetType,
        msgspec.Meta(
            title="Is",
            description="Taken when the value equals this. Text and number are never equal.",
            examples=["debian-12"],
        ),
    ] = msgspec.field(name="is", default=msgspec.UNSET)
    when: Annotated[
        Annotated[str, msgspec.Meta(pattern="^=[^=]")] | msgspec.UnsetType,
        msgspec.Meta(
            title="When",
            description="Taken when this expression is true; it is not looked at before its turn.",
            examples=["=input.ram_gb > 64"],
        ),
    ] = msgspec.UNSET

    def __post_init__(self) -> None:
        if (self.is_ is msgspec.UNSET) == (self.when is msgspec.UNSET):
            raise ValueError(f"the case {self.name} needs either `is` or `when`")


class Params(msgspec.Struct, frozen=True):
    cases: Annotated[
        Annotated[tuple[Case, ...], msgspec.Meta(min_length=1, max_length=100)],
        msgspec.Meta(
            title="Cases",
            description="Looked at from the first to the last; the first that fits is taken.",
            examples=[[{"name": "linux", "is": "debian-12"}, {"name": "large", "when": "=1 > 0"}]],
        ),
    ]
    value: Annotated[
        Any,
        msgspec.Meta(
            title="Value",
            description="What the cases' `is` are compared with.",
            examples=["debian-12", "=input.os"],
        ),
    ] = None


class Output(msgspec.Struct, frozen=True):
    case: Annotated[str | None, msgspec.Meta(description="The case taken; null for `default`.")]


DOCS = """\
Each case has a port, `case:` and its name; `default` is taken when none fits. A case fits when the
value equals its `is`, or when its expression `when` is true. Cases are looked at in order and the
first that fits wins, so an expression of a later case may rely on the earlier ones not to fit.

Equal is meant strictly: `1` and `1.0` are, `1` and `"1"` are not, nor `true` and `1`; lists and
objects are compared whole. Several cases of one name share a port.

```json
{
  "value": "=input.os",
  "cases": [
    {"name": "linux", "is": "debian-12"},
    {"name": "linux", "is": "ubuntu-24.04"},
    {"name": "licensed", "when": "=input.os.startsWith('windows')"}
  ]
}
```
"""


def do(step: Step, params: Params) -> Done:
    for case in params.cases:
        if _fits(step, case, params.value):
            return Done(Output(case.name), f"case:{case.name}")
    return Done(Output(None), "default")


def _fits(step: Step, case: Case, value: Any) -> bool:
    """`cases` is lazy: an error in a case is none as long as an earlier one fits."""
    asked: Any = case.is_ if case.when is msgspec.UNSET else case.when
    try:
        answer = step.evaluate(asked)
    except BadExpression as error:
        raise StepFailed(f"case {case.name}: {error.message}") from error
    if case.when is msgspec.UNSET:
        return same(answer, value)
    if not isinstance(answer, bool):
        raise StepFailed(f"case {case.name}: `when` must be true or false, it is {shown(answer)}")
    return answer


def ports_of(params: Mapping[str, Any]) -> tuple[str, ...]:
    cases = params.get("cases")
    names = [
        case["name"]
        for case in (cases if isinstance(cases, list) else [])
        if isinstance(case, dict) and isinstance(case.get("name"), str)
    ]
    return (*dict.fromkeys(f"case:{name}" for name in names), "default")


def says(params: Params) -> str:
    names = ", ".join(dict.fromkeys(case.name for case in params.cases))
    return f"Goes on by one of {names} or default, for {shown(params.value)}"


node = NodeType(
    name="logic.switch",
    title="Switch",
    summary="Goes on by the first case that fits a value, or by `default`.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    ports=("default",),
    ports_of=ports_of,
    output=Output,
    lazy=frozenset({"cases"}),
    says=says,
    docs=DOCS,
)
