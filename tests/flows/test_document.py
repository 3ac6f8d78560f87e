"""Documents: parsed strictly, hashed without positions, checked before they run, read in order."""

import random
from importlib.resources import files

import msgspec
import pytest

from app.flows import registry
from app.flows.document import (
    BadDocument,
    Document,
    NodeSpec,
    content_hash,
    duration,
    encode,
    parse,
)
from app.flows.expressions import BadExpression, evaluate, references, resolve
from app.flows.order import in_order
from app.flows.validate import problems_of
from tests.flows.conftest import chain, document
from tests.flows.nodes import nodes

SHIPPED = files("app.flows.templates").joinpath("dedicated-server.json").read_text()


@pytest.fixture
def test_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "node_types", nodes)


def test_the_shipped_flow_is_valid() -> None:
    assert problems_of(parse(SHIPPED)) == []


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_keys_does_not_matter(seed: int) -> None:
    raw = msgspec.json.decode(SHIPPED)
    names = list(raw["nodes"])
    random.Random(seed).shuffle(names)
    raw["nodes"] = {name: raw["nodes"][name] for name in names}
    shuffled = parse(msgspec.json.encode(raw))
    assert tuple(in_order(shuffled)) == (
        "paid", "attempts", "server", "addresses", "port", "install", "bmc", "again", "health", "aside",
        "service", "mail", "gave_up",
    )  # fmt: skip
    assert content_hash(shuffled) == content_hash(parse(SHIPPED))


def test_moving_a_node_is_no_new_version() -> None:
    """Moving a node on the canvas restarts the flow (node-red#5039)."""
    shipped = parse(SHIPPED)
    moved = msgspec.structs.replace(shipped, ui={"paid": {"x": 1, "y": 2}})
    assert content_hash(moved) == content_hash(shipped)
    assert parse(encode(moved)) == moved


@pytest.mark.parametrize(
    "raw", ["{", '{"flow": "x"}', '{"flow":"x","nodes":{},"edges":[],"colour":1}']
)
def test_what_is_no_document_is_refused(raw: str) -> None:
    with pytest.raises(BadDocument):
        parse(raw)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("2s", 2), ("5m", 300), ("1.5h", 5400), ("30d", 2_592_000)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 m", "5w"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadDocument, match="duration"):
        duration(text)


def spec(**fields) -> NodeSpec:
    return msgspec.convert({"type": "t.note", **fields}, NodeSpec)


@pytest.mark.parametrize(
    ("steps", "edges", "node", "field"),
    [
        ({"a": "t.unknown"}, [("begin.out", "a.in")], "a", "type"),
        ({"a": "t.note"}, [], "a", "edges"),
        ({"a": "t.note"}, [("begin.out", "a.in"), ("a.wrong", "a.in")], "a", "edges"),
        ({"a": "t.note"}, [("begin.out", "a.in"), ("a.out", "b.in")], "a", "edges"),
        (
            {"a": "t.note", "b": "t.note"},
            [("begin.out", "a.in"), ("a.out", "b.in"), ("b.out", "a.in")],
            "a",
            "edges",
        ),
        ({"a": ("t.note", {"params": {"txet": "x"}})}, [("begin.out", "a.in")], "a", "with.txet"),
        ({"a": ("t.note", {"params": {"text": 5}})}, [("begin.out", "a.in")], "a", "with.text"),
        (
            {"a": ("t.note", {"params": {"text": "=1 +"}})},
            [("begin.out", "a.in")],
            "a",
            "with.text",
        ),
        (
            {"a": ("t.note", {"params": {"text": "=steps.gone.x"}})},
            [("begin.out", "a.in")],
            "a",
            "with.text",
        ),
        ({"a": ("t.note", {"within": "gone"})}, [("begin.out", "a.in")], "a", "within"),
        ({"a": "logic.repeat"}, [("begin.out", "a.in")], "a", "with.until"),
    ],
)
def test_problems_name_node_and_field(
    test_nodes: None, steps, edges, node: str, field: str
) -> None:
    assert (node, field) in {(p.node, p.field) for p in problems_of(document(steps, edges))}


