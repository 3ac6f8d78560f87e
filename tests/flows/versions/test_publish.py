"""Versions: published with a note, numbered, rolled back, bound, disabled; all of it on the trail."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.core.database import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_id
from app.domain.audit.find import trail
from app.flows.bind import TriggerDoesNotFit, bind, trigger_of, unbind
from app.flows.disable import disable_flow, enable_flow
from app.flows.document import parse
from app.flows.find_flows import diff_versions, find_version
from app.flows.publish import TriggerBound, publish, roll_back
from app.flows.start import NoFlow, start_run
from app.flows.validate import InvalidFlow
from tests.flows.validate.kinds import flow, line

ONE = line(a=("t.note", {"text": "one"}))
TWO = line(a=("t.note", {"text": "two"}))
BY_HAND = flow("go > a", a=("t.note", {"text": "one"}), trigger="t.hand")


async def numbers(tx: Tx) -> list[tuple[int, str]]:
    rows = await tx.fetch("SELECT number, note FROM flow_version ORDER BY number")
    return [(row["number"], row["note"]) for row in rows]


async def done(tx: Tx) -> list[tuple[str, str, dict[str, object], dict[str, object]]]:
    flow_id = await tx.fetchval("SELECT id FROM flow")
    lines = await trail(tx, [flow_id])
    return [(one.action, one.actor_label, one.before, one.after) for one in reversed(lines)]


async def test_what_runs_makes_the_version(tx: Tx, designer: UUID) -> None:
    first = await publish(tx, ONE, note=" begin ", by=designer)
    assert await publish(tx, ONE, note="again", by=designer) == first
    second = await publish(tx, TWO, note="louder", by=designer)
    assert second != first
    assert await numbers(tx) == [(1, "begin"), (2, "louder")]
    assert await done(tx) == [
        ("flow.published", "dora@example.com", {}, {"version": 1}),
        ("flow.published", "dora@example.com", {"version": 1}, {"version": 2}),
    ]
    version = await find_version(tx, "test")
    assert (version.row.number, version.row.published_by) == (2, "dora@example.com")


async def test_moving_a_node_is_kept_without_a_new_version(tx: Tx) -> None:
    """Moving a node on the canvas restarts the flow (node-red#5039)."""
    first = await publish(tx, ONE, note="begin")
    moved = replace(ONE, ui={"a": {"x": 5, "y": 7}}, edges=tuple(reversed(ONE.edges)))
    assert await publish(tx, moved, note="moved") == first
    version = await find_version(tx, "test", 1)
    assert (version.document.ui, version.document.nodes) == ({"a": {"x": 5, "y": 7}}, ONE.nodes)
    assert len(await done(tx)) == 1


async def test_a_note_is_asked_for(tx: Tx) -> None:
    with pytest.raises(Invalid, match="Say what changed"):
        await publish(tx, ONE, note="  ")
    with pytest.raises(InvalidFlow):
        await publish(tx, line(a="t.gone"), note="x")
    assert await tx.fetchval("SELECT count(*) FROM flow") == 0


async def test_two_who_publish_at_once_make_two_versions(database: Database) -> None:
    async def one(text: str) -> None:
        async with database.transaction() as tx:
            await publish(tx, line(a=("t.note", {"text": text})), note=text)

    await asyncio.gather(*(one(f"text {number}") for number in range(6)))
    async with database.snapshot() as tx:
        assert [number for number, _ in await numbers(tx)] == [1, 2, 3, 4, 5, 6]


async def test_an_old_version_is_published_again(tx: Tx, designer: UUID) -> None:
    await publish(tx, ONE, note="one")
    await publish(tx, TWO, note="two")
    back = await roll_back(tx, "test", 1, by=designer, note="two was too loud")
    assert await numbers(tx) == [(1, "one"), (2, "two"), (3, "Back to version 1: two was too loud")]
    raw = await tx.fetchval("SELECT document FROM flow_version WHERE id = $1", back)
    assert parse(raw).nodes["a"].params == {"text": "one"}
    assert (await diff_versions(tx, "test", 1, 3)).is_empty
    assert not (await diff_versions(tx, "test", 2)).is_empty
    assert await roll_back(tx, "test", 3) == back
    with pytest.raises(NotFound, match="test 9"):
        await roll_back(tx, "test", 9)
    with pytest.raises(NotFound):
        await diff_versions(tx, "gone", 1)


async def test_a_flow_serves_what_its_trigger_starts_on(
    tx: Tx, servers: UUID, designer: UUID
) -> None:
    await publish(tx, ONE, note="one")
    await bind(tx, category=servers, trigger="order.paid", flow="test", by=designer)
    await bind(tx, category=servers, trigger="order.paid", flow="test", by=designer)
    with pytest.raises(TriggerDoesNotFit, match=r"starts on order\.paid, not on service\.created"):
        await bind(tx, category=servers, trigger="service.created", flow="test")
    with pytest.raises(NotFound, match="flow gone"):
        await bind(tx, category=servers, trigger="order.paid", flow="gone")
    with pytest.raises(NotFound, match="category"):
        await bind(tx, category=new_id(), trigger="order.paid", flow="test")
    facts = {"category": "servers", "trigger": "order.paid"}
    assert (await done(tx))[1:] == [
        ("flow.bound", "dora@example.com", {**facts, "flow": None}, {**facts, "flow": "test"})
    ]


async def test_another_flow_takes_over(tx: Tx, servers: UUID) -> None:
    await publish(tx, ONE, note="one")
    await publish(tx, replace(TWO, flow="other"), note="two")
    await bind(tx, category=servers, trigger="order.paid", flow="test")
    await bind(tx, category=servers, trigger="order.paid", flow="other")
    slug = "SELECT f.slug FROM flow_binding b JOIN flow f ON f.id = b.flow"
    assert await tx.fetchval(slug) == "other"
    await unbind(tx, category=servers, trigger="order.paid")
    assert await tx.fetchval(slug) is None
    with pytest.raises(NotFound):
        await unbind(tx, category=servers, trigger="order.paid")


async def test_a_version_that_would_leave_its_category_unserved_is_refused(
    tx: Tx, servers: UUID
) -> None:
    await publish(tx, ONE, note="one")
    await bind(tx, category=servers, trigger="order.paid", flow="test")
    with pytest.raises(
        TriggerBound, match=r"serves servers on order\.paid, and this version starts on manual"
    ):
        await publish(tx, BY_HAND, note="by hand")
    await unbind(tx, category=servers, trigger="order.paid")
    await publish(tx, BY_HAND, note="by hand")


async def test_a_disabled_flow_starts_nothing(tx: Tx, servers: UUID, designer: UUID) -> None:
    await publish(tx, ONE, note="one")
    await bind(tx, category=servers, trigger="order.paid", flow="test")
    await disable_flow(tx, "test", actor=designer, actor_label="dora@example.com", reason="burns")

    async def start() -> UUID:
        return await start_run(
            tx, category=servers, trigger="order.paid", subject=new_id(), data={}, dedup_key="k"
        )

    with pytest.raises(NoFlow):
        await start()
    with pytest.raises(Conflict, match="disabled already"):
        await disable_flow(tx, "test", actor=None, actor_label="x", reason="")
    await enable_flow(tx, "test", actor=designer, actor_label="dora@example.com")
    assert await start()
    with pytest.raises(NotFound):
        await enable_flow(tx, "gone", actor=None, actor_label="x")
    assert [action for action, *_ in await done(tx)][-2:] == ["flow.disabled", "flow.enabled"]


async def test_the_trigger_is_told_where_a_node_is_unknown() -> None:
    assert trigger_of(line(a="t.gone")) == "order.paid"
    assert trigger_of(flow(trigger="t.gone")) == ""
