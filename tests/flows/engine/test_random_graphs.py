"""Any flow, killed anywhere, any number of times: every effect once, or none left of it."""

from collections import Counter
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.ids import new_id
from app.flows import journal, lease
from app.flows.document import Document
from app.flows.node import StepFailed
from app.flows.steer import cancel_if_open, retry_halted, settle
from app.flows.writer import Writer
from tests.flows.conftest import LEASE_S, Workshop
from tests.flows.engine.conftest import Outside
from tests.flows.engine.documents import BUSY, Plan, plans
from tests.flows.nodes import Killed, busy

ENDED = ("succeeded", "failed", "cancelled")
MOST_LIVES = 150


class Reaper:
    """Kills the worker at the n-th chance of each of its lives."""

    def __init__(self, kills: list[int]) -> None:
        self.kills = kills
        self.chances = 0

    def __call__(self, *_: object) -> None:
        self.chances += 1
        if self.kills and self.chances >= self.kills[0]:
            self.kills.pop(0)
            self.chances = 0
            raise Killed


def hooked(reaper: Reaper, original: Any) -> Any:
    async def call(*given: Any, **more: Any) -> Any:
        reaper()
        result = await original(*given, **more)
        reaper()
        return result

    return call


@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    plan=plans(),
    kills=st.lists(st.integers(1, 25), max_size=6),
    cancel_at=st.one_of(st.none(), st.none(), st.integers(0, 6)),
)
async def test_every_effect_is_counted_once_or_undone(
    workshop: Workshop, plan: Plan, kills: list[int], cancel_at: int | None
) -> None:
    workshop.world = world = Outside()
    for node, failures in plan.failures.items():
        world.refusals[node] = [busy() if one == BUSY else StepFailed("no") for one in failures]
    before = await noted(workshop)
    run = await workshop.start(plan.document, key=str(new_id()))
    reaper = Reaper(list(kills))
    world.before = world.after = reaper
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Writer, "write", hooked(reaper, Writer.write))
        for module, name in (journal, "write_with"), (lease, "look"), (lease, "guard"):
            patch.setattr(module, name, hooked(reaper, getattr(module, name)))
        await live_on(workshop, run, plan, cancel_at)
    await check(workshop, run, plan.document, before)


async def live_on(workshop: Workshop, run: UUID, plan: Plan, cancel_at: int | None) -> None:
    """One worker after another, until the run has ended; people settle and retry what halts."""
    for life in range(MOST_LIVES):
        if life == cancel_at:
            async with workshop.database.transaction() as tx:
                await cancel_if_open(tx, run)
        if await workshop.status(run) in ENDED:
            return
        await help_out(workshop, run)
        was_killed = await workshop.drive_and_die()
        await workshop.close()
        workshop.clock.advance(seconds=LEASE_S + 1 if was_killed else 31)
    raise AssertionError(f"it never ends: {plan.document}")


async def help_out(workshop: Workshop, run: UUID) -> None:
    """Settle what is in doubt by what is true, and retry what has failed."""
    async with workshop.database.transaction() as tx:
        halted = await tx.fetch(
            "SELECT t.scope, t.node, t.doubt FROM token t JOIN run r ON r.id = t.run "
            "WHERE t.run = $1 AND t.state = 'halted' AND r.lease_until IS NULL "
            "AND r.status IN ('halted', 'waiting') AND NOT r.cancel_requested",
            run,
        )
        for token in halted:
            if token["doubt"]:
                place = {"scope": token["scope"], "node": token["node"]}
                happened = f"{run}:{token['scope']}:{token['node']}" in workshop.world.done
                await settle(tx, run, happened=happened, output={}, **place)
        if any(not token["doubt"] for token in halted):
            await retry_halted(tx, run)


async def noted(workshop: Workshop) -> Counter[tuple[str, str]]:
    async with workshop.database.snapshot() as tx:
        rows = await tx.fetch("SELECT action, reason FROM audit_entry WHERE action LIKE '%noted'")
    return Counter((row["action"], row["reason"].partition(":\n")[0]) for row in rows)


async def check(
    workshop: Workshop, run: UUID, document: Document, before: Counter[tuple[str, str]]
) -> None:
    world, status = workshop.world, await workshop.status(run)
    async with workshop.database.snapshot() as tx:
        row = await tx.fetchrow("SELECT * FROM run WHERE id = $1", run)
        tokens = await tx.fetchval("SELECT count(*) FROM token WHERE run = $1", run)
        attempts = await tx.fetch(
            "SELECT * FROM step_attempt WHERE run = $1 AND port <> 'item' ORDER BY id", run
        )
        events = await tx.fetch("SELECT * FROM run_event WHERE run = $1 ORDER BY seq", run)
        ledger = await tx.fetch("SELECT state FROM run_resource WHERE run = $1", run)
    assert (tokens, row["lease_until"], row["wake_at"]) == (0, None, None)
    assert row["finished_at"] is not None

    # Outside: what is journaled was done, what was done is journaled, and what must not be
    # done twice was done once.
    kinds = {f"{run}:{one['scope']}:{one['node']}": one["type"] for one in attempts}
    assert world.done.keys() <= kinds.keys()
    for key, count in world.done.items():
        assert count == 1 or kinds[key] in ("t.call", "t.take"), (key, count)
    outside = {"t.call", "t.take", "t.once", "t.asked"}
    journaled = {
        one["idempotency_key"]
        for one in attempts
        if one["status"] == "succeeded" and one["type"] in outside
    }
    assert journaled <= world.done.keys()

    # In our own database: exactly once.
    notes = await noted(workshop) - before
    assert not [note for note, count in notes.items() if count > 1]
    done = {f"{o['scope']}{o['node']}:" for o in attempts if o["type"] == "t.note"
            and o["output"] is not None}  # fmt: skip
    assert {text for action, text in notes if action == "noted"} == done

    states = {one["state"] for one in ledger}
    if status == "succeeded":
        assert not world.undone
        assert states <= {"taken"}
    else:
        assert world.done.keys() <= set(world.undone), "nothing is left behind"
        undone = {f"{text}:" for action, text in notes if action == "unnoted"}
        assert undone == done
        assert states <= {"returned"}
    tell(attempts, events, status)


def tell(attempts: list[Any], events: list[Any], status: str) -> None:
    """The story told by the events alone comes to what the journal says."""
    state: dict[tuple[str, str], str] = {}
    started: Counter[tuple[str, str, int]] = Counter()
    for event in events:
        place, kind = (event["scope"], event["node"]), event["kind"]
        facts = msgspec.json.decode(event["facts"])
        if not place[1]:
            continue
        if kind == "started":
            assert state.get(place) != "finished", (place, "again after its end")
            started[(*place, facts["attempt"])] += 1
        if kind in ("finished", "failed"):
            assert state.get(place) in ("started", "waiting", "settled"), (
                place,
                kind,
                state.get(place),
            )
        if kind in ("started", "waiting", "finished", "failed", "settled", "compensated"):
            state[place] = kind
    assert set(started.values()) <= {1}, "an attempt begins once"
    assert {(one["scope"], one["node"], one["attempt"]) for one in attempts} == set(started)
    last = {(one["scope"], one["node"]): one["status"] for one in attempts}
    ends = {"succeeded": {"finished"}, "failed": {"failed"}, "ambiguous": {"failed"}}
    for place, journaled in last.items():
        if journaled in ends:
            assert state[place] in ends[journaled], (place, journaled, state[place])
        if journaled == "compensated":
            assert state[place] == "compensated"
    assert events[0]["kind"] == "queued"
    assert events[-1]["kind"] == status
