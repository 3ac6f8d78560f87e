"""The example of docs/flow-documents.md is a flow."""

import json
import re
from pathlib import Path

import jsonschema

from app.flows.document import parse
from app.flows.schema import flow_schema
from app.flows.validate import problems_of

TEXT = Path("docs/flow-documents.md").read_text()


def test_the_documented_flow_may_be_published() -> None:
    (example,) = re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert problems_of(parse(example)) == []
    jsonschema.Draft202012Validator(flow_schema()).validate(json.loads(example))


def test_every_field_is_told() -> None:
    told = set(re.findall(r"^\| `(\w+)`", TEXT, re.MULTILINE))
    schema = flow_schema()
    fields = set(schema["properties"]) | set(schema["$defs"]["NodeSpec"]["properties"])
    in_the_example = {"schema", "flow", "name", "description", "type", "v", "with"}
    assert told == fields - in_the_example