def test_a_flow_has_one_trigger_and_a_policy(test_nodes: None) -> None:
    bare = Document(flow="x", nodes={"a": NodeSpec(type="t.note")}, edges=())
    assert any("exactly one trigger" in p.message for p in problems_of(bare))
    odd = msgspec.structs.replace(chain(a="t.note"), on_failure="pray")
    assert [p.field for p in problems_of(odd)] == ["on_failure"]
    slow = document(
        {
            "a": (
                "t.note",
                {"timeout": msgspec.convert({"attempt": "soon"}, type(NodeSpec("x").timeout))},
            )
        },
        [("begin.out", "a.in")],
    )
    assert [p.field for p in problems_of(slow)] == ["timeout.attempt"]


SCOPE = {"input": {"name": "Ada", "n": 2, "list": [1, 2, 3]}, "steps": {"a": {"ok": True}}}


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("plain", "plain"),
        ("=input.n + 1", 3),
        ("==literal", "=literal"),
        ("Hi ${input.name}, ${input.n}", "Hi Ada, 2"),
        ("=input.list.filter(x, x > 1)", [2, 3]),
        ({"a": ["=steps.a.ok", 5]}, {"a": [True, 5]}),
        ("=has(steps.b)", False),
        ("${steps.a.ok}", "true"),
    ],
)
def test_expressions(given, value) -> None:
    assert resolve(given, SCOPE) == value


@pytest.mark.parametrize(
    "source", ["input.gone", "input.name + 1", "steps.b.x", "1 +", "unknown", "x" * 5000]
)
def test_a_wrong_expression_is_an_error_never_a_value(source: str) -> None:
    with pytest.raises(BadExpression):
        evaluate(source, SCOPE)


def test_python_is_out_of_reach() -> None:
    for source in ("input.__class__", "''.__class__", "input.name.__len__()"):
        with pytest.raises(BadExpression):
            evaluate(source, SCOPE)


def test_references_are_found_everywhere() -> None:
    given = {"a": "=steps.x.y", "b": ["to ${steps.z.q}"], "c": "== steps.no.no"}
    assert references(given) == {"x", "z"}


def test_edges_are_followed_without_looking_through_them() -> None:
    loop = document({"a": "t.note", "b": "t.note"}, [("begin.out", "a.in"), ("begin.out", "b.in")])
    assert loop.targets("begin", "out") == ("a", "b")
    assert loop.targets("begin", "error") == loop.targets("gone", "out") == ()
    assert loop.graph is loop.graph
    assert msgspec.structs.replace(loop, edges=()).targets("begin", "out") == ()


def test_however_it_is_written_it_is_the_same_version() -> None:
    short = parse(
        '{"flow":"x","nodes":{"a":{"type":"t"},"b":{"type":"t"}},"edges":[["a.out","b.in"],["b.out","a.in"]]}'
    )
    long = parse(
        '{"flow":"x","schema":1,"on_failure":"halt","description":"","edges":[["b.out","a.in"],["a.out","b.in"]],'
        '"nodes":{"b":{"type":"t","retry":{"max":1,"delay":"2s"}},"a":{"type":"t","v":1,"timeout":{"attempt":"5m"}}}}'
    )  # fmt: skip
    assert content_hash(short) == content_hash(long)
    other = parse(
        '{"flow":"x","nodes":{"a":{"type":"t"},"b":{"type":"t","v":2}},"edges":[["a.out","b.in"],["b.out","a.in"]]}'
    )
    assert content_hash(other) != content_hash(short)


def test_values_nested_without_end_are_refused() -> None:
    with pytest.raises(BadDocument, match="too deeply"):
        parse('{"flow":"x","nodes":{},"edges":[],"inputs":{"a":' + "[" * 5_000 + "]" * 5_000 + "}}")


def test_a_flow_may_be_as_long_as_it_likes() -> None:
    names = [f"n{number}" for number in range(2_000)]
    long = chain(**dict.fromkeys(names, "t.note"))
    assert in_order(long) == ["begin", *names]
