"""data.map: make an object of fields, on its own or over another one."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from app.flows.bounds import bounded_value
from app.flows.literal_schema import object_of
from app.flows.node import Done, Effect, NodeType, Step

FieldName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Params(msgspec.Struct, frozen=True):
    fields: Annotated[
        dict[FieldName, Any],
        msgspec.Meta(
            title="Fields",
            description="Names and values of the output; values may be lists and objects.",
            examples=[{"hostname": "=input.hostname", "tags": ["slipway"]}],
        ),
    ]
    base: Annotated[
        dict[str, Any],
        msgspec.Meta(
            title="Base",
            description="An object whose fields are copied first; fields of the same name win.",
            examples=["=steps.call.body"],
        ),
    ] = {}
    without: Annotated[
        tuple[FieldName, ...],
        msgspec.Meta(
            title="Without",
            description="Fields of the base that are left out.",
            examples=[["password"]],
        ),
    ] = ()


DOCS = """\
Makes the object that a later node or a peer wants, field by field. With a `base` the output is a
copy of that object, without the fields named in `without`, and with `fields` over it. Objects
inside are replaced whole, not merged. The output may be 1 MB as JSON.

```json
{
  "base": "=steps.call.body",
  "without": ["password"],
  "fields": {"name": "=input.hostname", "network": {"ipv4": "=steps.addresses.ipv4"}}
}
```
"""


def do(step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    kept = {name: value for name, value in params.base.items() if name not in params.without}
    return Done(bounded_value({**kept, **params.fields}, "the object"))


def output_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    fields, base, without = (params.get(name) for name in ("fields", "base", "without"))
    if base is None:
        base = {}
    if not isinstance(base, dict) or not isinstance(without or [], list):
        known = fields if isinstance(fields, dict) else {}
    else:
        known = {name: value for name, value in base.items() if name not in (without or [])}
        known |= fields if isinstance(fields, dict) else {}
    return object_of(known)


def says(params: Params) -> str:
    return f"Makes an object of {', '.join((*params.base, *params.fields)) or 'no fields'}"


node = NodeType(
    name="data.map",
    title="Map fields",
    summary="Makes an object of fields, on its own or over another one.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    output_of=output_of,
    says=says,
    docs=DOCS,
)
