"""data.parse_json: read a text as JSON, and check that it is what it should be."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from app.flows.bounds import Text
from app.flows.json_schema import BadSchema, mismatch
from app.flows.node import Done, Effect, NodeType, Step, StepFailed

_POSITION = re.compile(r"\(byte (\d+)\)")


class Params(msgspec.Struct, frozen=True):
    text: Annotated[
        Text,
        msgspec.Meta(
            title="Text",
            description="The JSON text, 1,000,000 characters at most.",
            examples=['{"name": "web-1"}', "=steps.call.text"],
        ),
    ]
    schema: Annotated[
        dict[str, Any] | None,
        msgspec.Meta(
            title="JSON Schema",
            description="What the value must be (2020-12); without it anything is taken.",
            examples=[{"type": "object", "required": ["name"]}],
        ),
    ] = None


DOCS = """\
Gives the value that the text holds. A text that is no JSON fails the step with line and column.
With a `schema` the value is checked, and the error says where it is not as it should be and what is
expected there, such as `$.disks[0].size must be integer`, but not what was found, for that may be a
secret. What follows can rely on the schema then, and the editor knows the fields of the output.

Patterns in the schema are RE2's, and references must stay inside of it.

```json
{
  "text": "=steps.call.text",
  "schema": {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "ready": {"type": "boolean"}}
  }
}
```
"""


def do(step: Step, params: Params) -> Done:  # noqa: ARG001 - a node's signature
    value = _read(params.text)
    if params.schema is not None:
        try:
            wrong = mismatch(value, params.schema)
        except BadSchema as error:
            raise StepFailed(error.message) from error
        if wrong is not None:
            raise StepFailed(f"{wrong.path} {wrong.expected}")
    return Done(value)


def _read(text: str) -> Any:
    if not text.strip():
        raise StepFailed("the text is empty, which is no JSON")
    try:
        return msgspec.json.decode(text)
    except RecursionError as error:
        raise StepFailed("the JSON is nested too deeply") from error
    except msgspec.DecodeError as error:
        reason, at = str(error).removeprefix("JSON is malformed: "), ""
        if found := _POSITION.search(reason):
            before = text.encode()[: int(found[1])].decode(errors="ignore")
            reason = reason[: found.start()].strip()
            column = len(before) - before.rfind("\n")
            at = f" at line {before.count(chr(10)) + 1}, column {column}"
        raise StepFailed(f"the text is no JSON{at}: {reason}") from error


def output_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema given, which the output is checked against."""
    schema = params.get("schema")
    return schema if isinstance(schema, dict) else {}


def says(params: Params) -> str:
    checked = " and checks it" if params.schema is not None else ""
    return f"Reads {len(params.text):,} characters of JSON{checked}"


node = NodeType(
    name="data.parse_json",
    title="Parse JSON",
    summary="Reads a text as JSON and checks it against a schema.",
    params=Params,
    effect=Effect.PURE,
    do=do,
    output_of=output_of,
    says=says,
    docs=DOCS,
)
