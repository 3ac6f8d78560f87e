"""The relay: at least once, each row for itself, and nothing is lost when a worker dies."""

import asyncio
from typing import Any

import pytest

from app.core.clock import SetClock
from app.core.database import Tx
from app.core.outbox import Parcel, emit
from app.jobs import relay_outbox
from tests.jobs.desk import Desk


class Ear:
    """A consumer that keeps what it is given, raises what it is told, or waits."""

    def __init__(self) -> None:
        self.heard: list[Parcel] = []
        self.error: Exception | None = None
        self.called = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, parcel: Parcel) -> None:
        self.called.set()
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        self.heard.append(parcel)

    @property
    def keys(self) -> list[str]:
        return [parcel.key for parcel in self.heard]


async def put(desk: Desk, *keys: str, topic: str = "t") -> None:
    async with desk.database.transaction() as tx:
        for key in keys:
            await emit(tx, topic, key, {"said": key})


async def open_rows(desk: Desk) -> dict[str, str | None]:
    rows = await desk.rows("SELECT key, error FROM outbox WHERE done_at IS NULL ORDER BY id")
    return {row["key"]: row["error"] for row in rows}


async def test_a_row_is_handed_over_and_done(bare: Desk) -> None:
    ear = Ear()
    relay = bare.relay({"t": ear})
    await put(bare, "a", "b")
    assert await relay.sweep() == 2
    await relay.idle()
    assert sorted(ear.keys) == ["a", "b"]
    assert ear.heard[0].payload == {"said": ear.heard[0].key}
    assert await open_rows(bare) == {}
    assert await relay.sweep() == 0


async def test_a_consumer_that_raises_keeps_the_row_due_and_later_succeeds(bare: Desk) -> None:
    ear = Ear()
    ear.error = ValueError("the printer is on fire")
    relay = bare.relay({"t": ear})
    await put(bare, "a")
    for wait_s in (1, 2, 4):
        assert await relay.sweep() == 1
        await relay.idle()
        assert await open_rows(bare) == {"a": "ValueError: the printer is on fire"}
        assert await relay.sweep() == 0
        bare.clock.advance(seconds=wait_s - 0.1)
        assert await relay.sweep() == 0
        bare.clock.advance(seconds=0.1)
    ear.error = None
    await relay.sweep()
    await relay.idle()
    assert [parcel.attempts for parcel in ear.heard] == [4]
    assert await open_rows(bare) == {}
    assert await bare.value("SELECT error FROM outbox WHERE key = 'a'") is None


async def test_one_that_fails_keeps_no_other_back(bare: Desk) -> None:
    bad, good = Ear(), Ear()
    bad.error = ValueError("no")
    relay = bare.relay({"bad": bad, "good": good})
    await put(bare, "a", topic="bad")
    await put(bare, "b", topic="good")
    await relay.sweep()
    await relay.idle()
    assert good.keys == ["b"]
    assert await open_rows(bare) == {"a": "ValueError: no"}


async def test_one_that_hangs_delays_no_other(bare: Desk) -> None:
    hanging, quick = Ear(), Ear()
    hanging.go_on.clear()
    relay = bare.relay({"hanging": hanging, "quick": quick})
    await put(bare, "a", topic="hanging")
    await put(bare, "b", topic="quick")
    assert await relay.sweep() == 2
    await hanging.called.wait()
    await put(bare, "c", topic="quick")
    assert await relay.sweep() == 1
    async with asyncio.timeout(20):
        # A row that is done is all that the relay says of it: there is no event to wait for.
        while list(await open_rows(bare)) != ["a"]:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert quick.keys == ["b", "c"]
    assert hanging.heard == []
    hanging.go_on.set()
    await relay.idle()
    assert await open_rows(bare) == {}


async def test_no_more_at_once_than_there_are_slots(
    bare: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_outbox, "SLOTS", 2)
    ear = Ear()
    ear.go_on.clear()
    relay = bare.relay({"t": ear})
    await put(bare, "a", "b", "c")
    assert await relay.sweep() == 2
    assert await relay.sweep() == 0
    ear.go_on.set()
    await relay.idle()
    assert await relay.sweep() == 1
    await relay.idle()
    assert sorted(ear.keys) == ["a", "b", "c"]


