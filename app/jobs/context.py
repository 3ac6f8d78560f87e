"""What the worker's jobs share: open resources and adapters."""

from dataclasses import dataclass

from app.core.database import Database
from app.core.secrets import Vault
from app.drivers.bmc.contract import BmcFleet
from app.drivers.mail.contract import Mailer
from app.drivers.payment.contract import Gateway
from app.drivers.peers import Peers
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class WorkerContext:
    settings: Settings
    database: Database
    vault: Vault
    fleet: BmcFleet
    mailer: Mailer
    gateways: dict[str, Gateway]
    peers: Peers
