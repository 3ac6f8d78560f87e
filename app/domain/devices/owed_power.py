"""Power that a server is to have back: a debt that is written down before it is taken.

Whoever takes it for a moment may be killed, cancelled or late. The debt is a row of the outbox, due
shortly after the power should be back: whatever became of them, it is paid, and tried again for as
long as a PDU is away.
"""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

from app.core.database import Database, Tx
from app.core.ids import new_id
from app.core.outbox import amend, emit, settle
from app.core.secrets import Vault
from app.domain.devices.errors import NoOutlet
from app.domain.devices.outlets import REST_S, Outlet, outlets_of, switch_outlets
from app.domain.devices.turn import TURN_S, device_turn
from app.drivers.pdu.contract import Pdus
from app.drivers.power import Power

OWED = "outlets.owed"
LATE = timedelta(seconds=20)
"""How much longer than its rest a server is without power before another worker gives it back."""


async def take_power(
    database: Database, vault: Vault, pdus: Pdus, server: UUID, *, by: str = ""
) -> tuple[Outlet, ...]:
    """Switch a server's outlets off, owing it its power; `by` is the key of the step that does so.

    Idempotent. Raises as `switch_outlets`. Where it fails the debt stands all the same: an outlet
    may have followed, and what gave it back may have failed, too.
    """
    async with _turn(database, server):
        async with database.transaction() as tx:
            # Who dies in the middle keeps the turn for as long.
            await _owe(tx, server, by, timedelta(seconds=TURN_S))
        try:
            outlets = await switch_outlets(database, vault, pdus, server, Power.OFF)
        except NoOutlet:
            async with database.transaction() as tx:
                await _pay(tx, server)
            raise
        async with database.transaction() as tx:
            await _owe(tx, server, by, timedelta(seconds=REST_S) + LATE)
    return outlets


async def switch_for_good(
    database: Database, vault: Vault, pdus: Pdus, server: UUID, wanted: Power
) -> tuple[Outlet, ...]:
    """Switch a server's outlets, after which it is owed nothing. Raises as `switch_outlets`."""
    async with _turn(database, server):
        if wanted is Power.OFF:
            async with database.transaction() as tx:
                await _pay(tx, server)
        outlets = await switch_outlets(database, vault, pdus, server, wanted)
        async with database.transaction() as tx:
            await _pay(tx, server)
    return outlets


async def pay(database: Database, vault: Vault, pdus: Pdus, server: UUID) -> None:
    """Give a server the power that it is owed, if any. Raises as `switch_outlets`.

    One that is plugged in nowhere any more is owed nothing.
    """
    async with _turn(database, server):
        async with database.snapshot() as tx:
            if await _debt(tx, server) is None:
                return
            is_plugged_in = bool(await outlets_of(tx, server))
        if is_plugged_in:
            await switch_outlets(database, vault, pdus, server, Power.ON)
        async with database.transaction() as tx:
            await _pay(tx, server)


async def owed_by(tx: Tx, by: str) -> UUID | None:
    """Return the server whose power the step of this key took and has not given back."""
    server: UUID | None = await tx.fetchval(
        "SELECT (payload->>'server')::uuid FROM outbox "
        "WHERE topic = $1 AND done_at IS NULL AND payload->>'by' = $2",
        OWED,
        by,
    )
    return server


def _turn(database: Database, server: UUID) -> AbstractAsyncContextManager[None]:
    """Let nobody pay in the middle of a taking, nor the other way round."""
    return device_turn(database, f"outlets:{server}")


async def _owe(tx: Tx, server: UUID, by: str, until: timedelta) -> None:
    """Have the debt due `until` then; one that stands already becomes this one."""
    debt = {"server": str(server), "by": by}
    due_at = tx.now() + until
    if (key := await _debt(tx, server)) is not None:
        await amend(tx, key, debt, due_at=due_at)
    else:
        await emit(tx, OWED, f"{OWED}:{new_id()}", debt, due_at=due_at)


async def _pay(tx: Tx, server: UUID) -> None:
    if (key := await _debt(tx, server)) is not None:
        await settle(tx, key)


async def _debt(tx: Tx, server: UUID) -> str | None:
    """Return the key of the row, of which there is one at most."""
    key: str | None = await tx.fetchval(
        "SELECT key FROM outbox WHERE topic = $1 AND done_at IS NULL AND payload->>'server' = $2",
        OWED,
        str(server),
    )
    return key
