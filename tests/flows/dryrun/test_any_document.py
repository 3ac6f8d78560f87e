"""Whatever a document says: a dry run ends within its bounds, and so does a rehearsal."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flows.document import Document
from app.flows.dryrun.drive import MOST_STEPS, Limits
from app.flows.dryrun.dry_run import dry_run
from app.flows.dryrun.given import Given
from app.flows.dryrun.rehearse import rehearse
from app.flows.dryrun.result import Ended
from tests.conftest import START
from tests.flows.dryrun.random_flows import flows
from tests.flows.dryrun.stage import dry, flow

ENDINGS = {Ended.succeeded, Ended.failed, Ended.halted}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from(["=steps.n1", "=item", "=1/0", "=vars.x.y", "${error.message}", "="]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@st.composite
def broken(draw: Any) -> Document:
    """Return a flow some of which is anything at all."""
    document, _ = draw(flows())
    nodes = dict(document.nodes)
    for name in draw(st.sets(st.sampled_from(sorted(nodes)), max_size=3)):
        params = draw(st.dictionaries(st.sampled_from(["text", "items", "until", "for"]), VALUES))
        type_ = draw(st.sampled_from([nodes[name].type, "vendor.gone", "logic.join", "logic.each"]))
        within = draw(st.sampled_from([nodes[name].within, None, "nowhere", name]))
        nodes[name] = msgspec.structs.replace(nodes[name], params=params, type=type_, within=within)
    edges = tuple(edge for edge in document.edges if draw(st.integers(0, 9)) > 0)
    extra = draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(nodes)), st.sampled_from(sorted(nodes))), max_size=2
        )
    )
    edges += tuple((f"{start}.out", f"{end}.in") for start, end in extra)
    return msgspec.structs.replace(document, nodes=nodes, edges=edges)


@settings(max_examples=25)
@given(flows())
async def test_a_valid_flow_comes_to_an_end(drawn: tuple[Document, dict[str, int]]) -> None:
    document, _ = drawn
    run = await dry(document, input={"name": "Ada"})
    assert run.ended in ENDINGS
    assert run.steps <= MOST_STEPS
    assert [one for one in run.problems if one.is_error and one.source] == []
    assert await dry(document, input={"name": "Ada"}) == run


@settings(max_examples=40)
@given(broken(), st.data())
async def test_any_document_is_run_as_far_as_it_goes(document: Document, data: Any) -> None:
    choices = data.draw(
        st.dictionaries(
            st.sampled_from(sorted(document.nodes)), st.sampled_from(["error", "out", "x"])
        )
    )
    pins = data.draw(st.dictionaries(st.sampled_from(sorted(document.nodes)), VALUES, max_size=2))
    name = data.draw(st.sampled_from(["", *sorted(document.nodes)]))
    limits = Limits(most_steps=300, longest_s=2)
    for more in ({"until": name}, {"only": name}):
        run = await dry_run(
            document, Given(choose=choices, pins=pins, **more), now=START, limits=limits
        )
        assert run.ended in Ended
        assert run.steps <= 300
        msgspec.json.encode(run)


@settings(max_examples=4)
@given(flows())
async def test_a_rehearsal_judges_every_fault(drawn: tuple[Document, dict[str, int]]) -> None:
    document, _ = drawn
    report = await rehearse(document, Given(input={"name": "Ada"}), longest_s=2)
    assert 0 <= report.score <= 100
    assert sum(report.counts.values()) == len(report.cases)


async def test_a_run_of_too_many_steps_is_cut_and_says_so() -> None:
    document = flow(
        {
            "loop": {"type": "logic.each", "with": {"items": "=input.many"}},
            "do": {"type": "x.here", "within": "loop"},
        },
        [("begin.out", "loop"), ("loop.each", "do")],
    )
    run = await dry_run(
        document, Given(input={"many": list(range(200))}), now=START, limits=Limits(most_steps=100)
    )
    assert (run.ended, run.steps) == (Ended.too_long, 100)
