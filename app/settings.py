"""Settings: typed, from the environment (`SLIPWAY_…`) and `.env`; each says what it is for.

`DATABASE_URL` and `REDIS_URL` keep their usual names. Without them Slipway brings its own
servers (`app/core/embedded/`). A wrong value is named with its variable (`BadSettings`).
"""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.errors import Refusal


class BadSettings(Refusal):
    code = "settings.bad"

    def __init__(self, problems: dict[str, str]) -> None:
        lines = "\n".join(f"  {name}: {reason}" for name, reason in problems.items())
        super().__init__(
            f"These settings are wrong; correct them in the environment or .env:\n{lines}"
        )
        self.problems = problems


class Settings(BaseSettings):
    """Every setting of the web and worker processes."""

    model_config = SettingsConfigDict(
        env_prefix="SLIPWAY_", extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    database_url: str = Field(default="", validation_alias="DATABASE_URL", repr=False)
    """PostgreSQL 15 or newer, as `postgresql://user:password@host/name`. Empty: embedded."""

    redis_url: str = Field(default="", validation_alias="REDIS_URL", repr=False)
    """Redis or Valkey 6 or newer, as `redis://host:6379/0`. Empty: embedded."""

    data_dir: Path = Path(".data")
    """Folder of the embedded servers and of the key file; made on first use."""

    keys: SecretStr = SecretStr("")
    """Keys that seal secrets at rest, comma-separated; the first seals, all open. Empty: a key
    file in `data_dir`, made on first use. `slipway key` prints a new one."""

    host: str = "127.0.0.1"
    """Address that the web server listens on."""

    port: int = Field(default=8480, ge=0, le=65535)
    """TCP port that the web server listens on; 0 picks a free one."""

    base_url: str = "http://127.0.0.1:8480"
    """Where browsers and machines under installation reach Slipway, without a final slash."""

    company: str = "Slipway Hosting"
    """Name of the provider, shown in the portal and in mails."""

    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")
    """ISO 4217 code of the currency that prices are first shown in."""

    hold_minutes: int = Field(default=30, ge=1, le=10_080)
    """How long a checkout holds server, addresses and VLAN for the client, in minutes."""

    transfer_hold_hours: int = Field(default=72, ge=1, le=720)
    """The same when the client chose to pay by bank transfer, in hours."""

    order_days: int = Field(default=14, ge=1, le=365)
    """After how many days an order that nobody paid is cancelled and its invoice voided."""

    mail_from: str = "Slipway <slipway@localhost.localdomain>"
    """Sender of every mail."""

    admin_mail: str = ""
    """Where notices to the staff go (stock missing, a run halted). Empty: every owner."""

    smtp_host: str = "127.0.0.1"
    """Mail server."""

    smtp_port: int = Field(default=25, ge=1, le=65535)
    """TCP port of the mail server: 25, 465 (tls) or 587 (starttls)."""

    smtp_security: Literal["none", "starttls", "tls"] = "none"
    """How the connection to the mail server is protected."""

    smtp_username: str = ""
    """Log-in at the mail server. Empty: none."""

    smtp_password: SecretStr = SecretStr("")
    """Password at the mail server."""

    stripe_secret_key: SecretStr = SecretStr("")
    """Stripe's secret key (`sk_…`). Empty: card payment is not offered."""

    stripe_publishable_key: str = ""
    """Stripe's publishable key (`pk_…`), used by the pay page."""

    stripe_webhook_secret: SecretStr = SecretStr("")
    """Signing secret of the webhook endpoint `/webhooks/stripe` (`whsec_…`)."""

    stripe_api_url: str = "https://api.stripe.com"
    """Stripe's API; another address serves a stand-in in tests and in the demo."""

    stripe_js_url: str = "https://js.stripe.com/v3/"
    """Stripe's browser library; it must come from Stripe except in tests and in the demo."""

    bank_account_name: str = ""
    """Account holder shown for bank transfers. Empty: bank transfer is not offered."""

    bank_iban: str = ""
    """IBAN shown for bank transfers."""

    bank_bic: str = ""
    """BIC shown for bank transfers."""

    bank_name: str = ""
    """Name of the bank shown for bank transfers."""

    nameservers: str = "9.9.9.9,149.112.112.112"
    """DNS resolvers that installed machines are given, comma-separated."""

    host_domain: str = "servers.internal"
    """Domain given to machines whose client chose a host name without one."""

    power_timeout_s: float = Field(default=120, gt=0, le=1800)
    """How long a BMC may take until the machine is on or off as it was told, in seconds."""

    install_timeout_minutes: float = Field(default=60, gt=0, le=1440)
    """After how many minutes without a word from the machine an installation has failed."""

    health_timeout_s: float = Field(default=300, gt=0, le=3600)
    """How long an installed machine may take to answer before delivery, in seconds."""

    ssh_port: int = Field(default=22, ge=1, le=65535)
    """TCP port of the SSH server on installed machines."""

    ipxe_efi_path: str = ""
    """An iPXE EFI binary for UEFI's HTTP boot and for virtual-media boot images (Debian:
    `/usr/lib/ipxe/ipxe.efi`). Empty: nothing boots by HTTP, and the images carry a script only."""

    live_kernel_url: str = ""
    """Kernel of the live system that servers are rescued, erased and burned in with: Grml's, from
    a web server of yours. With the two below empty: none is; staff say when disks are erased."""

    live_initrd_url: str = ""
    """The live system's initrd."""

    live_image_url: str = ""
    """The live system's file system (`….squashfs`). Name its host by address."""

    burn_in_new_hours: float = Field(default=0, ge=0, le=336)
    """How long a new server is burned in before it can be sold, in hours; 0: only when a person
    has it burned in. One that Slipway cannot boot is not."""

    burn_in_returned_hours: float = Field(default=0, ge=0, le=336)
    """The same of a server that came back from a client, once its disks are erased."""

    lease_s: float = Field(default=15, ge=1, le=120)
    """How long a worker owns a run without renewing, in seconds; then another may go on with it."""

    alert_token: SecretStr = SecretStr("")
    """What Alertmanager shows as its bearer token at `/webhooks/alertmanager`. Empty: its alerts
    are not taken."""

    metrics_token: SecretStr = SecretStr("")
    """What Prometheus shows as its bearer token at `/metrics`. Empty: there is no such page."""

    worker_metrics_port: int = Field(default=0, ge=0, le=65535)
    """TCP port of 127.0.0.1 at which the worker shows its own figures to Prometheus; 0: none."""

    egress_allow: str = ""
    """Networks that flows may call beside the public internet, comma-separated, such as
    `10.20.0.0/16,127.0.0.1`. Whoever publishes flows reaches everything in them."""

    log_format: Literal["json", "console"] = "json"
    """How log lines are written."""

    @field_validator("base_url", "stripe_api_url")
    @classmethod
    def _no_final_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        return value

    @field_validator("egress_allow")
    @classmethod
    def _networks(cls, value: str) -> str:
        for part in _parts(value):
            try:
                ip_network(part, strict=False)
            except ValueError as error:
                raise ValueError(f"{part} is no network such as 10.20.0.0/16") from error
        return value

    @property
    def egress_networks(self) -> tuple[str, ...]:
        return _parts(self.egress_allow)

    @property
    def burn_in_new_minutes(self) -> int:
        return _minutes(self.burn_in_new_hours)

    @property
    def burn_in_returned_minutes(self) -> int:
        return _minutes(self.burn_in_returned_hours)

    @property
    def nameserver_list(self) -> tuple[str, ...]:
        return _parts(self.nameservers)


def _minutes(hours: float) -> int:
    """Return a time in minutes; what is more than none is one at least."""
    return max(1, round(hours * 60)) if hours else 0


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def load_settings() -> Settings:
    """Read the settings; `SLIPWAY_ENV_FILE` names another `.env`, an empty one none."""
    env_file = os.environ.get("SLIPWAY_ENV_FILE", ".env") or None
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        problems = {}
        for problem in error.errors():
            name = str(problem["loc"][0])
            variable = name if name.isupper() else f"SLIPWAY_{name.upper()}"
            problems[variable] = problem["msg"]  # never the value: it may be a secret
        raise BadSettings(problems) from error
