"""A provider of another package, and faulty ones, in real processes of Slipway."""

import asyncio
import contextlib
import importlib
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from app.adapters import make_fleet, make_tools
from app.cli import main
from app.cli.demo.browser import PortalClient, fields_of
from app.cli.demo.logins import Login
from app.cli.demo.processes import Processes
from app.cli.import_ import ProviderFile, register_provider
from app.components.designer.names import DESIGNER
from app.core.database import Database
from app.core.embedded.redis import EmbeddedRedis
from app.core.ids import new_id
from app.core.secrets import Vault, new_key
from app.domain.accounts.roles import Role
from app.domain.orders.find import find_order
from app.domain.orders.states import OrderState
from app.flows.gallery import find_template
from app.flows.node import Resource
from app.flows.registry import node_types
from app.flows.validate import problems_of
from app.settings import Settings
from tests.accounts.people import PASSWORD, make_account
from tests.databases import Databases
from tests.drivers.mail.test_smtp import Mailbox, serving
from tests.drivers.process import free_port
from tests.flows import test_node_contract as contract
from tests.flows.hand import step
from tests.machines.world import MACHINE, RULES, a_machine_order, pay
from tests.orders.world import a_client
from tests.plug_ins.packages import NIMBUS, install, on_path, write_faulty

NETWORK = "127.7.0.0/24"
LIMIT_S = 60.0
TUTORIAL = NIMBUS.parents[1] / "adding-a-provider.md"
BLOCK = re.compile(r"^```(?:python|toml|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEW = "/admin/connections/new"


@dataclass
class House:
    """Slipway with the example and faulty packages installed, and what it calls."""

    database: Database
    web: PortalClient
    region: Any
    url: str
    token: str
    folder: Path
    inbox: Mailbox
    environment: dict[str, str]

    async def page(self, path: str) -> str:
        answer = await self.web.http.get(path)
        assert answer.status_code == 200, path
        return answer.text

    async def send(self, page: str, action: str, **typed: str) -> Any:
        """Fill a form of a page in, and send it."""
        fields = fields_of(await self.page(page), action)
        return await self.web.http.post(action, data=fields | typed)


@pytest.fixture(scope="module")
async def house(
    databases: Databases,
    template_database: str,
    redis_server: EmbeddedRedis,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("house")
    install(NIMBUS, folder / "installed", folder / "cache")
    write_faulty(folder / "faulty")
    sys.path.append(str(NIMBUS / "tests"))
    stand_in = importlib.import_module("stand_in")
    sys.path.remove(str(NIMBUS / "tests"))
    ssh_port, port = free_port(), free_port()
    dsn = await databases.fresh(template_database)
    database = Database()
    async with contextlib.AsyncExitStack() as stack:
        await database.open(dsn)
        stack.push_async_callback(database.close)
        await make_account(database, role=Role.OWNER)
        region, url = await stack.enter_async_context(stand_in.nimbus())
        await stack.enter_async_context(await _greeter("127.7.0.2", ssh_port))
        inbox = Mailbox()
        smtp = stack.enter_context(serving(inbox))
        base = f"http://127.0.0.1:{port}"
        environment = {
            "PYTHONPATH": os.pathsep.join((str(folder / "installed"), str(folder / "faulty"))),
            "DATABASE_URL": dsn,
            "REDIS_URL": redis_server.url,
            "SLIPWAY_ENV_FILE": "",
            "SLIPWAY_KEYS": new_key(),
            "SLIPWAY_BASE_URL": base,
            "SLIPWAY_SMTP_PORT": str(smtp.port),
            "SLIPWAY_SSH_PORT": str(ssh_port),
            "SLIPWAY_EGRESS_ALLOW": "127.0.0.0/8",
            "SLIPWAY_WORKER_METRICS_PORT": "0",
            "SLIPWAY_DATA_DIR": str(folder / "data"),
        }
        processes = Processes(folder / "logs")
        stack.push_async_callback(processes.stop)
        module = [sys.executable, "-m", "app.cli"]
        serve = await processes.start("serve", [*module, "serve", "--port", str(port)], environment)
        await processes.start("worker", [*module, "worker"], environment)
        await processes.until_ready(serve, f"{base}/readyz", timeout_s=LIMIT_S)
        web = PortalClient(base)
        stack.push_async_callback(web.close)
        await web.sign_in(Login("ada@example.com", PASSWORD))
        with on_path(folder / "installed", folder / "faulty"):
            yield House(database, web, region, url, stand_in.TOKEN, folder, inbox, environment)


def _text(mail: bytes) -> str:
    body = message_from_bytes(mail, policy=default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def _greeter(host: str, port: int) -> asyncio.Server:
    """Greet as the system of a machine that was made does."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            await writer.drain()
            writer.close()

    return await asyncio.start_server(greet, host, port)


async def test_it_appears_and_faulty_packages_are_told(house: House) -> None:
    """The command and the page say what is there and what is left out, and why."""
    ran = CliRunner().invoke(main, ["plug-ins"])
    assert ran.exit_code == 1
    said = ran.output
    nimbus, _, _ = (
        said.partition("slipway-odd")[0].rpartition("slipway-nimbus")[2].partition("\n\n")
    )
    for words in (
        "provider nimbus (Nimbus)",
        "driver hypervisor/nimbus",
        "node nimbus.snapshot",
        "flow vps-nimbus",
    ):
        assert words in nimbus
    assert "faulty" not in nimbus
    page = await house.page(NEW)
    for words in (
        "No module named 'no_such_module_of_crash'",
        "SystemExit: 3",
        "bad.json is no flow",
        "slipway-clash adds action.vm_power",
        "Slipway has one of that name; give yours another",
        "slipway-twin has one of that name too; uninstall one of them",
        "Its driver crash is left out too",
        "name a NodeType",
        "There is no driver driverless under slipway.drivers.hypervisor",
        "It has no form under slipway.providers.hypervisor",
        "slipway-clash adds vps-proxmox",
        "vps-nowhere",
    ):
        assert words in said
        assert words.replace("'", "&#39;") in page
    assert f'href="{NEW}/hypervisor?provider=nimbus"' in page
    logged = (house.folder / "logs/worker.log").read_text()
    assert "plug_in.faulty" in logged


async def test_its_form_is_drawn_and_checked_and_its_connection_tested(house: House) -> None:
    here = f"{NEW}/hypervisor"
    shown = await house.page(f"{here}?provider=nimbus")
    assert all(words in shown for words in ("Nimbus", "Region", "API token", "Certificate check"))
    typed = {
        "provider": "nimbus", "name": "fra-nimbus", "base_url": house.url, "secret": house.token,
    }  # fmt: skip
    refused = await house.send(f"{here}?provider=nimbus", here, **typed, region="Frankfurt")
    assert refused.status_code == 422
    assert "A region is three letters and a digit, such as fra1." in refused.text
    made = await house.send(f"{here}?provider=nimbus", here, **typed, region="fra1")
    assert made.status_code == 200, made.text
    place = made.url.path
    assert 'value="fra1"' in made.text
    assert house.token not in made.text
    async with house.database.snapshot() as tx:
        row = await tx.fetchrow("SELECT facts, sealed_secrets FROM connection")
    assert house.token.encode() not in row["sealed_secrets"]
    assert msgspec.json.decode(row["facts"])["settings"] == {"region": "fra1"}
    tested = await house.send(place, f"{place}/test")
    assert "It works" in tested.text
    assert "Nimbus fra1, as ops@example.org" in tested.text

    stale = await house.send(place, place, secret="stale-token")
    assert "Saved." in stale.text
    told = await house.send(place, f"{place}/test")
    assert "It does not work" in told.text
    assert "the token is not known" in told.text
    moved = await house.send(place, place, region="ams1")
    assert moved.status_code == 422, "the token goes nowhere else unasked"
    await house.send(place, place, secret=house.token)


async def test_an_adapter_that_fails_is_told_and_takes_nothing_down(house: House) -> None:
    here = f"{NEW}/hypervisor"
    made = await house.send(
        f"{here}?provider=odd", here, provider="odd", name="odd", base_url=house.url,
        secret="hush-hush-1",
    )  # fmt: skip
    told = await house.send(made.url.path, f"{made.url.path}/test")
    assert told.status_code == 200
    assert "slipway-odd failed: KeyError in odd.py:4" in told.text
    assert "hush-hush-1" not in told.text
    crash = await house.send(
        f"{here}?provider=crash", here, provider="crash", name="crash", base_url=house.url
    )
    assert crash.status_code == 422
    assert "Choose one of proxmox" in crash.text
    await house.send(made.url.path, f"{made.url.path}/remove")


async def test_its_node_and_its_flow_are_offered(house: House) -> None:
    gallery = await house.page(DESIGNER)
    assert "Virtual server at Nimbus" in gallery
    assert "from slipway-nimbus" in gallery
    here = f"{DESIGNER}/new?template=vps-nimbus"
    editor = await house.send(here, here, name="Nimbus of mine", slug="mine")
    assert editor.status_code == 200
    palette = editor.text[editor.text.index('id="palette"') :]
    assert "Nimbus snapshot" in palette


async def test_an_order_is_delivered_through_it(house: House) -> None:
    """From the imported product to the machine and its snapshot; the flow is bound by itself."""
    rules = replace(
        RULES,
        templates=dict.fromkeys(RULES.templates, "debian-12"),
        places=(replace(RULES.places[0], connection="fra-nimbus"),),
    )
    category = {
        "slug": "virtual", "name": "Virtual servers",
        "products": [msgspec.to_builtins(replace(MACHINE, machine_rules=rules))],
    }  # fmt: skip
    prefix = {
        "network": NETWORK, "datacentre": "fra1", "purpose": "public", "gateway": "127.7.0.1",
    }  # fmt: skip
    given = {"addresses": {"prefixes": [prefix]}, "catalog": {"categories": [category]}}
    async with house.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO datacentre (id, code, name) VALUES ($1, 'fra1', 'fra1')", new_id()
        )
        await register_provider(tx, Vault([new_key()]), msgspec.convert(given, ProviderFile))
    async with house.database.transaction() as tx:
        account = await a_client(tx)
        order = await a_machine_order(tx, account, hostname="vm0.example.org")
        await pay(tx, order)
    async with asyncio.timeout(LIMIT_S):
        while True:
            async with house.database.snapshot() as tx:
                found = await find_order(tx, order.id)
                run = await tx.fetchrow(
                    "SELECT r.status, f.slug FROM run r JOIN flow_version v "
                    "ON v.id = r.flow_version JOIN flow f ON f.id = v.flow WHERE r.subject = $1",
                    order.id,
                )
                errors = await tx.fetch("SELECT error FROM step_attempt WHERE error IS NOT NULL")
            if run is not None and run["status"] in ("succeeded", "failed", "halted"):
                break
            await asyncio.sleep(0.1)
    assert (run["status"], run["slug"]) == ("succeeded", "vps-nimbus"), errors
    assert found.state is OrderState.delivered
    (machine,) = house.region.machines.values()
    assert (machine["name"], machine["addresses"]) == ("vm0.example.org", ["127.7.0.2"])
    assert machine["tag"] == f"slipway-service-{found.service_id.hex}"
    (snapshot,) = house.region.snapshots.values()
    assert snapshot["of"] == machine["id"]
    texts = list(map(_text, house.inbox.mails))
    assert any("root@127.7.0.2" in text for text in texts), texts
    async with house.database.snapshot() as tx:
        notes = await tx.fetch(
            "SELECT v.note FROM flow_version v JOIN flow f ON f.id = v.flow "
            "WHERE f.slug = 'vps-nimbus'"
        )
    assert [row["note"] for row in notes] == ["shipped with slipway-nimbus"]


async def test_its_node_is_done_and_undone_as_often_as_it_may_be(house: House) -> None:
    """The step of the order above, entered again as after a crash, and then undone twice."""
    async with house.database.snapshot() as tx:
        row = await tx.fetchrow(
            "SELECT a.run, a.scope, a.node, a.attempt, a.idempotency_key, r.subject "
            "FROM step_attempt a JOIN run r ON r.id = a.run WHERE a.type = 'nimbus.snapshot'"
        )
    node = node_types()["nimbus.snapshot", 1]
    settings = Settings(_env_file=None, egress_allow="127.0.0.0/8")
    vault = Vault([house.environment["SLIPWAY_KEYS"]])
    fleet = make_fleet(house.database, vault)
    tools = make_tools(settings, vault, fleet)
    again = replace(
        step(), run=row["run"], about=row["subject"], scope=row["scope"], node=row["node"],
        attempt=row["attempt"], key=row["idempotency_key"], database=house.database, tools=tools,
    )  # fmt: skip
    (kept,) = house.region.snapshots.values()
    do: Any = node.do
    undo: Any = node.undo
    done = await do(again, node.params())
    assert done.takes == (Resource("nimbus-snapshot", kept["id"]),)
    assert len(house.region.snapshots) == 1
    await undo(again, done.output)
    assert house.region.snapshots == {}
    await undo(again, None)
    await fleet.close()
    await tools.peers.close()


@pytest.mark.parametrize(
    "check",
    [
        contract.test_it_says_what_it_is,
        contract.test_every_parameter_is_described,
        contract.test_required_parameters_have_examples_and_all_examples_are_right,
        contract.test_its_output_is_known_or_said_to_be_anything,
        contract.test_its_ports_are_sane,
        contract.test_it_says_what_it_would_do,
        contract.test_its_examples_can_be_used,
        contract.test_its_effect_its_undoing_and_its_policy_fit,
    ],
)
def test_its_node_keeps_the_contract(house: House, check: Any) -> None:
    check(node_types()["nimbus.snapshot", 1])


def test_its_flow_has_no_warnings(house: House) -> None:
    assert problems_of(find_template("vps-nimbus")) == []


def test_the_page_shows_the_package_as_it_is() -> None:
    """Every block of code in it is a part of one of the files, word for word."""
    blocks = BLOCK.findall(TUTORIAL.read_text())
    files = [*NIMBUS.glob("*.toml"), *NIMBUS.rglob("*.py"), *NIMBUS.rglob("*.json")]
    written = [file.read_text() for file in files]
    assert len(blocks) >= 8
    for block in blocks:
        assert any(block in text for text in written), block
