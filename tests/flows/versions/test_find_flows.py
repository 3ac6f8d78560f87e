"""The flows page: what serves what, and how well it runs."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.ids import new_id
from app.flows.bind import bind
from app.flows.disable import disable_flow
from app.flows.find_flows import find_flow, find_version, list_bindings, list_flows
from app.flows.publish import publish
from app.flows.views import RunStatus
from tests.flows.validate.kinds import line

ONE = replace(line(a=("t.note", {"text": "one"})), name="First")
OTHER = replace(line(a="t.note"), flow="other", name="Second")


async def make_run(
    tx: Tx,
    version: UUID,
    status: str,
    *,
    took_s: float = 0,
    ago: timedelta = timedelta(0),
    error: str = "",
) -> UUID:
    run, ended = new_id(), tx.now() - ago
    is_over = status in ("succeeded", "failed", "cancelled")
    await tx.execute(
        "INSERT INTO run (id, flow_version, status, dedup_key, created_at, started_at, finished_at, "
        "error) VALUES ($1, $2, $3, $4, $5, $5, $6, $7)",
        run,
        version,
        status,
        str(run),
        ended - timedelta(seconds=took_s),
        ended if is_over else None,
        error,
    )
    return run


async def test_a_flow_is_told_with_what_became_of_its_runs(
    tx: Tx, designer: UUID, servers: UUID, vps: UUID
) -> None:
    old = await publish(tx, ONE, note="one", by=designer)
    new = await publish(tx, replace(ONE, description="better"), note="two")
    await publish(tx, OTHER, note="other")
    await bind(tx, category=vps, trigger="order.paid", flow="test")
    await bind(tx, category=servers, trigger="order.paid", flow="test")
    for took_s in (10, 20, 30):
        await make_run(tx, old, "succeeded", took_s=took_s)
    failed = await make_run(tx, new, "failed", error="no answer", ago=timedelta(hours=2))
    await make_run(tx, old, "failed", error="before", ago=timedelta(days=2))
    await make_run(tx, new, "failed", error="long ago", ago=timedelta(days=31))
    await make_run(tx, new, "succeeded", took_s=9_999, ago=timedelta(days=31))
    await make_run(tx, new, "cancelled")
    await make_run(tx, old, "running")
    await make_run(tx, new, "waiting", ago=timedelta(days=90))

    first, second = await list_flows(tx)
    assert (first.slug, first.name, first.version, first.note) == ("test", "First", 2, "two")
    assert (first.trigger, first.is_enabled, first.published_by) == ("order.paid", True, None)
    assert {status: count for status, count in first.runs.items() if count} == {
        RunStatus.succeeded: 3,
        RunStatus.failed: 2,
        RunStatus.cancelled: 1,
        RunStatus.running: 1,
        RunStatus.waiting: 1,
    }
    assert first.live == 2
    assert (first.begun, first.begun_today) == (7, 6)
    assert first.success_rate == 3 / 5
    assert first.p50 == timedelta(seconds=20)
    assert first.p99 == timedelta(seconds=29.8)
    assert first.last_failure is not None
    assert (first.last_failure.run, first.last_failure.error) == (failed, "no answer")
    assert [(one.category_slug, one.version) for one in first.bindings] == [
        ("servers", 2),
        ("vps", 2),
    ]

    assert (second.slug, second.success_rate, second.p50, second.last_failure) == (
        "other",
        None,
        None,
        None,
    )
    assert second.bindings == ()
    assert second.runs == dict.fromkeys(RunStatus, 0)


async def test_a_halted_run_is_the_last_failure_until_it_is_mended(tx: Tx) -> None:
    version = await publish(tx, ONE, note="one")
    run = await make_run(tx, version, "halted", error="a: no disk", ago=timedelta(hours=5))
    await make_run(tx, version, "failed", error="before", ago=timedelta(hours=7))
    await tx.execute(
        "INSERT INTO run_event (run, at, kind) VALUES ($1, $2, 'halted')",
        run,
        tx.now() - timedelta(hours=4),
    )
    (row,) = await list_flows(tx)
    assert row.last_failure is not None
    assert (row.last_failure.run, row.last_failure.status) == (run, RunStatus.halted)
    assert row.last_failure.at == tx.now() - timedelta(hours=4)


async def test_history_is_told_from_the_latest(tx: Tx, designer: UUID) -> None:
    old = await publish(tx, ONE, note="one", by=designer)
    await publish(tx, replace(ONE, description="better"), note="two")
    await make_run(tx, old, "succeeded")
    await make_run(tx, old, "running")
    view = await find_flow(tx, "test")
    assert [
        (one.number, one.note, one.published_by, one.runs, one.live) for one in view.versions
    ] == [
        (2, "two", None, 0, 0),
        (1, "one", "dora@example.com", 2, 1),
    ]
    assert view.document.description == "better"
    assert (await find_version(tx, "test", 1)).document.description == ""
    with pytest.raises(NotFound):
        await find_flow(tx, "gone")
    with pytest.raises(NotFound):
        await find_version(tx, "test", 3)


async def test_every_category_is_told_with_who_serves_it(tx: Tx, servers: UUID, vps: UUID) -> None:
    await publish(tx, ONE, note="one")
    await bind(tx, category=servers, trigger="order.paid", flow="test")
    served, unserved = await list_bindings(tx, trigger="order.paid")
    assert (served.category, served.flow, served.version, served.is_enabled) == (
        servers,
        "test",
        1,
        True,
    )
    assert (unserved.category, unserved.flow, unserved.version, unserved.is_enabled) == (
        vps,
        None,
        None,
        False,
    )
    await disable_flow(tx, "test", actor=None, actor_label="x", reason="burns")
    served, _ = await list_bindings(tx, trigger="order.paid")
    assert not served.is_enabled


@pytest.mark.parametrize("count", [1, 12])
async def test_a_list_costs_the_same_statements_whatever_its_length(
    tx: Tx, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    for number in range(count):
        await publish(tx, replace(ONE, flow=f"flow-{number}"), note="one")
    asked = []
    fetch = Tx.fetch

    async def counting(self: Tx, sql: str, *values: object) -> object:
        asked.append(sql)
        return await fetch(self, sql, *values)

    monkeypatch.setattr(Tx, "fetch", counting)
    assert len(await list_flows(tx)) == count
    assert len(asked) == 4


async def test_a_flow_whose_document_cannot_be_read_is_listed_all_the_same(tx: Tx) -> None:
    await publish(tx, ONE, note="one")
    await tx.execute("UPDATE flow_version SET document = '{\"nodes\": 1}'")
    (row,) = await list_flows(tx)
    assert (row.slug, row.trigger) == ("test", "order.paid")
    await tx.execute("DELETE FROM flow_trigger")  # as it was published by an early release
    (row,) = await list_flows(tx)
    assert (row.slug, row.trigger) == ("test", "")
