"""A paid order whose server is being installed, with a BMC that remembers what it was told."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.inventory.confirm import begin_provisioning
from app.domain.inventory.quarantine import quarantine
from app.domain.services.open import open_service
from app.domain.services.prepare_install import Prepared, Site, prepare_install
from app.drivers.bmc.contract import BmcAddress, Health, Inventory
from app.drivers.boot import BootDevice, BootMode
from app.drivers.deploy.live import LiveImage
from app.drivers.errors import NotReached, Refused, Retriable, Unreachable
from app.drivers.power import Power
from app.flows.node import Step
from app.flows.signals import send_signal
from app.flows.tools import Tools
from tests.orders.world import a_client, a_shop, an_order

LIVE = LiveImage(
    "http://mirror.test/grml/vmlinuz",
    "http://mirror.test/grml/initrd.img",
    "http://mirror.test/grml/grml.squashfs",
)
SITE = Site(
    "http://slipway.test", ("192.0.2.53",), 22, "servers.internal", LIVE, has_boot_file=True
)
NOTHING_TOLD = Inventory(
    uuid=None, manufacturer=None, model=None, serial=None, bios_version=None, memory_gib=None,
    cpu_count=None, cpu_model=None, nics=(),
)  # fmt: skip


@dataclass
class StubBmc:
    """Power, boot and media of one BMC: it writes down what it is told, or does not answer."""

    told: list[str] = field(default_factory=list)
    is_away: bool = False
    refuses: str = ""
    """Why boot devices are not taken; "" when they are."""
    reverts: bool = False
    """Whether boot devices are taken and are not set then."""
    sticks: bool = False
    """Whether its drive keeps the image that is in it."""
    on_after_s: float = 0.0
    """How long a machine that is told to go on is off; for ever if it ignores that."""
    waited_s: list[float] = field(default_factory=list)
    """For how long each order to go on was waited for at most."""
    critical: tuple[str, ...] = ()
    """What it calls critical."""
    hardware: Inventory = NOTHING_TOLD

    def bmc(self, _: BmcAddress) -> Any:
        return self

    power = boot = media = property(lambda self: self)

    def _note(self, what: str) -> None:
        if self.is_away:
            raise Unreachable("bmc", "no answer")
        self.told.append(what)

    async def read(self) -> Power:
        if self.is_away:
            raise Unreachable("bmc", "no answer")
        return Power.ON

    async def ensure(self, wanted: Power, *, deadline_s: float) -> None:
        assert deadline_s > 0
        self._note(f"power {wanted}")
        if wanted is Power.ON:
            self.waited_s.append(deadline_s)
            if self.on_after_s > deadline_s:
                raise NotReached("bmc", wanted=wanted, seen="off", deadline_s=deadline_s)

    async def cold_reset(self) -> None:
        self._note("reset")

    async def set_once(
        self,
        device: BootDevice,
        *,
        mode: BootMode | None = None,
        http_boot_uri: str | None = None,
    ) -> None:
        if self.refuses:
            raise Retriable("bmc", self.refuses)
        if self.reverts:
            raise Refused("bmc", field="boot", reason="it was reverted")
        more = "" if http_boot_uri is None else f" {mode} {http_boot_uri}"
        self._note(f"boot {device}{more}")

    async def health(self, *, within_s: float) -> Health:
        assert within_s >= 0
        if self.is_away:
            raise Unreachable("bmc", "no answer")
        return Health(critical=self.critical, told=("sensors",))

    async def inventory(self) -> Inventory:
        return self.hardware

    async def insert(self, url: str) -> None:
        self._let_go()
        self._note(f"insert {url}")

    async def eject(self) -> None:
        self._let_go()
        self._note("eject")

    def _let_go(self) -> None:
        if self.sticks:
            raise NotReached("bmc", wanted="an empty drive", seen="holding boot.iso", deadline_s=1)


@dataclass(frozen=True)
class Hall:
    database: Database
    vault: Vault
    order: UUID
    service: UUID
    server: UUID
    mac: str
    bmc: StubBmc = field(default_factory=StubBmc)

    async def prepare(self, tx: Tx, key: str = "run:/:install#1") -> Prepared:
        return await prepare_install(
            tx, self.vault, service=self.service, server=self.server, step_key=key, site=SITE
        )

    async def installation(self, key: str = "run:/:install#1") -> Prepared:
        async with self.database.transaction() as tx:
            return await self.prepare(tx, key)

    async def state(self, key: str = "run:/:install#1") -> tuple[str, str, int, str]:
        async with self.database.snapshot() as tx:
            row = await tx.fetchrow(
                "SELECT state, stage, percent, error FROM installation WHERE step_key = $1", key
            )
        assert row is not None
        return tuple(row)

    async def signals(self) -> int:
        async with self.database.snapshot() as tx:
            return int(await tx.fetchval("SELECT count(*) FROM run_signal"))

    async def take_the_server_away(self) -> None:
        """A person puts it aside while it is being installed."""
        async with self.database.transaction() as tx:
            await quarantine(tx, self.server, "smells burnt")

    def step(self, *, attempt: int = 1, node: str = "install", **memo: Any) -> Step:
        return Step(
            run=self.order,
            about=self.order,
            now=self.database.clock.now(),
            node=node,
            scope="/",
            attempt=attempt,
            key=f"run:/:{node}",
            memo=memo,
            started_at=self.database.clock.now(),
            database=self.database,
            tools=make_tools(self.vault, self.bmc),
        )


def make_tools(vault: Vault, fleet: Any, **more: Any) -> Tools:
    """Return what nodes reach: the BMCs of `fleet`, and `more` where that is given."""
    patience = {
        "power_wait_s": 1.0,
        "install_silence": timedelta(hours=1),
        "health_wait": timedelta(minutes=5),
    }
    return Tools(vault=vault, fleet=fleet, site=SITE, company="Acme", **(patience | more))


async def finish_installation(tx: Tx, installation: UUID) -> None:
    """Let a machine be through with its installation, and say so to the run that waits for it."""
    await tx.execute(
        "UPDATE installation SET state = 'installed', stage = 'installed', updated_at = $2, "
        "finished_at = $2 WHERE id = $1",
        installation,
        tx.now(),
    )
    await send_signal(tx, f"installation:{installation}")


async def break_installation(tx: Tx, installation: UUID) -> None:
    """Let a machine say that it cannot be installed."""
    await tx.execute(
        "UPDATE installation SET state = 'failed', error = 'no disk', updated_at = $2, "
        "finished_at = $2 WHERE id = $1",
        installation,
        tx.now(),
    )
    await send_signal(tx, f"installation:{installation}")


async def give_bmcs(tx: Tx, vault: Vault, *, boot_method: str = "network") -> None:
    """Let every server have a BMC of its own, by its name."""
    await tx.execute(
        "INSERT INTO bmc (id, server, protocol, url, username, sealed_password, system_path, "
        "tls_mode, ca_pem, boot_method) SELECT gen_random_uuid(), id, 'redfish', "
        "'https://' || name || '.bmc.test', 'admin', $1, '', 'off', '', $2 FROM server",
        vault.seal("secret"),
        boot_method,
    )


async def open_hall(database: Database, vault: Vault, *, boot_method: str = "network") -> Hall:
    async with database.transaction() as tx:
        await a_shop(tx, servers=2)
        await give_bmcs(tx, vault, boot_method=boot_method)
        await tx.execute("UPDATE prefix SET gateway = '192.0.2.1' WHERE family(network) = 4")
        order = await an_order(tx, await a_client(tx))
        await begin_provisioning(tx, order.id)
        service = await open_service(tx, order.id)
        row = await tx.fetchrow("SELECT id, mac FROM server WHERE holder = $1", order.id)
        assert row is not None
    return Hall(database, vault, order.id, service, row["id"], str(row["mac"]))
