"""Have something done about a server at a cloud: enrolled, adopted, inspected, taken out again."""

from typing import Any
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.connections.kinds import Kind
from app.domain.inventory.errors import NoBmc
from app.domain.inventory.states import TAKEN, ServerState
from app.domain.metal.errand import ErrandState, begin, find_errand, last_errand
from app.domain.metal.errors import (
    ErrandIsOver,
    HasNode,
    HasNoNode,
    InUse,
    LeftCleaning,
    StillSold,
)
from app.domain.metal.link import NodeTaken, node_of
from app.domain.metal.want import Adopt, Clean, Enrol, Inspect, Want, Withdraw, works_on


async def ask_enrol(
    tx: Tx, server: UUID, connection: str, want: Enrol, *, actor: UUID | None, actor_label: str
) -> UUID:
    """Have a cloud know a server; returns the errand.

    Raises Invalid on `connection`, NotFound, NoBmc where no driver is named either, HasNode, InUse,
    ErrandUnderWay.
    """
    await _require_cloud(tx, connection)
    await require_free(tx, server, want)
    linked = await node_of(tx, server)
    if linked is not None and linked.connection != connection:
        raise HasNode(linked.connection, linked.node)
    has_bmc = await tx.fetchval("SELECT EXISTS (SELECT FROM bmc WHERE server = $1)", server)
    if not has_bmc and not want.driver:
        raise NoBmc(server)
    return await begin(tx, server, connection, want, actor=actor, actor_label=actor_label)


async def ask_adopt(
    tx: Tx, server: UUID, connection: str, want: Adopt, *, actor: UUID | None, actor_label: str
) -> UUID:
    """Have a node of a cloud be a server of ours; returns the errand.

    Raises Invalid on `connection`, NotFound, HasNode, NodeTaken, InUse, StillSold, ErrandUnderWay.
    """
    await _require_cloud(tx, connection)
    await require_free(tx, server, want)
    linked = await node_of(tx, server)
    if linked is not None and (linked.connection, linked.node) != (connection, want.node):
        raise HasNode(linked.connection, linked.node)
    other = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM metal_node WHERE connection = $1 AND node = $2 "
        "AND server <> $3)",
        connection,
        want.node,
        server,
    )
    if other:
        raise NodeTaken(connection, want.node)
    return await begin(tx, server, connection, want, actor=actor, actor_label=actor_label)


async def ask_inspect(tx: Tx, server: UUID, *, actor: UUID | None, actor_label: str) -> UUID:
    """Have the server's cloud look at its hardware; returns the errand.

    What it finds is compared with the record (`inventory/discover.py`). Raises NotFound, HasNoNode,
    InUse, ErrandUnderWay.
    """
    return await _ask_there(tx, server, Inspect(), actor=actor, actor_label=actor_label)


async def ask_clean(tx: Tx, server: UUID, *, actor: UUID | None, actor_label: str) -> UUID:
    """Have the server's cloud clean it; returns the errand. Once it has, it is in stock.

    Raises NotFound, HasNoNode, LeftCleaning, ErrandUnderWay.
    """
    return await _ask_there(tx, server, Clean(), actor=actor, actor_label=actor_label)


async def _ask_there(
    tx: Tx, server: UUID, want: Inspect | Clean, *, actor: UUID | None, actor_label: str
) -> UUID:
    """Begin what is done where the server's node is. Raises HasNoNode where it is none."""
    await require_free(tx, server, want)
    linked = await node_of(tx, server)
    if linked is None:
        raise HasNoNode(server)
    return await begin(tx, server, linked.connection, want, actor=actor, actor_label=actor_label)


async def is_asked_to_clean(tx: Tx, server: UUID) -> bool:
    """Return whether its cloud was asked to clean it since it came to the state it is in."""
    asked = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM metal_errand e JOIN server v ON v.id = e.server "
        "WHERE v.id = $1 AND e.wanted->>'type' = 'clean' AND e.asked_at >= v.state_since)",
        server,
    )
    return bool(asked)


async def ask_withdraw(
    tx: Tx, server: UUID, *, actor: UUID | None, actor_label: str, reason: str = ""
) -> UUID:
    """Have an enrolment or an adoption undone, however far it came; returns the errand.

    A node that we made is deleted at the cloud; another one stays, without our mark. Raises
    NotFound, HasNoNode, InUse, ErrandUnderWay.
    """
    want = Withdraw()
    await require_free(tx, server, want)
    linked, last = await node_of(tx, server), await last_errand(tx, server)
    if linked is not None:
        connection = linked.connection
    elif last is not None and isinstance(last.wanted, Enrol | Withdraw):
        # The worker may have been stopped before it was written down which node it is.
        connection, want = last.connection, Withdraw(name=last.wanted.name)
    else:
        raise HasNoNode(server)
    return await begin(
        tx, server, connection, want, actor=actor, actor_label=actor_label, reason=reason
    )


async def ask_again(tx: Tx, errand: UUID, *, actor: UUID | None, actor_label: str) -> UUID:
    """Have an errand that ended unfinished begun anew; it goes on from what is at the cloud.

    Raises NotFound, ErrandIsOver for one that is through, and what it may be refused for.
    """
    view = await find_errand(tx, errand)
    if view.state is ErrandState.done:
        raise ErrandIsOver(view.state)
    by: dict[str, Any] = {"actor": actor, "actor_label": actor_label}
    match view.wanted:
        case Enrol() as want:
            return await ask_enrol(tx, view.server, view.connection, want, **by)
        case Adopt() as want:
            return await ask_adopt(tx, view.server, view.connection, want, **by)
        case Inspect():
            return await ask_inspect(tx, view.server, **by)
        case Withdraw():
            return await ask_withdraw(tx, view.server, **by)
        case Clean():
            return await ask_clean(tx, view.server, **by)


async def require_free(tx: Tx, server: UUID, want: Want) -> None:
    """Raise what stands against it as the server is now.

    NotFound, InUse, LeftCleaning, StillSold.
    """
    state = await tx.fetchval("SELECT state FROM server WHERE id = $1 FOR NO KEY UPDATE", server)
    if state is None:
        raise NotFound("server", server)
    is_busy = state in TAKEN
    if isinstance(want, Clean):
        if state != ServerState.cleaning:
            raise LeftCleaning(server, state)
    elif works_on(want):
        if is_busy or state == ServerState.available:
            raise InUse(server, state)
    elif isinstance(want, Adopt) and want.how == "running":
        if state == ServerState.available:
            raise StillSold(server)
        if is_busy and state != ServerState.active:
            raise InUse(server, state)


async def _require_cloud(tx: Tx, connection: str) -> None:
    kind = await tx.fetchval("SELECT kind FROM connection WHERE name = $1", connection)
    if kind != Kind.METAL:
        raise Invalid({"connection": "Choose a connection of kind Bare metal."})


async def clouds(tx: Tx) -> tuple[str, ...]:
    """Return the names of the clouds of bare metal."""
    rows = await tx.fetch("SELECT name FROM connection WHERE kind = $1 ORDER BY name", Kind.METAL)
    return tuple(row["name"] for row in rows)