async def test_an_unknown_topic_stays_due_until_someone_takes_it(bare: Desk) -> None:
    ear = Ear()
    await put(bare, "a", topic="of.a.newer.version")
    old = bare.relay({"t": ear})
    await old.sweep()
    await old.idle()
    assert await open_rows(bare) == {"a": "KeyError: 'of.a.newer.version'"}
    bare.clock.advance(seconds=1)
    new = bare.relay({"of.a.newer.version": ear})
    await new.sweep()
    await new.idle()
    assert ear.keys == ["a"]
    assert await open_rows(bare) == {}


async def test_two_relays_hand_each_row_over_once(bare: Desk) -> None:
    ear = Ear()
    relays = [bare.relay({"t": ear}) for _ in range(3)]
    await put(bare, *(f"k{number}" for number in range(30)))
    claimed = await asyncio.gather(*(relay.sweep() for relay in relays))
    await asyncio.gather(*(relay.idle() for relay in relays))
    assert sum(claimed) == 30
    assert sorted(ear.keys) == sorted(f"k{number}" for number in range(30))


async def test_what_a_dead_relay_had_is_due_again(bare: Desk) -> None:
    ear = Ear()
    ear.go_on.clear()
    await put(bare, "a")
    dying = asyncio.create_task(bare.relay({"t": ear}).run())
    async with asyncio.timeout(20):
        await ear.called.wait()
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    ear.go_on.set()
    assert ear.heard == []
    other = bare.relay({"t": ear})
    assert await other.sweep() == 0
    bare.clock.advance(seconds=31)
    assert await other.sweep() == 1
    await other.idle()
    assert [(parcel.key, parcel.attempts) for parcel in ear.heard] == [("a", 2)]


async def test_the_doorbell_is_answered_at_once(
    bare: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With sweeps an hour apart, only the doorbell can bring the second row in time."""
    monkeypatch.setattr(relay_outbox, "SWEEP_S", 3_600.0)
    ear = Ear()
    await bare.live.start()
    bare.database.after_commit = bare.live.publish
    relay = bare.relay({"t": ear})
    running = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(20):
            for key in ("a", "b"):
                ear.called.clear()
                await put(bare, key)
                await ear.called.wait()
                await relay.idle()
                assert await open_rows(bare) == {}
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bare.live.stop()
    assert ear.keys == ["a", "b"]


async def test_a_database_that_is_away_does_not_end_the_relay(
    bare: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_outbox, "SWEEP_S", 0.0)
    ear = Ear()
    failures = 0
    claim = relay_outbox.claim_due

    async def claim_badly(tx: Tx, limit: int) -> list[Parcel]:
        nonlocal failures
        if failures < 2:
            failures += 1
            raise ConnectionResetError("the database went away")
        monkeypatch.setattr(relay_outbox, "SWEEP_S", 3_600.0)
        return await claim(tx, limit)

    monkeypatch.setattr(relay_outbox, "claim_due", claim_badly)
    await put(bare, "a")
    relay = bare.relay({"t": ear})
    running = asyncio.create_task(relay.run())
    async with asyncio.timeout(20):
        await ear.called.wait()
        await relay.idle()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (failures, ear.keys) == (2, ["a"])
    assert await open_rows(bare) == {}


async def test_staff_are_told_once_of_what_fails_again_and_again(
    bare: Desk, clock: SetClock
) -> None:
    """A paid order whose flow cannot start: nobody would know."""

    async def refuse(_: Parcel) -> None:
        raise RuntimeError("no flow is bound \x00")

    async with bare.database.transaction() as tx:
        await emit(tx, "order.paid", "order.paid:1", {})
    relay = bare.relay({"order.paid": refuse})
    told: list[Any] = []
    for attempt in range(1, 9):
        assert await relay.sweep() == 1
        await relay.idle()
        told = await bare.rows("SELECT payload FROM outbox WHERE topic = 'admin.notice'")
        assert len(told) == (attempt >= 6)
        await bare.rows("UPDATE outbox SET due_at = 'infinity' WHERE topic = 'admin.notice'")
        clock.advance(minutes=6)
    assert "no flow is bound" in told[0]["payload"]


async def test_a_consumer_that_hangs_gives_its_slot_back(
    bare: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_outbox, "LONGEST_S", 0.05)

    async def hang(_: Parcel) -> None:
        await asyncio.Event().wait()

    async with bare.database.transaction() as tx:
        await emit(tx, "order.paid", "order.paid:1", {})
    relay = bare.relay({"order.paid": hang})
    await relay.sweep()
    async with asyncio.timeout(30):
        await relay.idle()
    assert "TimeoutError" in await bare.value("SELECT error FROM outbox")
