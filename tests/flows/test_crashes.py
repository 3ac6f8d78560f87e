"""`kill -9` at every point: no finished step is repeated, and the run goes on with another worker."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.database import Database
from app.flows import journal, lease
from app.flows.course import Course
from app.flows.interpreter import Interpreter
from app.flows.writer import Writer
from tests.flows.conftest import LEASE_S, QUICK, Workshop, chain
from tests.flows.nodes import Killed

FLOW = {
    "a": "t.note",
    "b": ("t.call", {"retry": QUICK}),
    "p": ("t.pause", {"params": {"seconds": 1}}),
    "c": ("t.call", {"retry": QUICK}),
    "d": "t.note",
}


class Reaper:
    """Kills the worker at the n-th chance: before or after an outside call, or at a write."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.chances = 0

    def __call__(self, *_: object) -> None:
        self.chances += 1
        if self.chances == self.at:
            raise Killed


async def run_with_kills(
    workshop: Workshop, kills: list[int], monkeypatch: pytest.MonkeyPatch
) -> int:
    """Run the flow, killing a worker at each of `kills`; returns how many chances the last had."""
    run = await workshop.start(chain(**FLOW))
    reaper = Reaper(kills[0] if kills else 0)
    plans = [*kills[1:], 0]

    def hook(original):
        async def written(*args, **kwargs):
            reaper()
            result = await original(*args, **kwargs)
            reaper()
            return result

        return written

    monkeypatch.setattr(Writer, "write", hook(Writer.write))
    monkeypatch.setattr(journal, "write_with", hook(journal.write_with))
    monkeypatch.setattr(lease, "look", hook(lease.look))
    workshop.world.before = workshop.world.after = reaper
    for _ in range(60):
        if await workshop.status(run) == "succeeded":
            break
        if await workshop.drive_and_die():
            workshop.clock.advance(seconds=LEASE_S + 1)
            reaper.at, reaper.chances = plans.pop(0), 0
        workshop.clock.advance(seconds=5)
    assert await workshop.status(run) == "succeeded"
    return reaper.chances


async def check_exactly_once(workshop: Workshop) -> None:
    assert await workshop.notes() == ["/a:", "/d:"], "an effect in our database is exactly once"
    assert len(workshop.world.done) == 2, "an outside effect is sent again under the same key only"
    async with workshop.database.snapshot() as tx:
        finished = await tx.fetch(
            "SELECT node, count(*) AS n FROM run_event WHERE kind = 'finished' GROUP BY node"
        )
    assert {row["node"]: row["n"] for row in finished} == dict.fromkeys(["begin", *FLOW], 1)


async def test_kill_at_every_point(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    chances = await run_with_kills(workshop, [], monkeypatch)
    await check_exactly_once(workshop)
    assert chances > 20
    monkeypatch.undo()


@pytest.mark.parametrize("at", range(1, 40, 2))
async def test_a_worker_killed_at_point(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    await run_with_kills(workshop, [at], monkeypatch)
    await check_exactly_once(workshop)


@pytest.mark.parametrize("kills", [[3, 5, 8], [1, 1, 1, 1], [7, 2, 9, 4, 6], [12, 12, 12]])
async def test_workers_killed_again_and_again(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, kills: list[int]
) -> None:
    await run_with_kills(workshop, kills, monkeypatch)
    await check_exactly_once(workshop)


async def test_a_worker_that_slept_past_its_lease_writes_nothing(workshop: Workshop) -> None:
    run = await workshop.start(chain(a="t.call", b="t.note"))
    async with workshop.database.transaction() as tx:
        (old,) = await lease.claim_due(tx, owner="slow", lease_s=LEASE_S, limit=1)
    (stale,) = await Interpreter(workshop.database, workshop.world).recall([old])
    workshop.clock.advance(seconds=LEASE_S + 1)
    async with workshop.database.transaction() as tx:
        (new,) = await lease.claim_due(tx, owner="quick", lease_s=LEASE_S, limit=1)
    assert new.epoch == old.epoch + 1
    await drive(workshop, stale)
    assert await workshop.attempts(run) == []
    assert workshop.world.done == {}
    await drive(workshop, *await Interpreter(workshop.database, workshop.world).recall([new]))
    assert await workshop.status(run) == "succeeded"


async def drive(workshop: Workshop, *courses: Course) -> None:
    interpreter = Interpreter(workshop.database, workshop.world)
    for course in courses:
        await interpreter.drive(course)
    await interpreter.close()


async def test_two_workers_never_drive_the_same_run(workshop: Workshop) -> None:
    await workshop.start(chain(a="t.note"))
    async with workshop.database.transaction() as one, _other(workshop.database) as two:
        first = await lease.claim_due(one, owner="one", lease_s=LEASE_S, limit=5)
        second = await lease.claim_due(two, owner="two", lease_s=LEASE_S, limit=5)
    assert (len(first), len(second)) == (1, 0)


def _other(database: Database):
    """Return a transaction on another connection, beside the ambient one."""
    import contextlib

    from app.core.database import Tx

    @contextlib.asynccontextmanager
    async def opened():
        async with database.pool.acquire() as connection, connection.transaction():
            yield Tx(connection, database.clock)

    return opened()


@settings(max_examples=50)
@given(
    scope=st.lists(
        st.tuples(st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.integers(1, 999)), max_size=4
    )
)
def test_a_scope_is_read_back_as_it_was_made(scope: list[tuple[str, int]]) -> None:
    from app.flows.scopes import inner, parse_scope

    path = "/"
    for node, count in scope:
        outer, path = path, inner(path, node, count)
        assert parse_scope(path) == (outer, node, count)
