"""`outlets.owed`: give a server the power that was taken for a moment and is late to come back."""

from uuid import UUID

from app.core.database import Database
from app.core.outbox import Parcel
from app.core.secrets import Vault
from app.domain.devices.owed_power import pay
from app.drivers.pdu.contract import Pdus


async def give_power(database: Database, vault: Vault, pdus: Pdus, parcel: Parcel) -> None:
    """Leave alone what is owed no more. Raises while a PDU is away, and is handed over again."""
    await pay(database, vault, pdus, UUID(parcel.payload["server"]))
