"""Whose server has a serial line that may be looked at."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict, NotFound
from app.domain.services.states import ServiceState


class NoSerial(Conflict):
    code = "machines.no_serial"

    def __init__(self, why: str) -> None:
        super().__init__(why)


class SerialOf(msgspec.Struct, frozen=True, kw_only=True):
    """The server of a service, whose BMC has the line."""

    service: UUID
    server: UUID
    hostname: str


async def serial_of(tx: Tx, service: UUID, *, account: UUID | None) -> SerialOf:
    """Return where the serial line of an active service is; its own client's with `account`.

    Raises NotFound, and NoSerial where there is none that may be seen.
    """
    row = await tx.fetchrow(
        "SELECT s.hostname, s.state, s.server, b.server IS NOT NULL AS has_bmc FROM service s "
        "LEFT JOIN bmc b ON b.server = s.server "
        "WHERE s.id = $1 AND ($2::uuid IS NULL OR s.account = $2)",
        service,
        account,
    )
    if row is None:
        raise NotFound("service", service)
    if not row["has_bmc"]:
        raise NoSerial("It has no server whose serial line could be opened.")
    if row["state"] != ServiceState.active:
        raise NoSerial(
            f"The service is {row['state']}: its serial line is open to it while it is active."
        )
    return SerialOf(service=service, server=row["server"], hostname=row["hostname"])
