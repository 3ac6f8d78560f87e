"""What nodes may reach beside the database: drivers and the provider's settings."""

from dataclasses import dataclass, field
from datetime import timedelta

from app.core.secrets import Vault
from app.domain.services.prepare_install import Site
from app.drivers.bmc.contract import BmcFleet
from app.drivers.egress import Egress
from app.drivers.peers import Peers, open_peers
from app.flows.connections import Opened


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
    peers: Peers = field(default_factory=lambda: open_peers(Egress()))
    """Whom nodes call; whoever makes the tools closes them."""
    connections: Opened = field(default_factory=Opened)
    """Connections that were opened a moment ago."""
