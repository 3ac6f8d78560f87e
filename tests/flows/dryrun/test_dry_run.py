"""A dry run: path, outputs, effects, problems; what is pure is done, nothing else is."""

from datetime import UTC, datetime

import msgspec
import pytest

from app.core.errors import NotFound
from app.flows.document import Document, NodeSpec
from app.flows.dryrun.dry_run import dry_run
from app.flows.dryrun.given import Given
from app.flows.dryrun.result import Ended
from app.flows.node import Resource
from app.flows.predict import History
from app.flows.sampling import sample_scope
from tests.conftest import START
from tests.flows.dryrun.stage import dry, flow, line, path, template

MAKE = {"type": "x.make", "with": {"text": "vm of ${input.name}"}}


async def test_what_is_pure_is_done_and_what_has_an_effect_is_answered() -> None:
    document = line(
        ("make", MAKE),
        ("map", {"type": "data.map", "with": {"fields": {"twice": "=steps.make.id * 2"}}}),
    )
    run = await dry(document, input={"name": "Ada"}, pins={"make": {"id": 21, "status": "up"}})
    assert run.ended is Ended.succeeded
    assert path(run) == [("/", "begin", "out"), ("/", "make", "out"), ("/", "map", "out")]
    assert [step.origin for step in run.path] == ["unknown", "pinned", "done"]
    assert run.path[2].output == {"twice": 42}
    assert run.problems == ()


async def test_where_branches_of_a_draft_meet_without_a_join_a_wait_is_one_for_both() -> None:
    """It could not be published; who tries it sees what its runs would do."""
    note = {"type": "data.set", "with": {"variables": {"n": 1}}}
    document = flow(
        {"a": note, "b": note, "c": {"type": "logic.wait", "with": {"for": "1h"}}},
        [("begin.out", "a"), ("begin.out", "b"), ("a.out", "c"), ("b.out", "c")],
    )
    run = await dry(document)
    assert run.ended is Ended.succeeded
    assert [node for _, node, _ in path(run)].count("c") == 1


async def test_what_nothing_is_known_of_is_made_to_fit_the_same_each_time() -> None:
    document = line(("make", MAKE))
    first, second = (
        await dry(document, input={"name": "A"}),
        await dry(document, input={"name": "A"}),
    )
    assert first == second
    made = first.path[1]
    assert made.origin == "made"
    assert isinstance(made.output["id"], int)
    assert (await dry(document, input={"name": "A"}, seed="other")).path[1].output != made.output


async def test_the_effects_are_listed_in_words_with_what_they_take_and_deliver() -> None:
    document = line(
        ("make", MAKE), ("other", MAKE), ("back", {"type": "x.back"}), ("give", {"type": "x.give"})
    )
    run = await dry(document, input={"name": "Ada"})
    assert [line.says for line in run.effects] == ["Begin", "Makes vm of Ada", "Makes vm of Ada",
                                                   "Back", "Give"]  # fmt: skip
    assert run.effects[1].takes == (Resource("thing", "/make"),)
    assert run.effects[3].returns == (Resource("thing", "/other"),)
    assert run.effects[4].delivers
    assert run.held == ()
    assert [line.where for line in run.effects[:2]] == ["database", "outside"]


async def test_what_is_undone_is_listed_newest_first() -> None:
    document = line(
        ("a", MAKE),
        ("b", MAKE),
        ("no", {"type": "logic.fail", "with": {"message": "no"}}),
        on_failure="compensate",
    )
    run = await dry(document, input={"name": "Ada"})
    assert (run.ended, run.error) == (Ended.failed, "no")
    undone = [line for line in run.effects if line.is_undo]
    assert [(line.node, line.says) for line in undone] == [
        ("b", "Undoes: x.make"),
        ("a", "Undoes: x.make"),
    ]
    assert undone[0].returns == (Resource("thing", "/b"),)
    assert run.held == ()


