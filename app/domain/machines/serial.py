"""Whose server has a serial line that may be looked at."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict, NotFound
from app.domain.services.states import ServiceState
from app.drivers.bmc.serial_way import SerialOffer

_CLOSED = {
    SerialOffer.UNKNOWN: "Its BMC has not said yet whether it offers a serial console. It is asked "
    "by itself; look again in a minute.",
    SerialOffer.NONE: "Its BMC offers no serial console.",
    SerialOffer.OFF: "Its serial console is switched off in its BMC. Switch it on there, and "
    "compare the server with its BMC; it is looked at once a day, too.",
    SerialOffer.COMMAND_LINE: "Its serial console is behind its BMC's command line: it is opened "
    "for those only who may change servers.",
}
_CLOSED_TO_CLIENTS = {
    SerialOffer.UNKNOWN: "Whether this server has a serial console is not known yet. Look again "
    "in a minute.",
    SerialOffer.NONE: "This server has no serial console.",
    SerialOffer.OFF: "This server's serial console is switched off. Ask us if you need it.",
    SerialOffer.COMMAND_LINE: "This server's serial console cannot be opened here. Ask us if you "
    "need it.",
}


def why_closed(offer: SerialOffer, *, for_client: bool) -> str:
    """Return why a serial line cannot be opened that is not `OPEN`."""
    return (_CLOSED_TO_CLIENTS if for_client else _CLOSED)[offer]


class NoSerial(Conflict):
    code = "machines.no_serial"

    def __init__(self, why: str) -> None:
        super().__init__(why)


class SerialOf(msgspec.Struct, frozen=True, kw_only=True):
    """The server of a service, whose BMC has the line."""

    service: UUID
    server: UUID
    hostname: str


async def serial_of(
    tx: Tx, service: UUID, *, account: UUID | None, by_command_line: bool = False
) -> SerialOf:
    """Return where the serial line of an active service is; its own client's with `account`.

    `by_command_line`: whether who asks may stand at the BMC's command line. Raises NotFound, and
    NoSerial where there is none that may be seen.
    """
    row = await tx.fetchrow(
        "SELECT s.hostname, s.state, s.server, b.serial FROM service s "
        "LEFT JOIN bmc b ON b.server = s.server "
        "WHERE s.id = $1 AND ($2::uuid IS NULL OR s.account = $2)",
        service,
        account,
    )
    if row is None:
        raise NotFound("service", service)
    if row["serial"] is None:
        raise NoSerial("It has no server whose serial line could be opened.")
    if row["state"] != ServiceState.active:
        raise NoSerial(
            f"The service is {row['state']}: its serial line is open to it while it is active."
        )
    offer = SerialOffer(row["serial"])
    if not offer.is_open_to(by_command_line=by_command_line):
        raise NoSerial(why_closed(offer, for_client=account is not None))
    return SerialOf(service=service, server=row["server"], hostname=row["hostname"])
