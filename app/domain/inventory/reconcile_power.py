"""Have a server switched to what its service says, because a person wants it so."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.inventory.errors import PowerAsWanted
from app.domain.inventory.find import find_server
from app.domain.inventory.power import ask_now
from app.drivers.power import Power

GOOD_FOR = timedelta(minutes=2)
"""A machine is not switched by a click that was made long before its BMC answered."""


class PowerOrder(msgspec.Struct, frozen=True):
    """What a person wanted, and until when it may be done."""

    server: UUID
    wanted: Power
    until: datetime


async def order_power(tx: Tx, server_id: UUID, *, actor: UUID, actor_label: str) -> None:
    """Have the server switched after the commit; audited.

    Raises PowerAsWanted when there is nothing to put right, NotFound.
    """
    server = await find_server(tx, server_id)
    if not server.power_drifts or server.power_wanted is None:
        raise PowerAsWanted(server.name)
    order = PowerOrder(server_id, server.power_wanted, tx.now() + GOOD_FOR)
    key = f"power.reconcile:{new_id()}"
    await emit(tx, "power.reconcile", key, msgspec.to_builtins(order))
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.reconcile_power",
        subject_kind="server",
        subject=server_id,
        before={"power": server.power},
        after={"power": server.power_wanted},
    )


async def note_unswitched(tx: Tx, order: PowerOrder, words: str) -> None:
    """Keep why it could not be done in the server's audit trail, and have the power read again."""
    await record(
        tx,
        actor=None,
        actor_label="system",
        action="inventory.could_not_switch",
        subject_kind="server",
        subject=order.server,
        before={},
        after={},
        reason=words,
    )
    await ask_now(tx, order.server)
    tx.publish(f"server:{order.server}")
