"""A server is moved in the record while one is sold: the limits of both racks hold."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any
from uuid import UUID

import pytest

from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.inventory.arrive import ServersArrived, import_servers
from app.domain.inventory.change import ServerChange, change_servers
from app.domain.inventory.errors import NoRoom, NoServer
from app.domain.inventory.relocate import Place, relocate
from app.domain.inventory.reserve import HeldServer, reserve
from app.solver.want import ServerWant
from tests.inventory.hall import an_order, furnish, machine
from tests.locks import until_someone_waits

ANY = ServerWant()
STAFF: dict[str, Any] = {"actor": None, "actor_label": "tests"}


async def two_orders_of_one_client(tx: Tx) -> list[UUID]:
    orders = [await an_order(tx) for _ in range(2)]
    await tx.execute("UPDATE client_order SET account = (SELECT account FROM client_order LIMIT 1)")
    return orders


async def sell(database: Database, order: UUID, want: ServerWant = ANY) -> HeldServer | None:
    async with database.transaction() as tx:
        try:
            return await reserve(tx, want, holder=order, expires_at=None)
        except NoServer:
            return None


def elsewhere(deed: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Do it beside the transaction that is open here, not in it."""
    return asyncio.create_task(deed, context=Context())


async def rack_of(tx: Tx, server: UUID) -> UUID:
    found: UUID = await tx.fetchval("SELECT rack FROM server WHERE id = $1", server)
    return found


async def stand(tx: Tx, *, had_in: str) -> tuple[dict[str, UUID], UUID, Place]:
    """Have a client's server in one rack; R1 admits one of a client. Return its next order too."""
    ids = await furnish(tx, machine(1), machine(2, rack="R2", u_position=1))
    await tx.execute("UPDATE rack SET most_of_client = 1 WHERE name = 'R1'")
    had, order = await two_orders_of_one_client(tx)
    others = [server for name, server in ids.items() if name != had_in]
    await reserve(tx, ANY, holder=had, expires_at=None, exclude=others)
    return ids, order, Place(await rack_of(tx, ids["m001"]), 5)


async def test_who_buys_a_server_that_is_moved_meanwhile_is_judged_by_its_new_rack(
    database: Database,
) -> None:
    """R1 admits one machine of a client, who has it; R2, where the free one stood, any number."""
    async with database.transaction() as tx:
        ids, order, narrow = await stand(tx, had_in="m001")
    async with database.transaction() as tx:
        await relocate(tx, ids["m002"], narrow, **STAFF)
        sale = elsewhere(sell(database, order))
        await elsewhere(until_someone_waits(database))
    assert await sale is None


async def test_a_server_is_not_moved_where_its_client_is_just_sold_another(
    database: Database,
) -> None:
    async with database.transaction() as tx:
        ids, order, narrow = await stand(tx, had_in="m002")

    async def move() -> None:
        async with database.transaction() as tx:
            await relocate(tx, ids["m002"], narrow, **STAFF)

    async with database.transaction() as tx:
        await reserve(tx, ANY, holder=order, expires_at=None)
        moving = elsewhere(move())
        await elsewhere(until_someone_waits(database))
    with pytest.raises(NoRoom, match="at most 1"):
        await moving


async def test_a_file_moves_no_server_where_its_client_is_just_sold_another(
    database: Database, vault: Vault
) -> None:
    async with database.transaction() as tx:
        ids, order, _ = await stand(tx, had_in="m002")
        serial = await tx.fetchval("SELECT serial FROM server WHERE id = $1", ids["m002"])
    file = f"serial,rack,u_position\n{serial},R1,5\n".encode()

    async def arrive() -> ServersArrived:
        async with database.transaction() as tx:
            return await import_servers(tx, vault, file, dry_run=False, **STAFF)

    async with database.transaction() as tx:
        await reserve(tx, ANY, holder=order, expires_at=None)
        arriving = elsewhere(arrive())
        await elsewhere(until_someone_waits(database))
    arrived = await arriving
    assert not arrived.is_kept
    assert "at most 1" in arrived.faults[0].fault


async def test_who_buys_a_server_that_is_changed_meanwhile_gets_what_was_asked_for(
    database: Database,
) -> None:
    async with database.transaction() as tx:
        ids = await furnish(tx, machine(1))
    async with database.transaction() as tx:
        await change_servers(tx, [ids["m001"]], ServerChange(ram_gb=32), **STAFF)
        sale = elsewhere(sell(database, UUID(int=1), ServerWant(ram_gb=64)))
        await elsewhere(until_someone_waits(database))
    assert await sale is None
