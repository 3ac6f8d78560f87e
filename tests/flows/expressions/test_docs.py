"""docs/expressions.md: its examples are run, its tables are those of the code."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.flows.expressions import BadExpression, evaluate, resolve
from scripts.expression_docs import written

PAGE = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def examples(kind: str) -> list[tuple[str, str]]:
    pairs = []
    for block in blocks(kind):
        for line in block.splitlines():
            source, arrow, value = line.partition("→")
            assert arrow, line
            pairs.append((source.strip(), value.strip()))
    return pairs


SCOPE: dict[str, Any] = msgspec.json.decode(blocks("json scope")[0])


@pytest.mark.parametrize(("source", "value"), examples("cel"))
def test_expressions_give_what_the_page_says(source: str, value: str) -> None:
    assert evaluate(source, SCOPE) == msgspec.json.decode(value)


@pytest.mark.parametrize(("text", "value"), examples("text values"))
def test_parameters_become_what_the_page_says(text: str, value: str) -> None:
    assert resolve(text, SCOPE) == msgspec.json.decode(value)


@pytest.mark.parametrize(("source", "says"), examples("text errors"))
def test_errors_are_those_of_the_page(source: str, says: str) -> None:
    with pytest.raises(BadExpression) as refusal:
        evaluate(source, SCOPE)
    assert says in refusal.value.message


def test_the_page_has_examples_of_each_kind() -> None:
    assert len(examples("cel")) > 20
    assert len(examples("text values")) > 5
    assert len(examples("text errors")) > 5


def test_the_tables_are_those_of_the_code() -> None:
    assert written(PAGE) == PAGE, "run `python scripts/expression_docs.py`"
    assert "| `input` |" in PAGE
    assert "`ip.host(prefix: string, number: int) -> string`" in PAGE
