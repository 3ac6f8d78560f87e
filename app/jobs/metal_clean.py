"""`metal.clean`: have the cloud of a server that came back clean it, by an errand."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Database, Tx
from app.core.errors import NotFound
from app.core.outbox import Parcel, emit
from app.domain.inventory.put_back import TO_CLOUD, erase_here
from app.domain.metal.ask import ask_clean, is_asked_to_clean
from app.domain.metal.errors import ErrandUnderWay, HasNoNode, LeftCleaning
from app.domain.metal.recheck import is_service
from app.drivers.metal.contract import MetalCloud, MetalNode, NodeRef, Working

LEFT_BY = "left_by"
AGAIN = timedelta(minutes=1)
"""After a look that found another errand under way."""


async def begin_cleaning(database: Database, parcel: Parcel) -> None:
    """Begin the errand, once for each time that the server went to cleaning.

    While a worker is at the server for something else it is waited for. One that is no node any
    more is erased by us, as one without a cloud.
    """
    server = UUID(parcel.payload["server"])
    async with database.transaction() as tx:
        seq = await tx.fetchval("SELECT seq FROM server WHERE id = $1 FOR NO KEY UPDATE", server)
        if seq != parcel.payload["seq"] or await is_asked_to_clean(tx, server):
            return
        try:
            await ask_clean(tx, server, actor=None, actor_label="system")
        except HasNoNode:
            await erase_here(tx, server, seq)
        except ErrandUnderWay:
            await _ask_again(tx, parcel)
        except (NotFound, LeftCleaning):  # nothing is waited for any more
            return


async def _ask_again(tx: Tx, parcel: Parcel) -> None:
    """Have the next try made in a while; asked twice, it is made once."""
    server, seq = parcel.payload["server"], parcel.payload["seq"]
    turn = parcel.payload.get("turn", 0) + 1
    payload = {**parcel.payload, "turn": turn}
    key = f"{TO_CLOUD}:{server}:{seq}:{turn}"
    await emit(tx, TO_CLOUD, key, payload, due_at=tx.now() + AGAIN)


async def cleaned(
    database: Database, cloud: MetalCloud, node: str, memo: dict[str, Any]
) -> MetalNode | Working:
    """Return the node once its cloud has cleaned and offered it; what is left on it is taken off.

    A server that was put aside while it was set up may have the allocation of its order still: the
    order goes on with another server. Raises NodeLost where somebody else has it, WorkFailed.
    """
    if LEFT_BY not in memo:
        memo = {**memo, LEFT_BY: await _left_by(database, cloud, node)}
    if memo[LEFT_BY]:
        left = await cloud.release(NodeRef(node, UUID(memo[LEFT_BY])), memo)
        if isinstance(left, Working):
            return msgspec.structs.replace(left, memo={**memo, **left.memo})
        if "asked" in memo:  # the system was taken off, and that ends with a cleaning
            return await cloud.read(node)
        memo = {**memo, LEFT_BY: ""}
    return await cloud.clean(node, memo)


async def _left_by(database: Database, cloud: MetalCloud, node: str) -> str:
    """Return the service of ours whose allocation the node has; "" for none."""
    service = (await cloud.examine(node)).node.service
    async with database.snapshot() as tx:
        return str(service) if await is_service(tx, service) else ""
