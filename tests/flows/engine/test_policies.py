"""What becomes of a failure: which kinds are tried again, the error branch, halt or undo."""

import pytest

from app.flows import interpreter
from app.flows.document import Retry, Timeout
from app.flows.dryrun.dry_run import follow
from app.flows.dryrun.given import Given
from app.flows.dryrun.recording import read_recording
from app.flows.dryrun.replay import replay
from app.flows.dryrun.result import Ended
from app.flows.node import ForStaff, StepFailed
from app.flows.steer import cancel_run, retry_halted
from tests.conftest import START
from tests.flows.conftest import LEASE_S, Workshop
from tests.flows.engine.bench import calls, flow, input_of, ledger, places, row, story, undone
from tests.flows.nodes import Killed, busy

FAILURES = {
    "transient": busy(),
    "refused": StepFailed("no"),
    "crashed": ValueError("a bug"),
}


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("on", [("transient",), ("refused", "crashed"), ()])
async def test_only_the_kinds_that_are_named_are_tried_again(
    workshop: Workshop, kind: str, on: tuple[str, ...]
) -> None:
    retry = Retry(max=2, delay="1m", jitter=False, on=on)
    run = await workshop.start(flow({"a": ("t.call", {}, {"retry": retry})}, "begin > a"))
    workshop.world.refusals["a"] = [FAILURES[kind]]
    await workshop.drive()
    workshop.clock.advance(minutes=1)
    await workshop.drive()
    assert await workshop.status(run) == ("succeeded" if kind in on else "halted")


async def test_the_error_branch_sees_what_went_wrong(workshop: Workshop) -> None:
    text = "${error.node}|${error.kind}|${error.message}"
    steps = {
        "a": ("t.call", {}, {"retry": Retry(max=2, delay="1m", jitter=False)}),
        "e": ("t.note", {"text": text}),
        "later": ("t.note", {"text": "=error.node"}),
        "n": "t.note",
    }
    run = await workshop.start(flow(steps, "begin > a > n", "a.error > e > later"))
    workshop.world.refusals["a"] = [busy(), busy()]
    for _ in range(2):
        await workshop.drive()
        workshop.clock.advance(minutes=1)
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/e:a|transient|peer: try again", "/later:a"]
    kinds = [line for line in await story(workshop, run) if line.endswith("/a")]
    assert kinds == ["started /a", "failed /a", "started /a", "failed /a"]


@pytest.mark.parametrize(("flow_says", "node_says", "status"), [
    ("halt", "compensate", "failed"), ("compensate", "halt", "halted"),
    ("compensate", None, "failed"), ("halt", None, "halted"),
])  # fmt: skip
async def test_a_node_may_say_otherwise_than_its_flow(
    workshop: Workshop, flow_says: str, node_says: str | None, status: str
) -> None:
    steps = {"a": "t.call", "f": ("t.refuse", {}, {"on_failure": node_says})}
    run = await workshop.start(flow(steps, "begin > a > f", on_failure=flow_says))
    await workshop.drive()
    assert await workshop.status(run) == status
    assert undone(workshop) == (["/:a"] if status == "failed" else [])


async def test_what_stops_for_a_person_goes_no_other_way_and_is_told_once(
    workshop: Workshop,
) -> None:
    """Neither a retry, nor the error port, nor an undoing helps; a person's click does."""
    retry = Retry(max=9, delay="1s", jitter=False, on=("transient", "refused"))
    steps = {"a": ("t.call", {}, {"retry": retry}), "e": "t.note", "n": "t.note"}
    document = flow(steps, "begin > a > n", "a.error > e", on_failure="compensate")
    stop = StepFailed(
        "it said:\nno licence", transient=True, stops=ForStaff("All fail", "script-7")
    )
    runs = [await workshop.start(document, key=key) for key in ("one", "two")]
    workshop.world.refusals["a"] = [stop, stop]
    await workshop.drive()
    assert [await workshop.status(run) for run in runs] == ["halted", "halted"]
    assert await workshop.notes() == []
    async with workshop.database.transaction() as tx:
        told = await tx.fetch("SELECT key, payload->>'title', payload->>'text' FROM outbox")
        recorded = await read_recording(tx, runs[0])
        await retry_halted(tx, runs[0])
    words = "it said:\nno licence\n\nCorrect it, then retry the step on the run's page."
    assert [tuple(row) for row in told] == [("halted:script-7", "All fail", words)]
    assert (await follow(document, Given(recorded=recorded), now=START)).ended is Ended.halted
    assert (await replay(recorded)).is_same
    await workshop.drive()
    assert await workshop.status(runs[0]) == "succeeded"
    assert len(await workshop.notes()) == 1


