"""Give up removing a name whose server is gone for good."""

from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.addresses.names import NameState
from app.domain.audit.record import record


async def forget_name(
    tx: Tx, address: IPv4Address | IPv6Address, *, actor: UUID | None, actor_label: str
) -> None:
    """Forget the name of an address that nobody has any more, and let the address be free.

    Only after its removal failed: otherwise it is done in a moment. Raises NotFound.
    """
    at = await tx.fetchval(
        "DELETE FROM reverse_name WHERE address = $1 AND hostname IS NULL AND state = $2 "
        "RETURNING pushed_as",
        address,
        NameState.failed,
    )
    if at is None:
        raise NotFound("name that could not be removed, of", address)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.forget_name",
        subject_kind="reverse_name",
        subject=None,
        before={"address": str(address), "record": at},
        after={},
    )
    tx.publish("names")