async def test_the_node_that_undoes_another_is_said_and_its_expressions_are_tried() -> None:
    nodes = {
        "a": {**MAKE, "compensate": "away"},
        "no": {"type": "logic.fail", "with": {"message": "no"}},
        "away": {"type": "x.once", "with": {"text": "away with ${steps.a.id}"}},
    }
    document = flow(nodes, [("begin.out", "a"), ("a.out", "no")])
    run = await dry(document, input={"name": "A"}, pins={"a": {"id": 7, "status": ""}})
    assert run.effects[-1].says == "In place of its undo: Makes away with 7"
    nodes["away"]["with"] = {"text": "=steps.a.nothing"}
    run = await dry(
        flow(nodes, [("begin.out", "a"), ("a.out", "no")]),
        input={"name": "A"}, pins={"a": {"id": 7}},
    )  # fmt: skip
    assert run.ended is Ended.undo_fails
    assert run.problems[-1].message.startswith("undoing it fails: ")


async def test_time_passes_at_once_and_people_approve() -> None:
    document = flow(
        {
            "wait": {"type": "logic.wait", "with": {"for": "90d"}},
            "ask": {"type": "logic.approval", "with": {"title": "Sure?", "timeout": "2d"}},
            "yes": {"type": "x.here"},
            "late": {"type": "x.here"},
            "no": {"type": "x.here"},
        },
        [("begin.out", "wait"), ("wait.out", "ask"), ("ask.approved", "yes"),
         ("ask.timeout", "late"), ("ask.rejected", "no")],
    )  # fmt: skip
    run = await dry(document)
    assert path(run)[-2:] == [("/", "ask", "approved"), ("/", "yes", "out")]
    assert run.took_s == run.path[-1].at_s == 90 * 86_400
    rejected = await dry(document, choose={"ask": "rejected"})
    assert path(rejected)[-1] == ("/", "no", "out")
    late = await dry(document, choose={"ask": "timeout"})
    assert path(late)[-1] == ("/", "late", "out")
    assert late.took_s == 92 * 86_400


async def test_a_wait_that_nothing_ends_is_where_it_ends() -> None:
    document = line(("ask", {"type": "logic.approval", "with": {"title": "Sure?"}}))
    run = await dry(document, choose={"ask": "timeout"})
    assert run.ended is Ended.waiting
    assert run.path[-1].status == "waiting"


async def test_a_failure_is_chosen_and_its_branch_sees_it() -> None:
    document = flow(
        {"make": MAKE, "tell": {"type": "x.once", "with": {"text": "=error.message"}}},
        [("begin.out", "make"), ("make.error", "tell")],
    )
    run = await dry(document, input={"name": "A"}, choose={"make": "error"})
    assert path(run) == [("/", "begin", "out"), ("/", "make", "refused"), ("/", "tell", "out")]
    assert run.effects[-1].says == "Makes it was to fail here"


async def test_loops_go_through_their_items_and_collect() -> None:
    document = flow(
        {
            "loop": {"type": "logic.each", "with": {"items": "=input.hosts", "collect": "=item",
                                                    "concurrency": 2}},
            "make": {"type": "x.make", "within": "loop", "with": {"text": "=item"}},
            "last": {"type": "x.here", "with": {"text": "${string(size(steps.loop.items))}"}},
        },
        [("begin.out", "loop"), ("loop.each", "make"), ("loop.done", "last")],
    )  # fmt: skip
    run = await dry(document, input={"hosts": ["a", "b", "c"]})
    assert run.ended is Ended.succeeded
    assert [line.says for line in run.effects if line.node == "make"] == [
        "Makes a",
        "Makes b",
        "Makes c",
    ]
    (loop,) = [step for step in run.path if step.node == "loop"]
    assert loop.output["items"] == ["a", "b", "c"]


async def test_an_expression_that_is_wrong_is_shown_with_its_place() -> None:
    document = line(("make", {"type": "x.make", "with": {"text": "=input.nowhere"}}))
    run = await dry(document, input={})
    assert run.ended is Ended.halted
    wrong = [one for one in run.problems if one.source]
    assert [(one.node, one.source, one.line, one.column) for one in wrong] == [
        ("make", "input.nowhere", 1, 7)
    ]


async def test_an_unknown_type_is_a_problem_and_a_halt() -> None:
    run = await dry(line(("odd", {"type": "vendor.gone"})))
    assert run.ended is Ended.halted
    assert any(one.node == "odd" and "vendor.gone" in one.message for one in run.problems)


async def test_a_flow_that_cannot_be_run_at_all_says_why() -> None:
    bad = line(("wait", {"type": "x.here", "timeout": {"attempt": "soon"}}))
    assert (await dry(bad)).ended is Ended.invalid
    without = flow({"begin": {"type": "x.here"}}, [])
    run = await dry(without)
    assert (run.ended, run.path) == (Ended.invalid, ())
    assert "no trigger" in run.error