async def test_a_failed_step_in_our_database_has_its_input_in_the_journal(
    workshop: Workshop,
) -> None:
    run = await workshop.start(flow({"a": ("t.refuse", {"text": "no ${input.name}"})}, "begin > a"))
    await workshop.drive()
    assert await input_of(workshop, run, "a") == {"text": "no Ada"}


async def test_stop_ends_all_branches_well_and_fail_undoes(workshop: Workshop) -> None:
    steps = {"a": "t.call", "s": ("logic.stop", {"output": "=steps.a.count"}),
             "w": ("logic.wait", {"for": "1h"})}  # fmt: skip
    run = await workshop.start(flow(steps, "begin > a > s", "begin > w"))
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert (await row(workshop, run))["output"] == "1"
    assert await places(workshop, run) == {}
    assert undone(workshop) == []

    steps |= {"s": ("logic.fail", {"message": "nothing left for ${input.name}"})}
    run = await workshop.start(flow(steps, "begin > a > s", "begin > w"), key="two")
    await workshop.drive()
    assert await workshop.status(run) == "failed"
    assert (await row(workshop, run))["error"] == "nothing left for Ada"
    assert undone(workshop) == ["/:a"]
    assert await places(workshop, run) == {}


# Undoing by other nodes


async def test_a_named_node_is_done_in_place_of_the_undo(workshop: Workshop) -> None:
    steps = {
        "a": ("t.take", {}, {"compensate": "back"}),
        "keep": ("t.call", {}, {"compensate": "none"}),
        "f": "t.refuse",
        "back": ("t.note", {"text": "${steps.keep.count}"}),
    }
    run = await workshop.start(flow(steps, "begin > keep > a > f", on_failure="compensate"))
    await workshop.drive()
    assert await workshop.status(run) == "failed"
    assert undone(workshop) == [], "the one has another, the other stays"
    assert await workshop.notes() == ["/back:1"]
    assert await ledger(workshop, run) == [("a", "returned")]
    assert ("keep", 1, "succeeded") in await workshop.attempts(run)


@pytest.mark.parametrize("kind", ["t.note", "t.call", "t.value"])
async def test_a_named_node_inside_a_loop_sees_its_own_item(workshop: Workshop, kind: str) -> None:
    parameter = "value" if kind == "t.value" else "text"
    steps = {
        "each": ("logic.each", {"items": ["x", "y"]}),
        "a": ("t.call", {"text": "=item"}, {"within": "each", "compensate": "back"}),
        "b": ("t.call", {"text": "=steps.a.text + item"}, {"within": "each"}),
        "back": (kind, {parameter: "=steps.a.text + item + steps.b.text"}, {"within": "each"}),
        "f": "t.refuse",
    }
    document = flow(steps, "begin > each.each > a > b", "each.done > f", on_failure="compensate")
    run = await workshop.start(document)
    await workshop.drive()
    assert await workshop.status(run) == "failed", (await row(workshop, run))["error"]
    assert undone(workshop) == ["/each:2:b", "/each:1:b"]
    if kind == "t.note":
        assert await workshop.notes() == ["/each:1back:xxxx", "/each:2back:yyyy"]


async def test_a_named_node_that_waits_is_a_mistake_that_is_told(workshop: Workshop) -> None:
    steps = {
        "a": ("t.call", {}, {"compensate": "back"}), "f": "t.refuse",
        "back": ("t.pause", {"seconds": 5}),
    }  # fmt: skip
    run = await workshop.start(flow(steps, "begin > a > f", on_failure="compensate"))
    await workshop.drive()
    assert await workshop.status(run) == "compensating"
    assert "back undoes another step and cannot wait" in (await row(workshop, run))["error"]


async def test_a_step_that_never_finished_has_nothing_for_a_named_node(workshop: Workshop) -> None:
    fields = {"compensate": "back", "timeout": Timeout(attempt="50ms")}
    steps = {"a": ("t.hang", {}, fields), "back": "t.note"}
    run = await workshop.start(flow(steps, "begin > a"))
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"
    assert await workshop.notes() == []
    assert calls(workshop) == {"/:a": 1}


@pytest.mark.parametrize("kind", ["t.call", "t.once"])
async def test_a_failure_that_undoes_the_run_is_not_tried_again_by_who_takes_over(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The worker dies when the failure is written, before the first undo."""
    run = await workshop.start(
        flow({"a": "t.call", "b": kind}, "begin > a > b", on_failure="compensate")
    )
    workshop.world.refusals["b"] = [StepFailed("sold out")]

    async def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(interpreter, "compensate", die)
        assert await workshop.drive_and_die()
    workshop.clock.advance(seconds=LEASE_S + 1)
    await workshop.drive()
    assert await workshop.status(run) == "failed"
    assert (await row(workshop, run))["error"] == "sold out"
    assert calls(workshop) == {"/:a": 1}
    assert undone(workshop) == ["/:b", "/:a"]
