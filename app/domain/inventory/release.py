"""Give an order's server back."""

from uuid import UUID

from app.core.database import Tx
from app.domain.inventory.put_back import await_erasure, note_data, put_back
from app.domain.inventory.states import SERVING, ServerState, move


async def release(tx: Tx, holder: UUID, *, seq: int | None = None, by_cloud: bool = False) -> None:
    """End the order's claim on its server; nothing happens when it has none. Idempotent.

    With `seq`, only if it is still the hold of that number: a late release of an earlier hold
    does nothing. A server on which no installation was begun goes back into stock; any other
    stays in cleaning, since its disks may hold the client's data; one that is `by_cloud` is
    erased by its cloud, or a person, and no flow of ours is told.
    """
    row = await tx.fetchrow(
        "SELECT id, state, seq FROM server WHERE holder = $1 AND state = ANY($2) FOR NO KEY UPDATE",
        holder,
        list(SERVING),
    )
    if row is None or seq not in {None, row["seq"]}:
        return
    server, state = row["id"], ServerState(row["state"])
    if state is ServerState.held:
        await move(tx, server, ServerState.available)
        return
    has_data = await note_data(tx, server, state, holder)
    await move(tx, server, ServerState.releasing)
    if has_data:
        await await_erasure(tx, server, is_told=not by_cloud)
        return
    await move(tx, server, ServerState.cleaning)
    await move(tx, server, ServerState.available)


async def finish_cleaning(
    tx: Tx,
    server: UUID,
    *,
    actor: UUID | None,
    actor_label: str,
    reason: str = "",
    burn_in_minutes: int = 0,
) -> None:
    """Put a server whose disks were erased back into stock, on the word of `actor`.

    With `burn_in_minutes` it is burned in first.

    Raises ServerNotAllowed when it is not in cleaning, NotFound.
    """
    await put_back(
        tx,
        server,
        ServerState.cleaning,
        actor=actor,
        actor_label=actor_label,
        reason=reason,
        action="inventory.finish_cleaning",
        erased=True,
        burn_in_minutes=burn_in_minutes,
    )
