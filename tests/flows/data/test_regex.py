"""data.regex: what Python's `re` finds, in linear time."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows import registry
from app.flows.document import NodeSpec
from app.flows.json_schema import mismatch
from app.flows.node import StepFailed
from app.flows.nodes.regex import node
from app.flows.validate import problems_of
from tests.flows.conftest import document
from tests.flows.hand import do, enter, output
from tests.flows.nodes import nodes

HOST = {"re": r"^(?P<host>[^.]+)\.(?P<domain>.+?)(?P<dot>\.)?$"}


def test_a_match_is_taken_apart() -> None:
    done = do(node, {"text": "web-1.example.com", "pattern": HOST})
    assert done.port == "out"
    assert output(done) == {
        "text": "web-1.example.com",
        "groups": ["web-1", "example.com", None],
        "named": {"host": "web-1", "domain": "example.com", "dot": None},
    }


@pytest.mark.parametrize(
    ("mode", "empty"),
    [
        ("match", None),
        ("all", {"matches": [], "count": 0}),
        ("replace", {"text": "none", "count": 0}),
    ],
)
def test_no_match_leaves_by_a_port_of_its_own(mode: str, empty) -> None:
    done = do(node, {"text": "none", "pattern": HOST, "mode": mode})
    assert (done.port, output(done)) == ("none", empty)


def test_all_matches_are_found() -> None:
    given = {"text": "eth0 ETH1 eth2", "pattern": {"re": r"eth(\d)", "ignore_case": True}}
    found = output(do(node, {**given, "mode": "all"}))
    assert [match["groups"] for match in found["matches"]] == [["0"], ["1"], ["2"]]
    assert found["count"] == 3


def test_lines_and_line_ends() -> None:
    text = "a\nb\n"
    assert do(node, {"text": text, "pattern": {"re": "^b$"}}).port == "none"
    assert do(node, {"text": text, "pattern": {"re": "^b$", "multiline": True}}).port == "out"
    assert do(node, {"text": text, "pattern": {"re": "a.b"}}).port == "none"
    assert do(node, {"text": text, "pattern": {"re": "a.b", "dot_all": True}}).port == "out"


@pytest.mark.parametrize(
    ("by", "made"),
    [
        (r"\2 at \1", "example at ada"),
        (r"\g<host>/\g<1>", "example/ada"),
        (r"<\0>", "<ada@example>"),
        (r"a\\b", r"a\b"),
        ("$1", "$1"),
    ],
)
def test_a_replacement_names_groups(by: str, made: str) -> None:
    pattern = {"re": r"(\w+)@(?P<host>\w+)"}
    done = do(node, {"text": "ada@example", "pattern": pattern, "mode": "replace", "by": by})
    assert output(done) == {"text": made, "count": 1}


@pytest.mark.parametrize(
    ("by", "said"), [(r"\2", "group 2"), (r"\g<x>", "group x"), ("\\", "lone"), (r"\n", "lone")]
)
def test_a_replacement_of_what_is_not_there_is_an_error(by: str, said: str) -> None:
    with pytest.raises(StepFailed, match=said):
        do(node, {"text": "a", "pattern": {"re": "(a)"}, "mode": "replace", "by": by})


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "(?=x)", r"\1", "[", "a)(b"])
def test_a_bad_pattern_is_refused(pattern: str) -> None:
    for flags in ({}, {"multiline": True}):
        with pytest.raises(msgspec.ValidationError, match=r"the pattern .* is wrong: "):
            enter(node, {"text": "x", "pattern": {"re": pattern, **flags}})


def test_a_bad_pattern_is_found_when_the_flow_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = nodes() | {("data.regex", 1): node}
    monkeypatch.setattr(registry, "node_types", lambda: kinds)
    spec = NodeSpec(type="data.regex", params={"text": "=input.x", "pattern": {"re": "("}})
    flow = document({"find": "t.note"}, [("begin.out", "find.in")])
    flow = msgspec.structs.replace(flow, nodes={**flow.nodes, "find": spec})
    [problem] = problems_of(flow)
    assert (problem.node, problem.field) == ("find", "with.pattern")
    assert "is wrong: missing )" in problem.message


def test_a_pattern_that_python_never_ends_with_is_nothing_here() -> None:
    text = "a" * 100_000 + "!"
    assert do(node, {"text": text, "pattern": {"re": "^(a+)+$"}}).port == "none"


def test_a_pattern_that_looks_at_the_rest_for_every_match_is_stopped() -> None:
    given = {"text": "a" * 1_000_000, "pattern": {"re": "a"}, "mode": "all"}
    with pytest.raises(StepFailed, match="more than 1,000 times in 1,000,000 characters"):
        do(node, given)


def test_what_is_found_is_bounded() -> None:
    nested = "(" * 20 + "a*" + ")" * 20
    with pytest.raises(StepFailed, match="what the pattern found has more than 1,000,000"):
        do(node, {"text": "a" * 100_000, "pattern": {"re": nested}})


def test_what_is_replaced_is_bounded() -> None:
    given = {"text": "a" * 10_000, "pattern": {"re": "a"}, "mode": "replace", "by": "b" * 10_000}
    with pytest.raises(StepFailed, match="would have more than 1,000,000 characters"):
        do(node, given)
    tail = {"text": "a" + "-" * 999_999, "pattern": {"re": "a"}, "mode": "replace", "by": "bb"}
    with pytest.raises(StepFailed, match="would have more than 1,000,000 characters"):
        do(node, tail)


patterns = st.sampled_from(["a", "(a)(b)?", "a*", "(?P<x>[ab]+)|c", "b|", "é+", "^a", "a$", r"\w"])
short = st.text("abcé 1", max_size=20)


@given(patterns, short)
def test_it_finds_what_python_finds(pattern: str, text: str) -> None:
    found = output(do(node, {"text": text, "pattern": {"re": pattern}, "mode": "all"}))
    expected = [
        {"text": one.group(), "groups": list(one.groups()), "named": one.groupdict()}
        for one in re.finditer(pattern, text, re.ASCII)
    ]
    assert found["matches"] == expected


@given(patterns, short, st.text("xa$&", max_size=4))
def test_it_replaces_as_the_matches_are(pattern: str, text: str, by: str) -> None:
    given = {"text": text, "pattern": {"re": pattern}, "mode": "replace", "by": rf"<\0{by}>"}
    made = output(do(node, given))
    pieces, end = [], 0
    for one in re.finditer(pattern, text, re.ASCII):
        pieces += [text[end : one.start()], f"<{one.group()}{by}>"]
        end = one.end()
    assert made["text"] == "".join([*pieces, text[end:]])


@given(patterns, short, st.sampled_from(["match", "all", "replace"]))
def test_the_output_is_as_the_editor_was_told(pattern: str, text: str, mode: str) -> None:
    assert node.output_of is not None
    given = {"text": text, "pattern": {"re": pattern}, "mode": mode}
    done = do(node, given)
    if done.output is not None:
        assert mismatch(output(done), node.output_of(given)) is None


@pytest.mark.parametrize("given", [{}, {"pattern": "=input.p"}, {"pattern": {"re": "("}}])
def test_what_cannot_be_known_is_left_open(given) -> None:
    assert node.output_of is not None
    assert node.output_of(given)["properties"]["named"]["properties"] == {}
    assert node.output_of({**given, "mode": "=input.mode"}) == {}
