"""Whatever a document says, validation answers, always the same, and as a naive reference does."""

import random
from typing import Any

import jsonschema
import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.flows.document import Document, NodeSpec, encode, parse
from app.flows.order import in_order
from app.flows.schema import flow_schema
from app.flows.validate import errors_of, problems_of
from tests.flows.validate.kinds import KINDS

NAMES = ["go", "a", "b", "c", "d", "e", "none", "a/b", ""]
TYPES = sorted({name for name, _ in KINDS})
SCHEMA = jsonschema.Draft202012Validator(flow_schema(KINDS))
SOURCES = [
    "=steps.a.name", "=steps.b.count + 1", "=has(steps.c) ? steps.c.name : ''", "=item", "=error.message",
    "=vars.x", "=input.x.y", "=1 +", "=", "==", "${steps.d.name}", "${", "=steps", "=result", "=[1].map(item, item)",
    "=true", "=steps.e.last.a.name", "=steps['a/b'].x", "$${x}",
]  # fmt: skip

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3) | st.sampled_from(SOURCES),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["until", "x", "password", "connection"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
params = st.dictionaries(
    st.sampled_from(["text", "count", "boxes", "until", "max", "items", "collect", "cases", "ports", "mode", "variables", "odd"]),
    values,
    max_size=3,
)  # fmt: skip
words = st.sampled_from(["1s", "0s", "soon", "", "5m"])


@st.composite
def specs(draw: st.DrawFn) -> NodeSpec:
    fields: dict[str, Any] = {
        "type": draw(st.sampled_from([*TYPES, "t.gone"])),
        "with": draw(params),
    }
    for name, choices in {
        "v": st.integers(0, 4),
        "within": st.sampled_from(NAMES),
        "compensate": st.sampled_from(NAMES),
        "idempotency": st.sampled_from(["key", "probe", "none", "?"]),
        "on_failure": st.sampled_from(["halt", "compensate", "?"]),
        "retry": st.fixed_dictionaries(
            {
                "max": st.integers(0, 5),
                "delay": words,
                "on": st.lists(st.sampled_from(["timeout", "?"])),
            }
        ),
        "timeout": st.fixed_dictionaries({"attempt": words, "total": words}),
    }.items():
        if draw(st.integers(0, 5)) == 0:
            fields[name] = draw(choices)
    return msgspec.convert(fields, NodeSpec)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    names = draw(st.lists(st.sampled_from(NAMES[:6] * 3 + NAMES), max_size=7, unique=True))
    nodes = {name: draw(specs()) for name in names}
    if draw(st.booleans()):
        nodes["go"] = NodeSpec(type="t.paid")
    ends = st.sampled_from([*nodes, "gone"])
    ports = st.sampled_from(
        ["out", "error", "each", "done", "true", "false", "a", "b", "case:x", "default", ""]
    )
    edges = draw(st.lists(st.tuples(ends, ports, ends), max_size=10))
    return Document(
        flow=draw(st.sampled_from(["test", "Test", ""])),
        nodes=nodes,
        edges=tuple((f"{start}.{port}", f"{end}.in") for start, port, end in edges),
        inputs=draw(st.sampled_from([{}, {"type": "object"}, {"type": 5}, {"properties": {"x": {"type": "string"}}}])),
    )  # fmt: skip


@given(document=documents(), seed=st.integers())
def test_every_document_gets_the_same_answer_however_it_is_written(
    document: Document, seed: int
) -> None:
    found = problems_of(document)
    shuffle = random.Random(seed)
    names, edges = list(document.nodes), list(document.edges)
    shuffle.shuffle(names)
    shuffle.shuffle(edges)
    other = replace(
        document, nodes={name: document.nodes[name] for name in names}, edges=tuple(edges)
    )
    assert problems_of(other) == found
    assert problems_of(parse(encode(document))) == found
    for problem in found:
        assert problem.message
        assert problem.field


@given(document=documents())
def test_what_may_be_published_is_as_the_published_schema_says(document: Document) -> None:
    if not errors_of(document):
        SCHEMA.validate(msgspec.json.decode(encode(document)))


@given(document=documents())
def test_what_nothing_leads_to_is_found_as_by_looking_again_and_again(document: Document) -> None:
    triggers = {
        name
        for name, spec in document.nodes.items()
        if (kind := KINDS.get((spec.type, spec.v))) is not None and kind.trigger
    }
    if len(triggers) != 1:
        return
    reached = set(triggers)
    for _ in document.nodes:
        for start, end in document.edges:
            if start.partition(".")[0] in reached and end.partition(".")[0] in document.nodes:
                reached.add(end.partition(".")[0])
    named = {spec.compensate for name, spec in document.nodes.items() if spec.compensate != name}
    expected = set(document.nodes) - reached - (named - {"none"})
    told = {
        one.node for one in problems_of(document) if "nothing leads to it; connect" in one.message
    }
    assert told == expected


@given(document=documents())
def test_every_node_is_come_to_after_those_that_lead_to_it(document: Document) -> None:
    order = in_order(document)
    assert sorted(order) == sorted(document.nodes)
    if document.graph.cycle:
        return
    for edge in document.graph.edges:
        assert order.index(edge.source) < order.index(edge.target)
