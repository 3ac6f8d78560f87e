"""Rehearsal: every fault at every step, judged; the score is the share that ends well or clean."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.flows.document import Document
from app.flows.dryrun.given import FaultKind, Given
from app.flows.dryrun.judge import Verdict
from app.flows.dryrun.rehearse import Case, Rehearsal, rehearse
from app.flows.dryrun.result import Ended
from tests.flows.dryrun.stage import flow, line

RETRY = {"retry": {"max": 3, "delay": "2s"}}


def make(type_: str = "x.make", **more: Any) -> dict[str, Any]:
    return {"type": type_, "with": {"text": "x"}, **more}


async def verdicts(document: Document, node: str, **given: Any) -> dict[str, Verdict]:
    report = await rehearse(document, Given(**given))
    return {case.fault.value: case.verdict for case in report.cases if case.node == node}


def case_of(report: Rehearsal, node: str, fault: FaultKind) -> Case:
    (found,) = [case for case in report.cases if (case.node, case.fault) == (node, fault)]
    return found


async def test_a_step_that_is_tried_again_survives_what_passes() -> None:
    assert await verdicts(line(("a", make(**RETRY))), "a") == {
        "timeout": Verdict.survived,
        "refusal": Verdict.halts,
        "transient": Verdict.survived,
        "transient_always": Verdict.halts,
        "crash_before": Verdict.survived,
        "crash_after": Verdict.survived,
    }


async def test_a_run_that_is_undone_is_clean_when_nothing_stays_taken() -> None:
    document = line(("a", make()), ("b", make()), on_failure="compensate")
    report = await rehearse(document)
    refused = case_of(report, "b", FaultKind.refusal)
    assert (refused.verdict, refused.why) == (Verdict.clean, "it fails and is undone: b, a")
    assert report.counts["bad"] == 0
    assert {case.node for case in report.cases if case.verdict is Verdict.halts} <= {"begin"}


async def test_what_stays_taken_is_bad_whether_it_is_undone_or_halts() -> None:
    for policy in ("compensate", "halt"):
        document = line(("keep", make("x.keep")), ("b", make()), on_failure=policy)
        refused = case_of(await rehearse(document), "b", FaultKind.refusal)
        assert refused.verdict is Verdict.bad
        assert [resource.kind for resource in refused.left] == ["thing"]
        assert "stays taken: thing" in refused.why


async def test_an_end_that_looks_good_and_delivers_nothing_is_bad() -> None:
    document = flow(
        {
            "take": make("x.keep"),
            "do": make(),
            "give": {"type": "x.give"},
            "tell": {"type": "x.here"},
        },
        [("begin.out", "take"), ("take.out", "do"), ("do.out", "give"), ("do.error", "tell")],
    )
    refused = case_of(await rehearse(document), "do", FaultKind.refusal)
    assert refused.verdict is Verdict.bad
    assert refused.why.startswith("it ends as if all were well, but this stays taken")


async def test_another_branch_is_a_way_to_survive_and_is_rehearsed_too() -> None:
    document = flow(
        {"do": make(), "other": make("x.once")},
        [("begin.out", "do"), ("do.error", "other")],
    )
    report = await rehearse(document)
    refused = case_of(report, "do", FaultKind.refusal)
    assert (refused.verdict, refused.why) == (
        Verdict.survived,
        "it goes on by another branch: other",
    )
    behind = [case for case in report.cases if case.node == "other"]
    assert {case.behind for case in behind} == {"timeout at do"}
    assert len(behind) == 6


async def test_what_must_not_be_done_twice_halts_with_the_facts() -> None:
    found = await verdicts(line(("once", make("x.once", **RETRY))), "once")
    for fault in ("timeout", "crash_before", "crash_after"):
        assert found[fault] is Verdict.halts
    report = await rehearse(line(("once", make("x.once", **RETRY))))
    assert "nobody knows whether it was done" in case_of(report, "once", FaultKind.crash_after).why


async def test_who_can_be_asked_is_asked_and_nothing_is_done_twice() -> None:
    found = await verdicts(line(("probed", make("x.probed", **RETRY))), "probed")
    assert found["crash_after"] is found["crash_before"] is found["timeout"] is Verdict.survived


async def test_a_wait_for_a_person_needs_a_time_out() -> None:
    ask = {"type": "logic.approval", "with": {"title": "Sure?"}}
    report = await rehearse(line(("ask", ask)))
    silent = case_of(report, "ask", FaultKind.unanswered)
    assert (silent.verdict, silent.ended) == (Verdict.bad, Ended.waiting)
    document = flow(
        {"ask": {**ask, "with": {"title": "Sure?", "timeout": "2d"}}, "late": {"type": "x.here"}},
        [("begin.out", "ask"), ("ask.timeout", "late")],
    )
    assert (
        case_of(await rehearse(document), "ask", FaultKind.unanswered).verdict is Verdict.survived
    )


async def test_a_step_that_is_tried_for_ever_is_bad() -> None:
    endless = make(retry={"max": 1_000_000, "delay": "1s", "longest": "1s"})
    report = await rehearse(line(("a", endless)))
    stubborn = case_of(report, "a", FaultKind.transient_always)
    assert (stubborn.verdict, stubborn.ended) == (Verdict.bad, Ended.too_long)


async def test_faults_come_inside_loops_in_one_round_and_in_all() -> None:
    nodes: Mapping[str, Mapping[str, Any]] = {
        "loop": {"type": "logic.each", "with": {"items": [1, 2], "on_error": "continue"}},
        "do": make(within="loop"),
    }
    document = flow(nodes, [("begin.out", "loop"), ("loop.each", "do")])
    report = await rehearse(document)
    assert case_of(report, "do", FaultKind.refusal).scope == "/loop:1"
    assert case_of(report, "do", FaultKind.refusal_always).scope == "/"
    assert {case.verdict for case in report.cases if case.node == "do"} == {Verdict.survived}


async def test_an_undoing_whose_expression_is_wrong_is_bad() -> None:
    document = flow(
        {
            "a": make(compensate="away"),
            "b": make(),
            "away": make("x.here") | {"with": {"text": "=vars.x"}},
        },
        [("begin.out", "a"), ("a.out", "b")],
        on_failure="compensate",
    )
    refused = case_of(await rehearse(document), "b", FaultKind.refusal)
    assert (refused.verdict, refused.ended) == (Verdict.bad, Ended.undo_fails)


async def test_a_flow_that_ends_badly_by_itself_has_no_score() -> None:
    report = await rehearse(line(("no", {"type": "logic.fail", "with": {"message": "no"}})))
    assert (report.score, report.baseline, report.cases) == (0, Ended.failed, ())


async def test_a_flow_without_effects_has_nothing_to_lose(installed: None) -> None:
    report = await rehearse(flow({"begin": {"type": "trigger.manual"}}, []))
    assert (report.score, report.cases, report.baseline) == (100, (), Ended.succeeded)


async def test_the_report_is_the_same_each_time_and_json() -> None:
    document = line(("a", make(retry={"max": 4, "jitter": True})), ("b", make("x.once")))
    first, second = await rehearse(document), await rehearse(document)
    assert first == second
    assert msgspec.json.decode(msgspec.json.encode(first), type=Rehearsal) == first
    good = first.counts["survived"] + first.counts["clean"]
    assert first.score == good * 100 // len(first.cases)


async def test_what_there_is_no_time_for_is_said() -> None:
    report = await rehearse(line(("a", make())), longest_s=0)
    assert (report.is_cut, report.cases) == (True, ())
