"""The document as a whole, its trigger, and node types that are not here."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.flows import registry
from app.flows.document import Document, NodeSpec
from app.flows.nodes.manual import node as manual
from app.flows.validate import InvalidFlow, errors_of, problems_of, require_valid
from tests.flows.validate.kinds import KINDS, flow, line, only

GOOD = line(a="t.note")


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        (replace(GOOD, schema=2), "schema", "must be 1"),
        (replace(GOOD, flow="Not a slug"), "flow", "small letters"),
        (replace(GOOD, on_failure="pray"), "on_failure", "halt or compensate"),
        (replace(GOOD, inputs={"type": "map"}), "inputs", "JSON Schema"),
        (replace(GOOD, inputs={"$ref": "http://elsewhere/x"}), "inputs", "within them"),
        (replace(GOOD, inputs={"properties": {"a": {"pattern": "(?=x)"}}}), "inputs", "RE2"),
        (replace(GOOD, nodes={"a": NodeSpec("t.note")}, edges=()), "nodes", "this one has 0: add"),
        (flow("go > a", "go > b", a="t.note", b="t.hand"), "nodes", "this one has 2"),
        (replace(GOOD, description="x" * 1_000_001), "nodes", "bytes, at most 1,000,000"),
        (replace(GOOD, description="a\x00b"), "nodes", "NUL"),
        (replace(GOOD, description="\ud800"), "nodes", "cannot be written"),
        (replace(GOOD, inputs={"default": deep(50)}), "inputs", "40 deep"),
        (replace(GOOD, ui={"notes": deep(3_000)}), "ui", "40 deep"),
    ],
)
def test_what_is_wrong_with_the_flow_is_told(document: Document, field: str, words: str) -> None:
    told = [problem for problem in errors_of(document) if problem.node == ""]
    assert [problem.field for problem in told] == [field]
    assert words in told[0].message


def test_what_only_looks_like_a_nul_is_none() -> None:
    assert errors_of(replace(GOOD, description="\\u0000 is how JSON writes a NUL")) == []
    assert errors_of(replace(GOOD, description="\\\\\x00")) != []


def test_a_flow_has_at_most_two_thousand_nodes() -> None:
    assert errors_of(line(**{f"n{number}": "t.note" for number in range(1_999)})) == []
    crowd = line(**{f"n{number}": "t.note" for number in range(2_000)})
    assert "at most 2,000 nodes" in only(crowd).message


@pytest.mark.parametrize("name", ["a/b", "1a", "a b", "x" * 65, "none", ""])
def test_ids_are_plain(name: str) -> None:
    document = replace(GOOD, nodes={**GOOD.nodes, name: NodeSpec("t.note")})
    assert (name, "id") in {(problem.node, problem.field) for problem in errors_of(document)}


def test_a_type_that_is_not_installed_is_named() -> None:
    problem = only(line(a="acme.thing"))
    assert (problem.node, problem.field) == ("a", "type")
    assert "install the package" in problem.message
    problem = only(line(a=("t.note", {}, {"v": 7})))
    assert (problem.node, problem.field) == ("a", "v")
    assert "there is 1" in problem.message


def test_an_old_version_is_read_as_the_latest() -> None:
    problem = only(line(a=("t.full", {"name": "Ada Lovelace"}, {"v": 1})))
    assert (problem.field, problem.severity) == ("v", "warning")
    assert "read as version 2" in problem.message
    broken = errors_of(line(a=("t.full", {"nom": "Ada"}, {"v": 1})))
    assert [problem.field for problem in broken] == ["v"]


def test_nodes_need_what_the_trigger_gives() -> None:
    assert problems_of(line(a="t.order")) == []
    wrong = only(line(a="t.service"))
    assert (wrong.node, wrong.field, wrong.severity) == ("a", "type", "error")
    assert "about one service" in wrong.message
    perhaps = only(flow("go > a", a="t.order", trigger="t.hand"))
    assert perhaps.severity == "warning"


@pytest.mark.parametrize(
    ("about", "severities"),
    [
        (None, {"order": "warning", "service": "warning"}),
        ("order", {"service": "error"}),
        ("nothing", {"order": "error", "service": "error"}),
        ("server", {"order": "warning", "service": "warning", "go": "error"}),
        (["order"], {"order": "warning", "service": "warning", "go": "error"}),
    ],
    ids=["open", "order", "nothing", "unknown", "no text"],
)
def test_a_start_by_hand_may_say_what_it_is_about(
    monkeypatch: pytest.MonkeyPatch, about: Any, severities: dict[str, str]
) -> None:
    kinds = {**KINDS, (manual.name, 1): manual}
    monkeypatch.setattr(registry, "node_types", lambda: kinds)
    params = {} if about is None else {"about": about}
    steps = {"order": "t.order", "service": "t.service"}
    document = flow("go > order", "order > service", trigger=manual.name, **steps)
    document.nodes["go"] = NodeSpec(manual.name, params=params)
    found = problems_of(document)
    assert {problem.node: problem.severity for problem in found} == severities
    if about == "nothing":
        assert "By hand starts it about nothing" in found[0].message


def test_only_errors_keep_a_flow_from_being_published() -> None:
    assert [
        problem.severity
        for problem in require_valid(flow("go > w", w=("t.wait", {"timeout": "1h"})))
    ] == ["warning"]
    with pytest.raises(InvalidFlow, match=r"a\.type: no node type t\.gone") as refused:
        require_valid(flow("go > w", "go > a", w=("t.wait", {"timeout": "1h"}), a="t.gone"))
    assert "timeout" not in refused.value.message
    assert len(refused.value.problems) == 2
