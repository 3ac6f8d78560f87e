"""Adapters made from the settings; the composition roots hand them to routes, jobs and nodes."""

from datetime import timedelta
from pathlib import Path

from app.core.clock import Clock, SystemClock
from app.core.database import Database
from app.core.secrets import Vault
from app.domain.inventory.bmc_turn import SharedTurns
from app.domain.services.prepare_install import Site
from app.drivers.bmc.contract import BmcFleet
from app.drivers.bmc.fleet import MixedFleet
from app.drivers.deploy.contract import Deployer
from app.drivers.deploy.live import LiveImage
from app.drivers.egress import Egress
from app.drivers.mail.contract import Mailer
from app.drivers.mail.smtp import Encryption, SmtpServer
from app.drivers.payment.bank_transfer import BankAccount
from app.drivers.payment.contract import Gateway
from app.drivers.payment.stripe import StripeAccount
from app.drivers.peers import Peers, open_peers
from app.drivers.probe.contract import Prober
from app.drivers.registry import load
from app.drivers.secret import Secret
from app.flows.tools import Tools
from app.settings import Settings


def make_gateways(settings: Settings) -> dict[str, Gateway]:
    """Return the payment gateways that are configured, by key, in the order they are offered."""
    gateways: dict[str, Gateway] = {}
    if settings.stripe_secret_key.get_secret_value():
        gateways["stripe"] = load("payment", "stripe")(
            StripeAccount(
                secret_key=Secret(settings.stripe_secret_key.get_secret_value()),
                publishable_key=settings.stripe_publishable_key,
                webhook_secret=Secret(settings.stripe_webhook_secret.get_secret_value()),
                api_base=settings.stripe_api_url,
            )
        )
    if settings.bank_account_name and settings.bank_iban:
        gateways["bank_transfer"] = load("payment", "bank_transfer")(
            BankAccount(
                holder=settings.bank_account_name,
                iban=settings.bank_iban,
                bic=settings.bank_bic,
                bank_name=settings.bank_name,
            )
        )
    gateways["credit"] = load("payment", "credit")()
    return gateways


def make_mailer(settings: Settings, clock: Clock) -> Mailer:
    mailer: Mailer = load("mail", "smtp")(
        SmtpServer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            encryption=Encryption(settings.smtp_security),
            username=settings.smtp_username or None,
            password=Secret(settings.smtp_password.get_secret_value()),
        ),
        clock=clock,
    )
    return mailer


def make_deployer(settings: Settings) -> Deployer:
    binary = Path(settings.ipxe_efi_path) if settings.ipxe_efi_path else None
    deployer: Deployer = load("deploy", "netboot")(binary)
    return deployer


def make_fleet(database: Database, vault: Vault) -> MixedFleet:
    """Return all BMCs, by whichever protocol; they are shared with the other workers."""
    return MixedFleet(SharedTurns(database, vault))


def make_peers(settings: Settings, clock: Clock) -> Peers:
    return open_peers(Egress(settings.egress_networks), clock)


def make_prober() -> Prober:
    prober: Prober = load("probe", "network")()
    return prober


def _live(settings: Settings) -> LiveImage | None:
    """Return the live system of the settings; None unless it is named whole."""
    urls = (settings.live_kernel_url, settings.live_initrd_url, settings.live_image_url)
    return LiveImage(*urls) if all(urls) else None


def make_tools(
    settings: Settings, vault: Vault, fleet: BmcFleet, peers: Peers | None = None
) -> Tools:
    """Return what nodes reach; peers that are not given are opened by these settings."""
    return Tools(
        vault=vault,
        fleet=fleet,
        site=Site(
            base_url=settings.base_url,
            nameservers=settings.nameserver_list,
            ssh_port=settings.ssh_port,
            host_domain=settings.host_domain,
            live=_live(settings),
            burn_in_returned_minutes=settings.burn_in_returned_minutes,
            has_boot_file=bool(settings.ipxe_efi_path),
        ),
        company=settings.company,
        power_wait_s=settings.power_timeout_s,
        install_silence=timedelta(minutes=settings.install_timeout_minutes),
        health_wait=timedelta(seconds=settings.health_timeout_s),
        peers=peers or make_peers(settings, SystemClock()),
    )
