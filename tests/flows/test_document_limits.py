"""Documents that would go wrong at run time are refused when they are published."""

from typing import Any

import pytest

from app.flows import registry
from app.flows.document import BadDocument, Document, Retry, Timeout, duration
from app.flows.validate import errors_of
from tests.flows.conftest import chain, document
from tests.flows.nodes import nodes

LOOP = [("begin.out", "again.in"), ("again.each", "n.in")]


@pytest.fixture(autouse=True)
def _types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "node_types", nodes)


def loop(**fields: Any) -> Document:
    params = {"until": "=true", "max": 2, **fields.pop("params", {})}
    again = ("logic.repeat", {"params": params, **fields})
    return document({"again": again, "n": ("t.note", {"within": "again"})}, LOOP)


def test_a_container_that_can_run_is_taken() -> None:
    assert errors_of(loop()) == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (loop(params={"until": "false"}), "with.until"),
        (loop(params={"until": "==x"}), "with.until"),
        (loop(params={"max": 0}), "with.max"),
        (loop(params={"max": "=input.tries"}), "with.max"),
        (loop(timeout=Timeout(total="1h")), "retry"),
        (loop(retry=Retry(max=2)), "retry"),
        (
            document(
                {"again": ("logic.repeat", {"params": {"until": "=true", "max": 2}})},
                [("begin.out", "again.in")],
            ),
            "edges",
        ),
        (chain(**{"a/b:1": "t.note"}), "id"),
        (chain(a=("t.note", {"retry": Retry(max=0)})), "retry.max"),
        (chain(a=("t.note", {"retry": Retry(factor=0.5)})), "retry.factor"),
        (chain(a=("t.note", {"timeout": Timeout(attempt="99999999999999d")})), "timeout.attempt"),
        (Document(flow="x", nodes=chain(a="t.note").nodes, edges=(("begin.out", "a.in"),), schema=2),
         "schema"),
    ],
)  # fmt: skip
def test_a_document_that_would_go_wrong_is_refused(wrong: Document, field: str) -> None:
    assert [problem.field for problem in errors_of(wrong)] == [field]


def test_a_duration_is_bounded() -> None:
    with pytest.raises(BadDocument, match="ten years"):
        duration("9" * 400 + "d")
