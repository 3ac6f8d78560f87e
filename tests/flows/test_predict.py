"""Predictions: from what was recorded, along a path, and never made up."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.clock import SetClock
from app.core.database import Tx
from app.core.ids import new_id
from app.flows.document import Document, NodeSpec, encode
from app.flows.history import IN_LOOPS, RUNS, find_history
from app.flows.predict import MOST_ROUNDS, History, Path, expected, makespan, predict

FLOW = Document(
    flow="x",
    nodes={
        "begin": NodeSpec(type="t.begin"),
        "fork": NodeSpec(type="t.fork"),
        "left": NodeSpec(type="t.work"),
        "right": NodeSpec(type="t.work"),
        "join": NodeSpec(type="logic.join"),
        "loop": NodeSpec(type="logic.each"),
        "one": NodeSpec(type="t.work", within="loop"),
        "two": NodeSpec(type="t.work", within="loop"),
        "end": NodeSpec(type="t.work"),
        "sorry": NodeSpec(type="t.work"),
    },
    edges=(
        ("begin.out", "fork.in"),
        ("fork.out", "left.in"),
        ("fork.out", "right.in"),
        ("left.out", "join.in"),
        ("right.out", "join.in"),
        ("join.out", "loop.in"),
        ("loop.each", "one.in"),
        ("one.out", "two.in"),
        ("loop.done", "end.in"),
        ("left.error", "sorry.in"),
    ),
)
OUT = dict.fromkeys(("begin", "fork", "left", "right", "join", "one", "two", "end"), ("out",))
WAY = Path({**OUT, "loop": ("each", "done")}, rounds={"loop": 3})
STEADY = History({"left": [5.0], "right": [7.0], "one": [1.0], "two": [2.0], "end": [4.0],
                  "loop": [60.0], "join": [0.0]})  # fmt: skip


def whole(path: Path, history: History = STEADY, **more: Any) -> float:
    found = predict(FLOW, history, path, **more).whole
    assert found is not None
    return found.p50_s


def test_branches_at_the_same_time_count_as_the_longest_and_rounds_one_after_the_other() -> None:
    found = predict(FLOW, STEADY, WAY, instant={"begin", "fork"})
    assert found.whole is not None
    assert (found.whole.p50_s, found.whole.p99_s) == (7 + 3 * (1 + 2) + 4,) * 2
    assert found.unknown == ()
    assert found.nodes["left"].p50_s == 5.0


def test_rounds_may_run_at_once() -> None:
    at_once = msgspec.structs.replace(WAY, at_once={"loop": 3})
    assert whole(at_once) == 7 + 3 + 4
    two = msgspec.structs.replace(WAY, at_once={"loop": 2})
    assert whole(two) == 7 + 6 + 4
    none = msgspec.structs.replace(WAY, rounds={"loop": 0})
    assert whole(none) == 7 + 4
    many = msgspec.structs.replace(WAY, rounds={"loop": 10_000})
    assert whole(many) == 7 + 30_000 + 4


def test_a_loop_whose_rounds_are_not_known_takes_what_it_took() -> None:
    assert whole(msgspec.structs.replace(WAY, rounds={})) == 7 + 60 + 4
    no_body = Path({"loop": ("done",), "end": ("out",)}, rounds={"loop": 3})
    assert whole(no_body) == 60 + 4


def test_only_what_is_on_the_path_counts() -> None:
    failed = Path({"begin": ("out",), "fork": ("out",), "left": ("error",), "sorry": ()})
    found = predict(FLOW, STEADY, failed, instant={"begin", "fork"})
    assert found.whole is not None
    assert found.whole.p50_s == 5.0
    assert found.unknown == ("sorry",)
    gone = Path({"left": ("out",), "gone": ("out",)})
    assert whole(gone) == 5.0


def test_a_loop_in_a_loop() -> None:
    nested = Document(
        flow="x",
        nodes={
            "outer": NodeSpec(type="logic.each"),
            "inner": NodeSpec(type="logic.each", within="outer"),
            "work": NodeSpec(type="t.work", within="inner"),
        },
        edges=(("outer.each", "inner.in"), ("inner.each", "work.in")),
    )
    path = Path(
        {"outer": ("each",), "inner": ("each",), "work": ()}, rounds={"outer": 4, "inner": 5}
    )
    found = predict(nested, History({"work": [2.0]}), path)
    assert found.whole is not None
    assert found.whole.p50_s == 4 * 5 * 2


def test_without_a_history_nothing_is_said() -> None:
    nothing = predict(FLOW, History(), WAY)
    assert (nothing.nodes, nothing.whole) == ({}, None)
    assert set(nothing.unknown) == {"begin", "fork", "left", "right", "join", "one", "two", "end"}
    assert predict(FLOW, History()).whole is None
    some = predict(FLOW, History({"left": [1.0, 2.0]}), WAY)
    assert "end" in some.unknown
    assert some.whole is not None
    assert some.whole.samples == 2


def test_without_a_path_the_whole_is_what_runs_took() -> None:
    history = History({"end": [1.0], "gone": [9.0]}, runs_s=list(range(1, 101)))
    found = predict(FLOW, history)
    assert found.whole is not None
    assert (found.whole.p50_s, found.whole.p99_s, found.whole.samples) == (50, 99, 100)
    assert set(found.nodes) == {"end"}


def test_what_is_borrowed_is_said_to_be() -> None:
    history = msgspec.structs.replace(STEADY, borrowed=frozenset({"end"}))
    found = predict(FLOW, history, WAY)
    assert found.nodes["end"].is_borrowed
    assert not found.nodes["left"].is_borrowed
    assert found.whole is not None
    assert found.whole.is_borrowed


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_percentiles_are_times_that_were_recorded(times: list[float]) -> None:
    found = expected(times)
    assert found.p50_s in times
    assert found.p99_s in times
    assert min(times) <= found.p50_s <= found.p99_s <= max(times)
    assert found.samples == len(times)


@settings(max_examples=25)
@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=8),
    st.lists(st.floats(0, 100), min_size=1, max_size=8),
    st.integers(0, 5),
)
def test_a_prediction_lies_between_the_least_and_the_most_and_is_the_same_again(
    left: list[float], end: list[float], seed: int
) -> None:
    history = History({"left": left, "right": end, "end": end})
    found = predict(FLOW, history, WAY, seed=seed)
    assert found == predict(FLOW, history, WAY, seed=seed)
    assert found.whole is not None
    low, high = max(min(left), min(end)) + min(end), max(*left, *end) + max(end)
    assert low - 1e-9 <= found.whole.p50_s <= found.whole.p99_s <= high + 1e-9


def test_one_more_step_changes_no_other() -> None:
    """Each node draws from a source of its own, so a path can be compared with a longer one."""
    times = [float(number) for number in range(100)]
    short = whole(Path({"left": ("out",)}), History({"left": times}))
    longer = whole(
        Path({"left": ("out",), "end": ("out",)}), History({"left": times, "end": [0.0]})
    )
    assert short == longer


@given(st.lists(st.floats(0, 10), min_size=1, max_size=12), st.integers(1, 14))
def test_rounds_at_once_are_done_as_by_so_many_workers(took: list[float], at_once: int) -> None:
    free = [0.0] * at_once
    for one in took:
        place = free.index(min(free))
        free[place] += one
    assert makespan(np.array([took]), at_once)[0] == pytest.approx(max(free))


def test_a_long_loop_is_drawn_in_part() -> None:
    path = Path({"loop": ("each", "done"), "one": ("out",)}, rounds={"loop": 100 * MOST_ROUNDS})
    found = predict(FLOW, History({"one": [1.0, 3.0]}), path)
    assert found.whole is not None
    assert found.whole.p50_s == pytest.approx(2 * 100 * MOST_ROUNDS, rel=0.01)
    # By the central limit theorem: 10,000 rounds of 1 or 3 s deviate by 100 s, 2.33 times that.
    assert found.whole.p99_s - found.whole.p50_s == pytest.approx(2.33 * 100, rel=0.25)


async def versions(tx: Tx, count: int) -> list[UUID]:
    flow = new_id()
    await tx.execute(
        "INSERT INTO flow (id, slug, name, created_at) VALUES ($1, 'x', 'X', $2)", flow, tx.now()
    )
    made = [new_id() for _ in range(count)]
    for number, version in enumerate(made, 1):
        await tx.execute(
            "INSERT INTO flow_version (id, flow, number, document, content_hash, published_at) "
            "VALUES ($1, $2, $3, $4, '', $5)",
            version, flow, number, encode(FLOW), tx.now(),
        )  # fmt: skip
    return made


async def ran(tx: Tx, version: UUID, took_s: float, *, status: str = "succeeded") -> UUID:
    run = new_id()
    await tx.execute(
        "INSERT INTO run (id, flow_version, status, dedup_key, created_at, started_at, finished_at) "
        "VALUES ($1, $2, $3, $4, $5, $5, $6)",
        run, version, status, str(run), tx.now(), tx.now() + timedelta(seconds=took_s),
    )  # fmt: skip
    return run


async def did(
    tx: Tx,
    run: UUID,
    node: str,
    took_s: float,
    *,
    attempt: int = 1,
    after_s: float = 0,
    **more: str,
) -> None:
    began = tx.now() + timedelta(seconds=after_s)
    await tx.execute(
        "INSERT INTO step_attempt (run, scope, node, type, attempt, status, idempotency_key, "
        "started_at, finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        run, more.get("scope", "/"), node, more.get("type", "t.work"), attempt,
        more.get("status", "succeeded"), f"{run}:{node}:{attempt}", began,
        began + timedelta(seconds=took_s),
    )  # fmt: skip


async def test_history_is_of_succeeded_runs_with_retries_and_waits(tx: Tx, clock: SetClock) -> None:
    (version,) = await versions(tx, 1)
    run = await ran(tx, version, 30)
    await did(tx, run, "left", 1, status="failed")
    await did(tx, run, "left", 2, attempt=2, after_s=8)
    await did(tx, run, "right", 5)
    await did(tx, run, "sorry", 5, status="failed")
    await did(tx, run, "one", 1, scope="/loop:1")
    await did(tx, run, "one", 3, scope="/loop:2")
    await did(tx, run, "removed", 3)
    failed = await ran(tx, version, 99, status="failed")
    await did(tx, failed, "left", 99)
    history = await find_history(tx, version, FLOW)
    assert {name: sorted(times) for name, times in history.steps_s.items()} == {
        "left": [10.0],
        "right": [5.0],
        "one": [1.0, 3.0],
    }
    assert list(history.runs_s) == [30.0]
    assert history.borrowed == frozenset()


async def test_what_a_version_has_not_done_is_borrowed_from_the_others(tx: Tx) -> None:
    old, new, other = await versions(tx, 3)
    run = await ran(tx, old, 30)
    await did(tx, run, "left", 1)
    await did(tx, run, "right", 2)
    await did(tx, run, "end", 3, type="t.other")
    await did(tx, await ran(tx, new, 10), "left", 7)
    history = await find_history(tx, new, FLOW)
    assert dict(history.steps_s) == {"left": [7.0], "right": [2.0]}
    assert history.borrowed == {"right"}
    untouched = await find_history(tx, other, FLOW)
    assert sorted(untouched.steps_s["left"]) == [1.0, 7.0]
    assert untouched.runs_s == []


async def test_history_is_bounded(tx: Tx) -> None:
    (version,) = await versions(tx, 1)
    for _ in range(RUNS + 5):
        await ran(tx, version, 1)
    long = await ran(tx, version, 1)
    await tx.execute(
        "INSERT INTO step_attempt (run, scope, node, type, attempt, status, idempotency_key, "
        "started_at, finished_at) SELECT $1, '/loop:' || n, 'one', 't.work', 1, 'succeeded', "
        "n::text, $2, $2 FROM generate_series(1, $3) n",
        long, tx.now(), IN_LOOPS + 50,
    )  # fmt: skip
    await did(tx, long, "loop", 1)
    history = await find_history(tx, version, FLOW)
    assert len(history.runs_s) == RUNS
    assert len(history.steps_s["one"]) == IN_LOOPS
    assert history.steps_s["loop"] == [1.0]
