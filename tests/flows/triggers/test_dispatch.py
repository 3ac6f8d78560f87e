"""Events: each flow that listens is started once, each run that waits is woken, none for ever."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.core.errors import Conflict
from app.core.ids import new_id
from app.flows import dispatch as dispatching
from app.flows.dispatch import Event, dispatch
from app.flows.node import Subject
from app.flows.start import Link, NoFlow, chain_of
from tests.flows.triggers.board import Board

ALERT = {"name": "HostDown", "severity": "critical"}


async def happen(board: Board, **given: Any) -> tuple[UUID, ...]:
    facts = {"kind": "alert", "key": "alert:1", "data": ALERT, **given}
    async with board.database.transaction() as tx:
        return await dispatch(tx, Event(**facts))


async def signals(board: Board) -> list[tuple[str, Any]]:
    rows = await board.rows("SELECT signal_key, payload FROM run_signal ORDER BY id")
    return [(row["signal_key"], msgspec.json.decode(row["payload"])) for row in rows]


async def test_each_flow_that_listens_is_started_once(board: Board) -> None:
    for slug, given in (
        ("all", {}),
        ("critical", {"severity": ["critical"]}),
        ("disk", {"names": ["DiskFull"]}),
    ):
        await board.listen(slug, "alert", **given)
    await board.listen("payments", "payment_received")
    started = await asyncio.gather(*(happen(board) for _ in range(4)))
    assert len(set(started)) == 1
    runs = await board.runs()
    assert sorted(run["slug"] for run in runs) == ["all", "critical"]
    assert [run["input"] for run in runs] == [ALERT, ALERT]
    await happen(board, key="alert:2")
    assert len(await board.runs()) == 4


async def test_only_the_latest_version_of_an_enabled_flow_listens(board: Board) -> None:
    await board.listen("page", "alert", names=["HostDown"])
    await board.listen("page", "alert", names=["DiskFull"])
    assert await happen(board) == ()
    assert len(await happen(board, data={"name": "DiskFull"}, key="alert:2")) == 1
    await board.disable("page")
    assert await happen(board, data={"name": "DiskFull"}, key="alert:3") == ()
    assert [run["version"] for run in await board.runs()] == [2]


async def test_who_waits_for_an_event_is_told(board: Board) -> None:
    payment, order = new_id(), str(new_id())
    await happen(
        board,
        kind="payment.received",
        data={"amount_minor": 100},
        subject=payment,
        subject_kind=Subject.PAYMENT,
        names=(order, str(payment)),
    )
    keys = [f"event:payment.received:{name}" for name in sorted((str(payment), order))]
    assert await signals(board) == [(key, {"amount_minor": 100}) for key in keys]


async def test_an_event_of_a_category_without_a_flow_is_refused(board: Board) -> None:
    with pytest.raises(NoFlow):
        await happen(board, kind="order.paid", subject=new_id(), category=new_id())
    assert await signals(board) == []


async def test_a_flow_that_refuses_an_event_keeps_no_other_back(board: Board) -> None:
    picky = {"required": ["rack"]}
    flow = await board.listen("picky", "alert", picky)
    await board.listen("plain", "alert")
    for _ in range(2):
        assert len(await happen(board)) == 1
    (notice,) = await board.notices()
    assert notice["kind"] == "flow.not_started"
    assert notice["title"] == "The flow picky was not started"
    assert "$.rack is missing" in notice["text"]
    assert notice["chain"] == [[str(flow), "alert"]]
    assert [run["slug"] for run in await board.runs()] == ["plain"]


async def test_an_alert_that_an_alert_led_to_starts_nothing(board: Board) -> None:
    await board.listen("first", "alert")
    await board.listen("second", "alert")
    ordinary = (Link(new_id(), "order.paid"),)
    runs = await happen(board, chain=ordinary)
    assert len(runs) == 2
    async with board.database.transaction() as tx:
        chain = await chain_of(tx, runs[0])
    assert chain == (*ordinary, Link(board.flows["first"], "alert"))
    assert await happen(board, key="alert:2", chain=chain) == ()


ENDED = {"flow": "first", "outcome": "succeeded"}


async def test_a_flow_is_not_started_by_what_its_own_runs_led_to(board: Board) -> None:
    first = await board.listen("first", "flow_ended", flows=["first", "second"])
    second = await board.listen("second", "flow_ended", flows=["first", "second"])
    chain = (Link(first, "manual"),)
    (run,) = await happen(board, kind="flow.ended", key="1", data=ENDED, chain=chain)
    async with board.database.transaction() as tx:
        chain = await chain_of(tx, run)
    assert chain == (Link(first, "manual"), Link(second, "flow.ended"))
    assert await happen(board, kind="flow.ended", key="2", data=ENDED, chain=chain) == ()


async def test_what_follows_on_any_flow_does_not_follow_on_what_follows(board: Board) -> None:
    await board.listen("any", "flow_ended")
    await board.listen("named", "flow_ended", flows=["first"])
    by_hand, by_end = (Link(new_id(), "manual"),), (Link(new_id(), "flow.ended"),)
    assert len(await happen(board, kind="flow.ended", key="1", data=ENDED, chain=by_hand)) == 2
    assert len(await happen(board, kind="flow.ended", key="2", data=ENDED, chain=by_end)) == 1
    assert [run["slug"] for run in await board.runs()] == ["any", "named", "named"]


async def test_events_at_once_do_not_wait_for_each_other_for_ever(board: Board) -> None:
    """Each signals the same two names; in no order of their own they would lock up."""
    await asyncio.gather(
        *(
            happen(board, key=f"alert:{number}", names=("a", "b")[:: 1 if number % 2 else -1])
            for number in range(20)
        )
    )
    assert len(await signals(board)) == 40


async def test_a_flow_that_is_disabled_meanwhile_is_left_out(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = await board.listen("page", "alert")

    async def found_before(*_: Any) -> list[UUID]:
        return [flow]

    await board.disable("page")
    monkeypatch.setattr(dispatching, "_listening", found_before)
    assert await happen(board) == ()
    assert await board.notices() == []


async def test_a_start_that_may_work_in_a_moment_is_tried_again(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    await board.listen("page", "alert")

    async def over_and_over(*_: Any, **__: Any) -> UUID:
        raise Conflict("The flow is being published over and over.")

    with monkeypatch.context() as patch:
        patch.setattr(dispatching, "start_flow", over_and_over)
        with pytest.raises(Conflict):
            await happen(board)
    assert await board.notices() == []
    assert len(await happen(board)) == 1
