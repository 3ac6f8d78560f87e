"""Everything that the main job needs, on this machine: servers, lab, payments, web, workers.

Used by `slipway demo`, by the journey tests and by the benchmarks alike.
"""

import secrets
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from app.cli.demo.logins import Logins, keep_logins
from app.cli.demo.processes import Child, Processes, choose_port
from app.cli.demo.seed import Lab, read_lab, seed
from app.core.database import Database
from app.core.migrate import migrate
from app.core.secrets import Vault
from app.resources import Servers, open_vault, start_servers
from app.settings import Settings

USUAL_PORT = 8480
LAB_START_S = 60.0
WEB_START_S = 60.0
SSH_PORT = 2222


class Payments(msgspec.Struct, frozen=True):
    """What the payment stand-in says of itself in `payments.json`."""

    url: str
    api_url: str
    js_url: str
    publishable_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start. `speed` is the lab's: hardware seconds per second."""

    data_dir: Path
    port: int | None = None
    speed: float = 60.0
    machines: int = 24
    web_processes: int = 1
    workers: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    """More `SLIPWAY_…` variables for web and workers."""


class Stack:
    """The running whole. Open it with `start`, and always `stop` it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.processes = Processes(plan.data_dir / "logs")
        self.base_urls: tuple[str, ...] = ()
        self.web: list[Child] = []
        self.workers: list[Child] = []
        self.servers: Servers
        self.lab: Lab
        self.payments: Payments
        self.logins: Logins
        self.vault: Vault
        self.database: Database
        self._environment: dict[str, str] = {}
        self._started = AsyncExitStack()

    @property
    def base_url(self) -> str:
        return self.base_urls[0]

    async def start(self) -> None:
        """Start all parts in order; raises `DemoFailed` naming the one that did not."""
        plan = self.plan
        plan.data_dir.mkdir(parents=True, exist_ok=True)
        settings = Settings(_env_file=None, data_dir=plan.data_dir)
        ports = [choose_port(plan.port, USUAL_PORT)]
        ports += [choose_port(None, 0) for _ in range(plan.web_processes - 1)]
        self.base_urls = tuple(f"http://127.0.0.1:{port}" for port in ports)
        self.servers = start_servers(settings)
        self._started.callback(self.servers.stop)
        self.vault = open_vault(settings)
        self.logins = keep_logins(plan.data_dir)
        self.database = Database()
        await self.database.open(self.servers.database_url, max_size=4)
        self._started.push_async_callback(self.database.close)
        self._started.push_async_callback(self.processes.stop)
        await migrate(self.servers.database_url)
        lab = await self._start_lab()
        payments = await self._start_payments()
        self.lab = read_lab(await self._ready(lab, plan.data_dir / "lab" / "lab.json"))
        ready = await self._ready(payments, plan.data_dir / "payments" / "payments.json")
        self.payments = msgspec.json.decode(ready.read_bytes(), type=Payments)
        await seed(self.database, self.vault, self.lab, self.logins)
        self._environment = self._settings() | dict(plan.environment)
        self.web = [await self.start_web(port) for port in ports]
        self.workers = [await self.start_worker() for _ in range(plan.workers)]
        for child, url in zip(self.web, self.base_urls, strict=True):
            await self.processes.until_ready(child, f"{url}/readyz", timeout_s=WEB_START_S)

    async def start_web(self, port: int) -> Child:
        command = [*_slipway(), "serve", "--port", str(port)]
        return await self.processes.start(f"web-{port}", command, self._environment)

    async def start_worker(self) -> Child:
        name = f"worker-{len(self.workers) + 1}"
        return await self.processes.start(name, [*_slipway(), "worker"], self._environment)

    async def stop(self) -> None:
        """Stop what was started, the last first."""
        await self._started.aclose()

    async def _start_lab(self) -> Child:
        folder = self.plan.data_dir / "lab"
        (folder / "lab.json").unlink(missing_ok=True)
        command = [
            *(sys.executable, "-m", "lab", "serve", "--die-with-parent"),
            *("--dir", str(folder), "--slipway-url", self.base_url),
            *("--speed", str(self.plan.speed), "--machines", str(self.plan.machines)),
            *("--ssh-port", str(SSH_PORT)),
        ]
        return await self.processes.start("lab", command)

    async def _start_payments(self) -> Child:
        folder = self.plan.data_dir / "payments"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "payments.json").unlink(missing_ok=True)
        command = [
            *(sys.executable, "-m", "lab.payments", "serve", "--die-with-parent"),
            *("--dir", str(folder), "--webhook-url", f"{self.base_url}/webhooks/stripe"),
            *("--webhook-secret", self._webhook_secret()),
        ]
        return await self.processes.start("payments", command)

    async def _ready(self, child: Child, path: Path) -> Path:
        await self.processes.until_file(child, path, timeout_s=LAB_START_S)
        return path

    def _webhook_secret(self) -> str:
        path = self.plan.data_dir / "webhook-secret"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(f"whsec_{secrets.token_hex(16)}")
        return path.read_text()

    def _settings(self) -> dict[str, str]:
        """Return the variables that web and workers are started with."""
        return {
            "SLIPWAY_ENV_FILE": "",
            "DATABASE_URL": self.servers.database_url,
            "REDIS_URL": self.servers.redis_url,
            "SLIPWAY_DATA_DIR": str(self.plan.data_dir.resolve()),
            "SLIPWAY_BASE_URL": self.base_url,
            "SLIPWAY_COMPANY": "Slipway Demo",
            "SLIPWAY_SMTP_HOST": str(self.lab.smtp["host"]),
            "SLIPWAY_SMTP_PORT": str(self.lab.smtp["port"]),
            "SLIPWAY_MAIL_FROM": "Slipway Demo <hello@slipway.example>",
            "SLIPWAY_STRIPE_SECRET_KEY": self.payments.secret_key,
            "SLIPWAY_STRIPE_PUBLISHABLE_KEY": self.payments.publishable_key,
            "SLIPWAY_STRIPE_WEBHOOK_SECRET": self._webhook_secret(),
            "SLIPWAY_STRIPE_API_URL": self.payments.api_url,
            "SLIPWAY_STRIPE_JS_URL": self.payments.js_url,
            "SLIPWAY_BANK_ACCOUNT_NAME": "Slipway Demo",
            "SLIPWAY_BANK_IBAN": "NL91ABNA0417164300",
            "SLIPWAY_BANK_BIC": "ABNANL2A",
            "SLIPWAY_BANK_NAME": "Demo bank",
            "SLIPWAY_SSH_PORT": str(self.lab.ssh_port),
            "SLIPWAY_LIVE_KERNEL_URL": f"{self.lab.mirror_url}/grml/vmlinuz",
            "SLIPWAY_LIVE_INITRD_URL": f"{self.lab.mirror_url}/grml/initrd.img",
            "SLIPWAY_LIVE_IMAGE_URL": f"{self.lab.mirror_url}/grml/grml.squashfs",
            # Five minutes for a power order and an hour of silence, at the speed of the lab.
            "SLIPWAY_INSTALL_TIMEOUT_MINUTES": str(max(60 / self.plan.speed, 0.25)),
            # A dead worker keeps its turn at a BMC for 4 s, whatever the lab's speed.
            "SLIPWAY_POWER_TIMEOUT_S": str(max(300 / self.plan.speed, 10)),
            "SLIPWAY_HEALTH_TIMEOUT_S": str(max(600 / self.plan.speed, 60)),
            "SLIPWAY_LOG_FORMAT": "console",
        }


def _slipway() -> list[str]:
    return [sys.executable, "-m", "app.cli"]
