"""What ended runs leave behind is found, told once, and left as it is."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.ids import new_id
from app.core.secrets import Vault
from app.flows.orphans import GRACE, OrphanKind, find_orphans, report_orphans
from tests.admin.stage import Stage
from tests.cli.slipway import slipway


@pytest.fixture
async def stage(database: Database, clock: SetClock, vault: Vault) -> Stage:
    stage = Stage(database, clock, vault)
    await stage.furnish()
    return stage


async def end(stage: Stage, run: UUID, status: str = "failed") -> None:
    """End a run, leaving all else as it is, and let the grace pass."""
    async with stage.database.transaction() as tx:
        await tx.execute(
            "UPDATE run SET status = $2, finished_at = $3, wake_at = NULL WHERE id = $1",
            run, status, tx.now(),
        )  # fmt: skip
    stage.clock.advance(seconds=GRACE.total_seconds() + 1)


async def clear(stage: Stage, run: UUID, *tables: str) -> None:
    async with stage.database.transaction() as tx:
        for table in tables:
            await tx.execute(f"DELETE FROM {table} WHERE run = $1", run)


async def kinds(stage: Stage) -> list[tuple[OrphanKind, str]]:
    async with stage.database.snapshot() as tx:
        return [(one.kind, one.reference) for one in await find_orphans(tx)]


async def take(stage: Stage, run: UUID, kind: str, reference: str, state: str = "taken") -> None:
    async with stage.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO run_resource (run, node, kind, reference, state, taken_at) "
            "VALUES ($1, 'server', $2, $3, $4, $5)",
            run, kind, reference, state, tx.now(),
        )  # fmt: skip


async def test_a_clean_provider_has_no_orphans(stage: Stage) -> None:
    await stage.delivered()
    await stage.installing(client=1)
    _, halted = await stage.halted(client=2)
    await take(stage, halted, "server", "of a run that waits")
    await stage.without_stock()
    await stage.order()
    stage.clock.advance(seconds=GRACE.total_seconds() + 1)
    assert await kinds(stage) == []
    async with stage.database.transaction() as tx:
        assert await report_orphans(tx) == 0


async def test_what_the_ledger_has_as_taken(stage: Stage) -> None:
    _, run = await stage.begun()
    await clear(stage, run, "token")
    await take(stage, run, "dns_record", "A web-1")
    await take(stage, run, "dns_record", "A web-2", "returned")
    await take(stage, run, "credit", "5", "delivered")
    await take(stage, run, "run", str(new_id()))
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE server SET holder = NULL, state = 'maintenance', "
                         "hold_expires_at = NULL WHERE holder IS NOT NULL")  # fmt: skip
        await tx.execute("DELETE FROM address_claim")
    await end(stage, run)
    assert await kinds(stage) == [(OrphanKind.resource, "dns_record A web-1")]
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE run SET status = 'succeeded' WHERE id = $1", run)
    assert await kinds(stage) == []
    await take(stage, run, "server", "s-1")
    assert await kinds(stage) == [(OrphanKind.resource, "server s-1")]


async def test_a_server_and_addresses_that_are_kept_for_a_lost_order(stage: Stage) -> None:
    order, run = await stage.installing()
    await clear(stage, run, "token")
    await end(stage, run)
    assert await kinds(stage) == [
        (OrphanKind.addresses, f"order {order.number}"),
        (OrphanKind.server, order.server_name),
    ]
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE run SET finished_at = NULL, status = 'waiting'")
    assert await kinds(stage) == []


async def test_a_token_of_an_ended_run(stage: Stage) -> None:
    await stage.delivered()
    async with stage.database.transaction() as tx:
        run = await tx.fetchval("SELECT id FROM run")
        await tx.execute(
            "INSERT INTO token (id, run, scope, node, state) VALUES ($1, $2, '/a:1', 'x', 'ready')",
            new_id(),
            run,
        )
    assert await kinds(stage) == []  # its last words may still be on their way
    stage.clock.advance(seconds=GRACE.total_seconds() + 1)
    assert await kinds(stage) == [(OrphanKind.place, "/a:1 x")]


async def test_an_installation_of_an_ended_run(stage: Stage) -> None:
    order = await stage.delivered()
    installation = new_id()
    async with stage.database.transaction() as tx:
        run = await tx.fetchval("SELECT id FROM run")
        await tx.execute(
            "INSERT INTO installation (id, service, server, step_key, token_hash, sealed_spec, "
            "state, created_at, updated_at) VALUES ($1, $2, $3, $4, 'x', 'y', 'booted', $5, $5)",
            installation, order.service_id, order.server_id, f"{run}:/attempts:1:install#1",
            tx.now(),
        )  # fmt: skip
    stage.clock.advance(seconds=GRACE.total_seconds() + 1)
    assert await kinds(stage) == [(OrphanKind.installation, str(installation))]
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE installation SET state = 'abandoned'")
    assert await kinds(stage) == []


async def test_staff_are_told_of_each_once_and_nothing_is_changed(stage: Stage) -> None:
    order, run = await stage.installing()
    await clear(stage, run, "token")
    await end(stage, run)
    for _ in range(2):
        stage.clock.advance(seconds=timedelta(hours=1).total_seconds())
        async with stage.database.transaction() as tx:
            assert await report_orphans(tx) == 2
    async with stage.database.snapshot() as tx:
        told = await tx.fetch(
            "SELECT payload->>'title' AS title FROM outbox WHERE key LIKE '%orphan%' ORDER BY id"
        )
        held = await tx.fetchval("SELECT holder FROM server WHERE name = $1", order.server_name)
    assert [row["title"] for row in told] == [
        f"Left behind: addresses order {order.number}",
        f"Left behind: server {order.server_name}",
    ]
    assert held == order.id


async def test_the_command_exits_1_when_there_is_anything(stage: Stage, dsn: str) -> None:
    # The command's clock is the machine's own.
    assert await slipway("run", "orphans", DATABASE_URL=dsn) == (0, "")
    order, run = await stage.installing()
    await clear(stage, run, "token")
    await end(stage, run)
    async with stage.database.transaction() as tx:
        await tx.execute("UPDATE run SET finished_at = now() - interval '1 day' WHERE id = $1", run)
    code, said = await slipway("run", "orphans", DATABASE_URL=dsn)
    assert code == 1
    assert f"server     {order.server_name}" in said
