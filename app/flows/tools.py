"""What nodes may reach beside the database: drivers and the provider's settings."""

from dataclasses import dataclass
from datetime import timedelta

from app.core.secrets import Vault
from app.domain.services.prepare_install import Site
from app.drivers.bmc.contract import BmcFleet


@dataclass(frozen=True, slots=True)
class Tools:
    """Made by the worker, handed to every step."""

    vault: Vault
    fleet: BmcFleet
    site: Site
    company: str
    power_wait_s: float
    """How long a BMC may take to follow a power order."""
    install_silence: timedelta
    """How long a machine under installation may say nothing."""
    health_wait: timedelta
    """How long an installed machine may take to answer."""
