"""Outlets of PDUs that a server is plugged into, and its power by them.

The rung below the BMC: a machine whose BMC is dead goes off and on all the same.
"""

import contextlib
import re
from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

import msgspec

from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.devices.access import pdu_address
from app.domain.devices.errors import NoOutlet
from app.domain.devices.turn import device_turn
from app.drivers.errors import DriverError
from app.drivers.pdu.contract import PduAddress, Pdus
from app.drivers.power import Power

REST_S = 10.0
"""How long a machine stays without power: its supplies hold some for seconds."""
DEADLINE_S = 20.0
"""For one outlet; some PDUs wait between two."""
_NUMBER = re.compile(r"(\d+)\D*$")


class Outlet(msgspec.Struct, frozen=True, kw_only=True):
    """Where a power supply is plugged in."""

    device: UUID
    pdu: str
    port: str
    """As the inventory calls it; its last number is the outlet's."""
    is_reached: bool
    """Whether the PDU's access is written down."""

    @property
    def number(self) -> int | None:
        found = _NUMBER.search(self.port)
        return int(found[1]) if found else None


_Place: TypeAlias = tuple[Outlet, PduAddress, int]
"""An outlet, where its PDU is reached, and its number there."""


async def outlets_of(tx: Tx, server: UUID) -> tuple[Outlet, ...]:
    """Return the outlets that a server's power supplies are cabled to; one statement."""
    rows = await tx.fetch(
        "SELECT d.id AS device, d.name AS pdu, q.name AS port, "
        "EXISTS (SELECT FROM device_access a WHERE a.device = d.id) AS is_reached "
        "FROM port p JOIN cable c ON p.id IN (c.a_port, c.b_port) "
        "JOIN port q ON q.id = CASE WHEN c.a_port = p.id THEN c.b_port ELSE c.a_port END "
        "JOIN device d ON d.id = q.device "
        "WHERE p.server = $1 AND p.kind = 'power' AND d.kind = 'pdu' ORDER BY d.name, q.name",
        server,
    )
    return tuple(Outlet(**dict(row)) for row in rows)


async def switch_outlets(
    database: Database, vault: Vault, pdus: Pdus, server: UUID, wanted: Power
) -> tuple[Outlet, ...]:
    """Return the outlets once each says `wanted`; all of a server's, or nothing would happen.

    Idempotent. Raises NoOutlet where it is not plugged into PDUs that are reached, all of them,
    and `DriverError`s. On goes on past one that fails; off gives back what it took, since the
    others keep the machine running.
    """
    places = await _places(database, vault, server)
    failed: DriverError | None = None
    for number, place in enumerate(places, start=1):
        try:
            await _ensure(database, pdus, place, wanted)
        except DriverError as error:
            failed = failed or error
            if wanted is Power.OFF:
                # The last one may have followed, though its answer was lost.
                await _give_back(database, pdus, places[:number])
                break
    if failed is not None:
        raise failed
    return tuple(outlet for outlet, _, _ in places)


async def _give_back(database: Database, pdus: Pdus, places: Sequence[_Place]) -> None:
    for place in places:
        with contextlib.suppress(DriverError):
            await _ensure(database, pdus, place, Power.ON)


async def _ensure(database: Database, pdus: Pdus, place: _Place, wanted: Power) -> None:
    _, pdu, number = place
    async with device_turn(database, f"{pdu.host}:{pdu.port}"):
        await pdus.ensure(pdu, number, wanted, deadline_s=DEADLINE_S)


async def _places(database: Database, vault: Vault, server: UUID) -> Sequence[_Place]:
    found = []
    async with database.snapshot() as tx:
        outlets = await outlets_of(tx, server)
        if not outlets:
            raise NoOutlet(server, "it is plugged into no PDU; plug its cables in on its page")
        for outlet in outlets:
            if not outlet.is_reached:
                raise NoOutlet(server, f"{outlet.pdu} has no access; write it down on its page")
            if outlet.number is None:
                raise NoOutlet(server, f"{outlet.pdu} {outlet.port} has no number in its name")
            found.append((outlet, await pdu_address(tx, vault, outlet.device), outlet.number))
    return found
