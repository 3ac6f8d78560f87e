"""Write down what an errand came to: which node a server is, what was found, that it is sold."""

from uuid import UUID

from app.core.database import Tx, storable
from app.domain.inventory.discover import compare, keep_report
from app.domain.inventory.put_back import put_back
from app.domain.inventory.quarantine import quarantine
from app.domain.inventory.states import ServerState
from app.domain.metal.errand import ErrandView
from app.domain.metal.errors import LeftCleaning
from app.domain.metal.link import link_node, note_node
from app.drivers.bmc.contract import Inventory
from app.drivers.metal.contract import MetalNode, NodeFacts

SALEABLE = frozenset(
    {
        ServerState.enrolled,
        ServerState.inspecting,
        ServerState.failed,
        ServerState.maintenance,
        ServerState.cleaning,
    }
)
"""From where a server goes into stock when its cloud offers it; a person ends quarantines."""


async def keep_node(tx: Tx, errand: ErrandView, node: MetalNode) -> None:
    """Write down which node the server is and how it stands. Raises NodeTaken."""
    await link_node(tx, errand.server, errand.connection, node.id)
    await note_node(tx, errand.server, node)


async def keep_facts(tx: Tx, errand: ErrandView, facts: NodeFacts) -> None:
    """Keep what the cloud found, to be compared with the record."""
    await keep_report(tx, errand.server, inventory_of(facts), told_by=errand.connection)


async def forget_node(tx: Tx, server: UUID) -> None:
    await tx.execute("DELETE FROM metal_node WHERE server = $1", server)


def inventory_of(facts: NodeFacts) -> Inventory:
    """Return what a cloud found in the words of a BMC's inventory."""
    return Inventory(
        uuid=None,
        manufacturer=facts.vendor or None,
        model=facts.product or None,
        serial=facts.serial or None,
        bios_version=None,
        memory_gib=None if not facts.memory_mb else round(facts.memory_mb / 1024),
        cpu_count=facts.sockets,
        cpu_model=facts.cpu_model or None,
        nics=facts.nics,
        drives=facts.drives,
    )


async def put_into_stock(tx: Tx, errand: ErrandView, node: MetalNode) -> str:
    """Put a server that its cloud offers into stock; returns words about what became of it.

    Not where the inspection found what is not written down: a person looks at that first.
    """
    found = await compare(tx, errand.server)
    if found is not None and any(not one.is_new_card for one in found.differences):
        return "It is not in stock: what was found differs from the record. Look at that first."
    state = ServerState(await tx.fetchval("SELECT state FROM server WHERE id = $1", errand.server))
    if state not in SALEABLE or (state is ServerState.cleaning and not node.is_cleaned):
        return f"It is not in stock: it is {state}."
    to = await put_back(
        tx,
        errand.server,
        state,
        action="inventory.accept",
        actor=errand.asked_by,
        actor_label=errand.asked_as,
        reason=f"{errand.connection} offers it.",
        erased=node.is_cleaned,
    )
    return "It is in stock." if to is ServerState.available else f"It is {to}."


async def put_back_clean(tx: Tx, errand: ErrandView, node: MetalNode) -> str:
    """Put a server that its cloud has cleaned back into stock; returns words about it.

    Where the cloud is told not to clean its node, one with a client's data stays in cleaning.
    """
    row = await tx.fetchrow(
        "SELECT state, may_hold_data FROM server WHERE id = $1 FOR NO KEY UPDATE", errand.server
    )
    if row is None or row["state"] != ServerState.cleaning:
        raise LeftCleaning(errand.server, "gone" if row is None else row["state"])
    if row["may_hold_data"] and not node.is_cleaned:
        return f"It is not in stock: {errand.connection} is told not to clean it. Erase its disks."
    await put_back(
        tx,
        errand.server,
        ServerState.cleaning,
        action="inventory.finish_cleaning",
        actor=errand.asked_by,
        actor_label=errand.asked_as,
        reason=f"{errand.connection} cleaned it." if node.is_cleaned else "Nothing was on it.",
        erased=node.is_cleaned,
    )
    return "It is in stock."


async def put_aside(tx: Tx, errand: ErrandView, why: str) -> None:
    """Have a server that its cloud could not clean in quarantine, where it is looked at again."""
    state = await tx.fetchval(
        "SELECT state FROM server WHERE id = $1 FOR NO KEY UPDATE", errand.server
    )
    if state == ServerState.cleaning:
        reason = f"{errand.connection} could not clean it: {why}"
        await quarantine(tx, errand.server, storable(reason))
