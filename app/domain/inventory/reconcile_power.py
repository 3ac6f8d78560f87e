"""Have a server switched to what its service says, because a person wants it so."""

from datetime import datetime, timedelta
from enum import StrEnum
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


PATIENCE_S = 12.0
"""How long a machine that was asked to stop may take, until its power is taken away."""


class Switched(StrEnum):
    """How it was done."""

    softly = "as its system does"
    hard = "its power was taken away"


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
    wanted = server.power_to_put_right
    if wanted is None:
        raise PowerAsWanted(server.name)
    order = PowerOrder(server_id, wanted, tx.now() + GOOD_FOR)
    key = f"power.reconcile:{new_id()}"
    await emit(tx, "power.reconcile", key, msgspec.to_builtins(order))
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.order_power",
        subject_kind="server",
        subject=server_id,
        before={"power": server.power},
        after={"wanted": wanted},
    )


async def note_outcome(tx: Tx, order: PowerOrder, done: Switched | str) -> None:
    """Keep how it was switched, or why not, in the server's trail; have its power read again."""
    is_done = isinstance(done, Switched)
    await record(
        tx,
        actor=None,
        actor_label="system",
        action="inventory.switched" if is_done else "inventory.could_not_switch",
        subject_kind="server",
        subject=order.server,
        before={},
        after={"power": order.wanted} if is_done else {},
        reason=done,
    )
    await ask_now(tx, order.server)
    tx.publish(f"server:{order.server}")