async def test_input_that_the_flow_does_not_take_is_a_problem() -> None:
    inputs = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
    document = line(
        ("make", {"type": "x.make", "with": {"text": "${string(input.size)}"}}), inputs=inputs
    )
    assert (await dry(document)).problems == ()
    run = await dry(document, input={"size": "big"})
    assert [one.field for one in run.problems if one.field == "inputs"] == ["inputs"]


async def test_it_stops_after_the_node_that_it_is_to_run_until() -> None:
    document = line(("a", MAKE), ("b", MAKE), ("c", MAKE))
    run = await dry(document, input={"name": "A"}, until="b")
    assert run.ended is Ended.until
    assert [node for _, node, _ in path(run)] == ["begin", "a", "b"]
    with pytest.raises(NotFound):
        await dry(document, until="nowhere")


async def test_until_a_node_is_until_it_has_been_tried_for_the_last_time() -> None:
    document = line(("a", {**MAKE, "retry": {"max": 2}}), ("b", MAKE))
    run = await dry(document, input={"name": "A"}, until="a", choose={"a": "error"})
    assert [step.attempt for step in run.path if step.node == "a"] == [1]
    assert run.ended is Ended.halted


async def test_one_node_is_done_alone_on_sample_data() -> None:
    document = flow(
        {
            "loop": {"type": "logic.each", "with": {"items": ["x", "y"]}},
            "make": {"type": "x.make", "within": "loop", "with": {"text": "=item"}},
            "map": {"type": "data.map", "within": "loop",
                    "with": {"fields": {"id": "=steps.make.id", "item": "=item"}}},
            "after": {"type": "x.here", "within": "loop"},
        },
        [("begin.out", "loop"), ("loop.each", "make"), ("make.out", "map"), ("map.out", "after")],
    )  # fmt: skip
    run = await dry(document, only="map", pins={"make": {"id": 5, "status": ""}})
    assert path(run) == [("/loop:1", "map", "out")]
    assert run.path[0].output == {"id": 5, "item": "x"}
    run = await dry(document, only="make", params={"text": "by hand"})
    assert [line.says for line in run.effects] == ["Makes by hand"]


async def test_how_long_it_takes_is_told_from_what_runs_took() -> None:
    document = line(("make", MAKE))
    history = History({"make": [3.0], "begin": [1.0]}, [4.0])
    given = Given(input={"name": "A"})
    run = await dry_run(document, given, now=START, history=history)
    assert run.expected is not None
    assert run.expected.whole is not None
    assert run.expected.whole.p50_s == 4.0


async def test_it_is_json_and_hides_what_is_named_like_a_secret() -> None:
    document = line(("set", {"type": "data.set", "with": {"variables": {"password": "hunter2"}}}))
    text = msgspec.json.encode(await dry(document)).decode()
    assert "hunter2" not in text


async def test_the_shipped_delivery_shows_what_it_would_do(installed: None) -> None:
    run = await dry(template("dedicated-server"))
    assert run.ended is Ended.succeeded
    assert [line.node for line in run.effects] == [
        "paid", "server", "addresses", "port", "install", "health", "service", "mail",
    ]  # fmt: skip
    assert {one.kind for line in run.effects for one in line.takes} == {
        "server", "addresses", "port_vlan", "installation",
    }  # fmt: skip
    assert run.held == ()
    assert [one for one in run.problems if one.is_error] == []
    alone = await dry(template("dedicated-server"), only="service")
    assert path(alone) == [("/", "service", "out")]


async def test_an_event_brings_its_input_also_where_the_trigger_has_an_effect(
    installed: None,
) -> None:
    draft = Document(
        flow="test",
        nodes={
            "paid": NodeSpec(type="trigger.order_paid"),
            "note": NodeSpec(
                type="action.note", params={"text": "Order ${input.number} for ${input.hostname}"}
            ),
        },
        edges=(("paid.out", "note.in"),),
    )
    found = await dry_run(draft, now=START)
    assert found.ended is Ended.succeeded
    sample = sample_scope(draft, "note", now=datetime(2026, 3, 1, tzinfo=UTC))
    assert sample.scope["input"]["hostname"] == "web1.example.org"
