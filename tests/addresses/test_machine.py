"""Addresses against a plain model: whatever happens in whatever order, the rows agree."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.core.clock import SetClock
from app.core.database import Database
from app.core.ids import new_id
from app.domain.addresses.assign import assign
from app.domain.addresses.claim import Claimed, PoolExhausted
from app.domain.addresses.expire import expire
from app.domain.addresses.find import addresses_of
from app.domain.addresses.release import release
from app.ipam.wants import AddressRules, wants_of
from tests.addresses.processes import Processes, install
from tests.addresses.site import ask, lay_out, prefix

T = TypeVar("T")
USABLE = {f"10.0.0.{last}" for last in range(2, 7)}
COOLDOWN_S = 100
PLAIN = AddressRules(ipv6_length=None, vlan=False)
HOLDERS = [new_id() for _ in range(2)]


@dataclass
class Taken:
    state: str
    holder: UUID | None
    item: str
    expires_at: datetime | None


class World:
    """What all examples share: a loop, a database, and indexes that pretend to be processes."""

    def __init__(self, dsn: str, processes: Processes) -> None:
        self.runner = asyncio.Runner()
        self.clock = SetClock(datetime(2026, 3, 1, 2, 0, tzinfo=UTC))
        self.database = Database(self.clock)
        self.processes = processes
        self.run(self.database.open(dsn, min_size=1, max_size=2))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def close(self) -> None:
        self.run(self.database.close())
        self.runner.close()


class AddressMachine(RuleBasedStateMachine):
    """`model` is what the rows should be; `memories` are those of two processes."""

    world: World

    @initialize()
    def lay_out(self) -> None:
        self.model: dict[str, Taken] = {}
        self.memories: list[dict[UUID, Any]] = [{}, {}]

        async def work() -> None:
            async with self.world.database.transaction() as tx:
                await tx.execute(
                    "TRUNCATE address_claim, address_reservation, prefix, outbox, reverse_name"
                )
                await lay_out(tx, prefix("10.0.0.0/29", gateway="10.0.0.1", cooldown_s=COOLDOWN_S))

        self.world.run(work())

    def of(self, holder: UUID) -> dict[str, str]:
        return {taken.item: text for text, taken in self.model.items() if taken.holder == holder}

    @rule(
        holder=st.sampled_from(HOLDERS),
        extras=st.integers(0, 3),
        hold_s=st.sampled_from([None, 30, 60]),
        process=st.integers(0, 1),
    )
    def claim(self, holder: UUID, extras: int, hold_s: int | None, process: int) -> None:
        now = self.world.clock.now()
        expires_at = None if hold_s is None else now + timedelta(seconds=hold_s)
        wants = wants_of(PLAIN, extras)

        async def work() -> Claimed | None:
            with self.world.processes.within(self.memories[process]):
                try:
                    async with self.world.database.transaction() as tx:
                        return await ask(tx, holder, wants, expires_at=expires_at)
                except PoolExhausted:
                    return None

        claimed = self.world.run(work())
        had = self.of(holder)
        missing = {want.item for want in wants} - set(had)
        free = USABLE - set(self.model)
        assert self.world.run(self.read(holder)) == claimed or claimed is None
        if claimed is None:
            assert len(missing) > len(free)
            return
        assert len(missing) <= len(free)
        got = {ip.item: str(ip.address) for ip in claimed.ip4}
        assert set(got) == set(had) | missing
        assert {item: got[item] for item in had} == had
        assert {got[item] for item in missing} <= free
        for text in had.values():
            taken = self.model[text]
            if taken.expires_at is not None:
                taken.expires_at = None if expires_at is None else max(taken.expires_at, expires_at)
        for item in missing:
            self.model[got[item]] = Taken("held", holder, item, expires_at)

    async def read(self, holder: UUID) -> Claimed:
        async with self.world.database.snapshot() as tx:
            return await addresses_of(tx, holder)

    @rule(holder=st.sampled_from(HOLDERS))
    def assign(self, holder: UUID) -> None:
        async def work() -> int:
            async with self.world.database.transaction() as tx:
                return await assign(tx, holder)

        held = [taken for taken in self.model.values() if taken.holder == holder]
        held = [taken for taken in held if taken.state == "held"]
        assert self.world.run(work()) == len(held)
        for taken in held:
            taken.state, taken.expires_at = "assigned", None

    @rule(holder=st.sampled_from(HOLDERS), process=st.integers(0, 1))
    def release(self, holder: UUID, process: int) -> None:
        async def work() -> None:
            with self.world.processes.within(self.memories[process]):
                async with self.world.database.transaction() as tx:
                    await release(tx, holder)

        self.world.run(work())
        cooled = self.world.clock.now() + timedelta(seconds=COOLDOWN_S)
        for text in self.of(holder).values():
            taken = self.model[text]
            if taken.state == "held":
                del self.model[text]
            else:
                self.model[text] = Taken("quarantined", None, taken.item, cooled)

    @rule(seconds=st.sampled_from([10, 100]))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds=seconds)

    @rule(process=st.integers(0, 1))
    def expire(self, process: int) -> None:
        async def work() -> int:
            with self.world.processes.within(self.memories[process]):
                async with self.world.database.transaction() as tx:
                    return await expire(tx)

        now = self.world.clock.now()
        due = [
            text
            for text, taken in self.model.items()
            if taken.expires_at is not None and taken.expires_at <= now
        ]
        assert self.world.run(work()) == len(due)
        for text in due:
            del self.model[text]

    @rule(process=st.integers(0, 1))
    def restart(self, process: int) -> None:
        self.memories[process].clear()

    @invariant()
    def agrees(self) -> None:
        async def work() -> dict[str, Taken]:
            async with self.world.database.snapshot() as tx:
                rows = await tx.fetch(
                    "SELECT host(p.network::inet + c.position) AS text, c.state, c.holder, c.item, "
                    "c.expires_at FROM address_claim c JOIN prefix p ON p.id = c.scope "
                    "WHERE c.state <> 'reserved'"
                )
            return {row["text"]: Taken(*list(row)[1:]) for row in rows}

        if hasattr(self, "model"):
            assert self.world.run(work()) == self.model


@pytest.fixture
def world(dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(dsn, install(monkeypatch))
    yield world
    world.close()


def test_addresses_behave_as_a_plain_model(world: World) -> None:
    class Machine(AddressMachine):
        pass

    Machine.world = world
    Machine.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
    Machine.TestCase("runTest").runTest()
