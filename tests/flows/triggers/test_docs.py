"""The examples of the documentation are parameters that are taken."""

import re
from pathlib import Path

import msgspec
import pytest

from app.flows.inputs import schema_problems
from app.flows.node import NodeType
from app.flows.registry import node_types

PAGE = Path(__file__).parents[3] / "docs" / "triggers.md"
EXAMPLE = re.compile(r"```json\n(.*?)```", re.DOTALL)
TRIGGERS = {kind.name: kind for kind in node_types().values() if kind.trigger}
SECTIONS = {"Schedules": "schedule", "Webhooks": "webhook", "Alerts": "alert"}


def examples(text: str) -> list[bytes]:
    return [found.encode() for found in EXAMPLE.findall(text)]


@pytest.mark.parametrize(("section", "kind"), SECTIONS.items())
def test_the_page_s_examples(section: str, kind: str) -> None:
    text = PAGE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    (example,) = examples(text)
    msgspec.json.decode(example, type=TRIGGERS[f"trigger.{kind}"].params)


@pytest.mark.parametrize("kind", TRIGGERS.values(), ids=lambda kind: kind.name)
def test_a_node_s_own_examples(kind: NodeType) -> None:
    for example in examples(kind.docs):
        if kind.name == "trigger.manual":  # what it asks for is the flow's, not the node's
            assert schema_problems(msgspec.json.decode(example)) == []
        else:
            msgspec.json.decode(example, type=kind.params)


def test_the_page_names_every_trigger() -> None:
    page = PAGE.read_text().replace("`…_", "`trigger.service_")  # the last of a row are shortened
    assert [name for name in TRIGGERS if f"`{name}`" not in page] == []
