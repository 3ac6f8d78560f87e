"""The whole allocator against a plain model: whatever happens in whatever order, the rows agree."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, ip_address
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.domain.addresses import desk as desks
from app.domain.addresses.assign import assign
from app.domain.addresses.audit import audit_addresses
from app.domain.addresses.by_hand import HandClaim, claim_address
from app.domain.addresses.change import change_prefix
from app.domain.addresses.claim import Claimed, PoolExhausted
from app.domain.addresses.desk import ClaimDesk
from app.domain.addresses.divide import merge_prefixes, split_prefix
from app.domain.addresses.errors import AddressesTaken, AlreadyKept, InUse, PrefixFull
from app.domain.addresses.expire import expire
from app.domain.addresses.find import addresses_of, leaf_of
from app.domain.addresses.keep import end_reservations, keep, let_go
from app.domain.addresses.next_free import NextAsk
from app.domain.addresses.release import release
from app.domain.addresses.release_by_hand import release_by_hand
from app.domain.addresses.search import claims_named
from app.domain.addresses.seeds import prefix_seed
from app.ipam.wants import AddressRules, wants_of
from tests.addresses.processes import Processes, install
from tests.addresses.site import ask, lay_out, prefix
from tests.inventory.hall import an_order

T = TypeVar("T")
WHOLE = IPv4Network("10.0.0.0/29")
HALVES = tuple(WHOLE.subnets())
GATEWAY = "10.0.0.1"
COOLDOWN_S = 100
PLAIN = AddressRules(ipv6_length=None, vlan=False)
BY_STAFF = {"actor": None, "actor_label": "test"}
BY_HAND = HandClaim(reason="by hand")
which = st.integers(0, 1)


class Died(Exception):
    """A process ends in the middle of its transaction."""


@dataclass
class Taken:
    state: str
    holder: UUID | None
    item: str
    expires_at: datetime | None
    purpose: str = "primary"
    reason: str = ""

    @property
    def is_by_hand(self) -> bool:
        return self.state == "reserved"


@dataclass
class Kept:
    texts: frozenset[str]
    client: UUID | None
    expires_at: datetime | None


class World:
    """What all examples share: a loop, a database, and indexes that pretend to be processes."""

    def __init__(self, dsn: str, processes: Processes) -> None:
        self.runner = asyncio.Runner()
        self.clock = SetClock(datetime(2026, 3, 1, 2, 0, tzinfo=UTC))
        self.database = Database(self.clock)
        self.processes = processes
        self.run(self.database.open(dsn, min_size=1, max_size=2))
        self.orders = self.run(self._two_orders())

    async def _two_orders(self) -> list[tuple[UUID, UUID]]:
        """Return two orders, each with its client."""
        async with self.database.transaction() as tx:
            orders = [await an_order(tx) for _ in range(2)]
            return [
                (one, await tx.fetchval("SELECT account FROM client_order WHERE id = $1", one))
                for one in orders
            ]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def close(self) -> None:
        self.run(self.database.close())
        self.runner.close()


class AddressMachine(RuleBasedStateMachine):
    """`model`, `kept`, `back` and `leaves` are what should be; `memories` are two processes'.

    `back` is what staff had the prefixes keep back, beside network, broadcast and gateway.
    """

    world: World

    @initialize()
    def lay_out(self) -> None:
        self.model: dict[str, Taken] = {}
        self.kept: dict[str, Kept] = {}
        self.back: frozenset[str] = frozenset()
        self.reservations = 0
        self.leaves: tuple[IPv4Network, ...] = (WHOLE,)
        self.memories: list[dict[UUID, Any]] = [{}, {}]

        async def work(tx: Tx) -> None:
            await tx.execute("TRUNCATE address_claim, prefix, outbox CASCADE")
            await lay_out(tx, prefix(str(WHOLE), gateway=GATEWAY, cooldown_s=COOLDOWN_S))

        self.do(work)

    def do(self, work: Any, process: int = 0) -> Any:
        """Run `work` in a transaction of one of the processes."""

        async def within() -> Any:
            with self.world.processes.within(self.memories[process]):
                async with self.world.database.transaction() as tx:
                    return await work(tx)

        return self.world.run(within())

    def of(self, holder: UUID) -> dict[str, str]:
        return {taken.item: text for text, taken in self.model.items() if taken.holder == holder}

    def kept_back(self) -> dict[str, str]:
        """Return what each address is kept back for by its prefix."""
        purposes = dict.fromkeys(self.back, "reserved") | {GATEWAY: "gateway"}
        for leaf in self.leaves:
            purposes |= {str(leaf[0]): "network", str(leaf[-1]): "broadcast"}
        return purposes

    def usable(self) -> set[str]:
        return set(map(str, WHOLE)) - set(self.kept_back())

    def kept_now(self) -> list[Kept]:
        now = self.world.clock.now()
        return [
            each for each in self.kept.values() if each.expires_at is None or each.expires_at > now
        ]

    def open_to(self, client: UUID) -> set[str]:
        others = (each.texts for each in self.kept_now() if each.client != client)
        return self.usable() - set(self.model) - set().union(*others)

    def until(self, seconds: int | None) -> datetime | None:
        return None if seconds is None else self.world.clock.now() + timedelta(seconds=seconds)

    @rule(
        who=which,
        extras=st.integers(0, 3),
        hold_s=st.sampled_from([None, 30, 60]),
        process=which,
        fresh=st.booleans(),
    )
    def claim(self, who: int, extras: int, hold_s: int | None, process: int, fresh: bool) -> None:
        if fresh:
            self.memories[process].clear()
        holder, _ = self.world.orders[who]
        wants, expires_at = wants_of(PLAIN, extras), self.until(hold_s)
        try:
            claimed = self.do(lambda tx: ask(tx, holder, wants, expires_at=expires_at), process)
        except PoolExhausted:
            claimed = None
        self.note(who, extras, expires_at, claimed, knows_all=fresh)
        assert claimed in {None, self.do(lambda tx: addresses_of(tx, holder))}

    @rule(many=st.tuples(st.integers(1, 3), st.integers(1, 3)), process=which, half=which)
    def claim_at_the_desk(self, many: tuple[int, int], process: int, half: int) -> None:
        """Two programs at one desk at one moment; then their claims are gone, and nobody is told."""
        leaf = self.leaves[half % len(self.leaves)]

        async def work() -> list[Any]:
            with self.world.processes.within(self.memories[process]):
                async with self.world.database.snapshot() as tx:
                    scope = await tx.fetchval("SELECT id FROM prefix WHERE network = $1", leaf)
                asks = [
                    NextAsk(prefix=scope, claims=[BY_HAND] * count, **BY_STAFF) for count in many
                ]
                desk = ClaimDesk(self.world.database)
                answers = await asyncio.gather(*map(desk.claim, asks), return_exceptions=True)
                async with self.world.database.transaction() as tx:
                    await tx.execute("DELETE FROM address_claim WHERE reason = $1", BY_HAND.reason)
                return answers

        answers = self.world.run(work())
        kept = set().union(*(each.texts for each in self.kept_now()))
        free = {text for text in self.usable() if ip_address(text) in leaf}
        free -= set(self.model) | kept
        got = [claim.text for answer in answers if isinstance(answer, tuple) for claim in answer]
        assert len(got) == len(set(got))
        assert set(got) <= free
        for count, answer in zip(many, answers, strict=True):
            if isinstance(answer, tuple):
                assert len(answer) == count
            else:
                assert isinstance(answer, PrefixFull)
                assert count > len(free) - len(got)

    def note(
        self,
        who: int,
        extras: int,
        expires_at: datetime | None,
        claimed: Claimed | None,
        *,
        knows_all: bool = False,
    ) -> None:
        """Check the answer against the model, and bring that up to it.

        A process that `knows_all` takes what is kept for the client before anything else.
        """
        holder, client = self.world.orders[who]
        had, free = self.of(holder), self.open_to(client)
        missing = {want.item for want in wants_of(PLAIN, extras)} - set(had)
        if claimed is None:
            assert len(missing) > len(free)
            return
        got = {ip.item: str(ip.address) for ip in claimed.ip4}
        assert set(got) == set(had) | missing
        assert {item: got[item] for item in had} == had
        new = {got[item] for item in missing}
        assert len(new) == len(missing)
        assert new <= free
        kept = [each.texts for each in self.kept_now() if each.client == client]
        own = free & set().union(*kept)
        assert not knows_all or len(new & own) == min(len(own), len(new))
        for text in had.values():
            taken = self.model[text]
            if taken.expires_at is not None:
                taken.expires_at = None if expires_at is None else max(taken.expires_at, expires_at)
        for item in missing:
            self.model[got[item]] = Taken("held", holder, item, expires_at)

    @rule(who=which, extras=st.integers(0, 3), process=which)
    def die_while_claiming(self, who: int, extras: int, process: int) -> None:
        async def work(tx: Tx) -> None:
            await ask(tx, self.world.orders[who][0], wants_of(PLAIN, extras))
            raise Died

        with contextlib.suppress(Died, PoolExhausted):
            self.do(work, process)

    @rule(who=which)
    def assign(self, who: int) -> None:
        holder, _ = self.world.orders[who]
        held = [t for t in self.model.values() if t.holder == holder and t.state == "held"]
        assert self.do(lambda tx: assign(tx, holder)) == len(held)
        for taken in held:
            taken.state, taken.expires_at = "assigned", None

    @rule(who=which, process=which)
    def release(self, who: int, process: int) -> None:
        holder, _ = self.world.orders[who]
        self.do(lambda tx: release(tx, holder), process)
        for text in self.of(holder).values():
            taken = self.model[text]
            if taken.state == "held":
                del self.model[text]
            else:
                self.model[text] = Taken("quarantined", None, taken.item, self.until(COOLDOWN_S))

    @rule(n=st.integers(0, 7), hand_s=st.sampled_from([None, 30]), process=which)
    def claim_by_hand(self, n: int, hand_s: int | None, process: int) -> None:
        text, until = str(WHOLE[n]), self.until(hand_s)
        terms = HandClaim(reason="probe", purpose="ops", expires_at=until)
        others = set().union(*(each.texts for each in self.kept_now()))

        async def work(tx: Tx) -> None:
            await claim_address(tx, await leaf_of(tx, text), text, terms, **BY_STAFF)

        if text in others or text in self.model or text in self.kept_back():
            with pytest.raises(AddressesTaken):
                self.do(work, process)
            return
        self.do(work, process)
        self.model[text] = Taken("reserved", None, "", until, "ops", "probe")

    @precondition(lambda self: any(taken.is_by_hand for taken in self.model.values()))
    @rule(data=st.data(), process=which)
    def release_by_hand(self, data: st.DataObject, process: int) -> None:
        by_hand = sorted(text for text, taken in self.model.items() if taken.is_by_hand)
        text = data.draw(st.sampled_from(by_hand))

        async def work(tx: Tx) -> None:
            [claim] = await claims_named(tx, await leaf_of(tx, text), [text])
            await release_by_hand(tx, claim.id, seq=claim.seq, reason="moved", **BY_STAFF)

        self.do(work, process)
        self.cool_down(text, "released by hand: moved")

    def cool_down(self, text: str, reason: str) -> None:
        self.model[text] = Taken("quarantined", None, "", self.until(COOLDOWN_S), "ops", reason)

    @rule(ends=st.none() | st.tuples(st.integers(0, 7), st.integers(0, 7)), process=which)
    def keep_a_range_back(self, ends: tuple[int, int] | None, process: int) -> None:
        """Have a prefix keep this range back and nothing else; None: nothing of the first one."""
        first, last = sorted(WHOLE[end] for end in ends) if ends else (WHOLE[0], WHOLE[0])
        leaf = next(leaf for leaf in self.leaves if first in leaf)
        last = min(last, leaf[-1])
        wanted = {str(ip_address(n)) for n in range(int(first), int(last) + 1)} if ends else set()

        async def work(tx: Tx) -> None:
            scope = await leaf_of(tx, str(leaf[0]))
            seed = await prefix_seed(tx, scope)
            seed = replace(seed, reserved=(f"{first}-{last}",) if ends else ())
            await change_prefix(tx, scope, seed, **BY_STAFF)

        if any(self.model[text].holder is not None for text in wanted & set(self.model)):
            with pytest.raises(InUse):
                self.do(work, process)
            return
        self.do(work, process)
        elsewhere = {text for text in self.back if ip_address(text) not in leaf}
        fixed = {str(leaf[0]), str(leaf[-1]), GATEWAY}
        self.back = frozenset(elsewhere | (wanted - fixed))

    @rule(
        ends=st.tuples(st.integers(0, 7), st.integers(0, 7)),
        whose=st.sampled_from([0, 1, None]),
        keep_s=st.sampled_from([None, 50]),
    )
    def keep(self, ends: tuple[int, int], whose: int | None, keep_s: int | None) -> None:
        first, last = sorted(WHOLE[end] for end in ends)
        leaf = next(leaf for leaf in self.leaves if first in leaf)
        last = min(last, leaf[-1])
        texts = frozenset(str(ip_address(n)) for n in range(int(first), int(last) + 1))
        client = None if whose is None else self.world.orders[whose][1]
        self.reservations += 1
        name = f"reservation {self.reservations}"
        client_of = dict(self.world.orders)
        in_use = [
            text
            for text in texts & set(self.model)
            if self.model[text].holder is not None
            and (client is None or client_of[self.model[text].holder] != client)
        ]
        self.kept = {key: each for key, each in self.kept.items() if each in self.kept_now()}
        overlaps = any(texts & each.texts for each in self.kept.values())

        async def work(tx: Tx) -> None:
            leaf_id = await tx.fetchval("SELECT id FROM prefix WHERE network = $1", leaf)
            await keep(tx, leaf_id, f"{first}-{last}", client=client, purpose="spare", reason=name,
                       expires_at=self.until(keep_s), **BY_STAFF)  # fmt: skip

        refused = InUse if in_use else AlreadyKept if overlaps else None
        if refused is not None:
            with pytest.raises(refused):
                self.do(work)
            return
        self.do(work)
        self.kept[name] = Kept(texts, client, self.until(keep_s))

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.kept)))

        async def work(tx: Tx) -> None:
            for row in await tx.fetch("SELECT id FROM address_reservation WHERE reason = $1", name):
                await let_go(tx, row["id"], **BY_STAFF)

        self.do(work)
        del self.kept[name]

    @rule(process=which)
    def divide(self, process: int) -> None:
        """Split the whole, or merge its halves; addresses of orders may stand in the way."""

        async def work(tx: Tx) -> None:
            rows = await tx.fetch(
                "SELECT id FROM prefix WHERE status <> 'container' ORDER BY network"
            )
            ids = [row["id"] for row in rows]
            if len(ids) > 1:
                await merge_prefixes(tx, ids, **BY_STAFF)
            else:
                await split_prefix(tx, ids[0], HALVES[0].prefixlen, **BY_STAFF)

        if len(self.leaves) > 1:
            self.do(work, process)
            self.leaves = (WHOLE,)
            return
        ends = {str(HALVES[0][-1]), str(HALVES[1][0])}
        if any(self.model[text].holder is not None for text in ends & set(self.model)):
            with pytest.raises(InUse):
                self.do(work, process)
            return
        self.do(work, process)
        self.leaves = HALVES
        self.back -= ends

    @rule(seconds=st.sampled_from([10, 100]))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds=seconds)

    @rule(process=which)
    def expire(self, process: int) -> None:
        now = self.world.clock.now()
        due = [
            text
            for text, taken in self.model.items()
            if taken.expires_at is not None and taken.expires_at <= now
        ]
        assert self.do(expire, process) == len(due)
        for text in due:
            if self.model[text].is_by_hand:
                self.cool_down(text, "its time was over: probe")
            else:
                del self.model[text]
        self.do(end_reservations, process)
        self.kept = {key: each for key, each in self.kept.items() if each in self.kept_now()}

    @rule(process=which)
    def restart(self, process: int) -> None:
        self.memories[process].clear()

    @invariant()
    def agrees(self) -> None:
        async def work(tx: Tx) -> None:
            rows = await tx.fetch(
                "SELECT host(p.network::inet + c.position) AS text, c.kept_back, c.state, "
                "c.holder, c.item, c.expires_at, c.purpose, c.reason "
                "FROM address_claim c JOIN prefix p ON p.id = c.scope"
            )
            claims = {row["text"]: Taken(*list(row)[2:]) for row in rows}
            plain = {
                text: taken.purpose
                for text, taken in claims.items()
                if taken.is_by_hand and not taken.reason
            }
            assert {text: claims[text] for text in set(claims) - set(plain)} == self.model
            later = {row["text"]: row["kept_back"] for row in rows if row["kept_back"]}
            assert plain | later == self.kept_back()

        if hasattr(self, "model"):
            self.do(work)

    def teardown(self) -> None:
        """The audit finds nothing, and who had an address when can be told for each."""
        if hasattr(self, "model"):
            assert self.do(audit_addresses).found == ()


@pytest.fixture
def world(dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(desks, "Context", copy_context)  # which process it is, is in there
    world = World(dsn, install(monkeypatch))
    yield world
    world.close()


def test_addresses_behave_as_a_plain_model(world: World) -> None:
    class Machine(AddressMachine):
        pass

    Machine.world = world
    Machine.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
    Machine.TestCase("runTest").runTest()
