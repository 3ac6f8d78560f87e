"""Stop a burn-in: the run that drives it hears of it at once."""

from uuid import UUID

from app.core.database import Tx
from app.domain.inventory.end_burn_in import stop_burn_in
from app.flows.signals import send_signal


async def stop(tx: Tx, server: UUID, *, actor: UUID | None, actor_label: str, reason: str) -> None:
    """Have a server's burn-in end, and its machine switched off. Raises NoBurnIn, NotFound."""
    booted = await stop_burn_in(tx, server, actor=actor, actor_label=actor_label, reason=reason)
    if booted is not None:
        await send_signal(tx, f"installation:{booted}")
