"""The serial line of a server in a browser: by a ticket for one use, through our own web socket."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from litestar import Litestar
from playwright.async_api import Page, expect
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from app.adapters import make_fleet
from app.cli.assets import MODULES, XTERM
from app.cli.terminal import TerminalChanged, without_style_elements
from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.domain.accounts.roles import Role
from app.domain.accounts.sessions import start_session
from app.domain.accounts.views import AccountView
from app.domain.machines.console import GOOD_FOR
from app.resources import Resources
from app.routes import serial
from app.routes.security.visit import SESSION_COOKIE
from app.settings import Settings
from tests.admin.conftest import session_of
from tests.application import application
from tests.axe import violations
from tests.chromium import SPILL, WATCH, Contexts
from tests.drivers.bmc.faulty import FaultyBmc
from tests.drivers.bmc.ipmi_sim import PASSWORD, USER, Simulated, ipmi_sim
from tests.drivers.bmc.serial_machine import serial_machine
from tests.drivers.bmc.ssh_console import ENTRY, SshConsole, ssh_console
from tests.drivers.certificates import Authority
from tests.loopback import on_loopback
from tests.portal.world import deliver, ordered, pay


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    folder = tmp_path_factory.mktemp("serial")
    with serial_machine() as line, ipmi_sim(folder, serial=line) as simulated:
        yield simulated


@pytest.fixture
async def address(database: Database, redis: Redis, vault: Vault) -> AsyncIterator[str]:
    """Serve the application on loopback, web sockets too."""
    settings = Settings(_env_file=None, base_url="http://slipway.test", keys=new_key())
    resources = Resources(settings, database, redis, Live(redis), vault)
    fleet = make_fleet(database, vault)
    app: Litestar = application(resources, serials=fleet)
    async with on_loopback(app) as address:
        yield address
    await fleet.close()


@pytest.fixture
async def service(database: Database, ada: AccountView, vault: Vault, sim: Simulated) -> UUID:
    """Ada's delivered server, whose BMC is the simulator."""
    async with database.transaction() as tx:
        order = await ordered(tx, ada, datacentre="fra1")
        await pay(tx, order)
        service = await deliver(tx, vault, order)
        await tx.execute(
            "DELETE FROM bmc WHERE server = (SELECT server FROM service WHERE id = $1)", service
        )
        await tx.execute(
            "INSERT INTO bmc (id, server, protocol, url, username, sealed_password, system_path, "
            "tls_mode, ca_pem, boot_method, serial) SELECT gen_random_uuid(), server, 'ipmi', $2, "
            "$3, $4, '', 'off', '', 'network', 'open' FROM service WHERE id = $1",
            service,
            sim.address.url,
            USER,
            vault.seal(PASSWORD),
        )
    return service


async def token_of(database: Database, account: AccountView) -> str:
    async with database.transaction() as tx:
        return await start_session(tx, account, address="192.0.2.7", agent="test")


async def page_of(
    contexts: Contexts, address: str, here: str, token: str, **settings: object
) -> Page:
    context = await contexts(reduced_motion="reduce", **settings)
    await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": address}])
    page = await context.new_page()
    await page.add_init_script(WATCH)
    await page.goto(address + here)
    return page


async def ticket(page: Page, *, take_over: bool = False) -> str:
    """Ask for a ticket as the page does; returns its path."""
    path: str = await page.evaluate(
        "async (take) => { const place = document.querySelector('[data-serial]');"
        " const answer = await fetch(place.dataset.serial + '?take_over=' + take,"
        " { method: 'POST', headers: { 'x-csrftoken': place.dataset.csrf } });"
        " return (await answer.json()).path; }",
        take_over,
    )
    return path


async def refusal(
    address: str, path: str, token: str, *, origin: str = "", stays: bool = False
) -> str:
    """Open the socket as a program; returns why it was not opened or closed, or "open".

    With `stays` it is kept open until it is closed.
    """
    try:
        async with connect(
            address.replace("http", "ws") + path,
            additional_headers={"Cookie": f"{SESSION_COOKIE}={token}"},
            origin=Origin(origin or address),
        ) as there:
            said = str(await there.recv())
            return str(await there.recv()) if stays else said
    except InvalidStatus as refused:
        return str(refused.response.status_code)
    except ConnectionClosed as closed:
        return str(closed.rcvd and f"{closed.rcvd.code} {closed.rcvd.reason}")


async def test_a_client_types_on_the_line_until_another_takes_it_over_or_it_is_suspended(
    database: Database,
    ada: AccountView,
    service: UUID,
    contexts: Contexts,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serial, "LOOK_S", 0.05)
    token = await token_of(database, ada)
    page = await page_of(
        contexts, address, f"/services/{service}", token,
        viewport={"width": 1280, "height": 900},
    )  # fmt: skip
    await page.get_by_role("link", name="Serial console").click()
    says, rows = page.locator("[data-serial-state]"), page.locator(".xterm-rows")
    opener = page.get_by_role("button", name="Open the console")
    await opener.click()
    await expect(says).to_have_text("The console is open.")
    await page.keyboard.type("h")
    await expect(rows).to_contain_text("<h>")
    await page.keyboard.press("Tab")
    blue = rows.get_by_text("blue", exact=True)
    await expect(blue).to_have_css("color", "rgb(90, 200, 255)")
    await expect(blue).to_have_css("display", "inline-block")
    assert await page.evaluate("broken") == [], "our policy holds"
    assert await violations(page) == []
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate(SPILL) == 0

    owner = await session_of(database, Role.OWNER)
    there = await page_of(contexts, address, f"/admin/services/{service}/serial", owner)
    said = there.locator("[data-serial-state]")
    await there.get_by_role("button", name="Open the console").click()
    await expect(said).to_have_text(
        "Another has this console open. Taking it over ends it for them."
    )
    await there.get_by_role("button", name="Take it over").click()
    await expect(said).to_have_text("The console is open.")
    await there.keyboard.type("m")
    await expect(there.locator(".xterm-rows")).to_contain_text("<m>")
    async with database.transaction() as tx:
        trail = await tx.fetch(
            "SELECT actor_label, after->'take_over' AS took FROM audit_entry "
            "WHERE action = 'machines.serial_opened' AND subject = $1 ORDER BY at, id",
            service,
        )
        await tx.execute("UPDATE service SET state = 'suspended' WHERE id = $1", service)
    assert [(row["actor_label"], row["took"]) for row in trail] == [
        ("ada@example.com", "false"),
        ("owner@slipway.test", "false"),
        ("owner@slipway.test", "true"),
    ]
    await expect(said).to_contain_text("The service is suspended")
    await there.get_by_role("button", name="Open the console").click()
    await expect(said).to_contain_text("while it is active")


async def test_a_ticket_opens_once_for_its_owner_while_the_server_is_theirs(
    database: Database,
    ada: AccountView,
    service: UUID,
    contexts: Contexts,
    address: str,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token, owner = await token_of(database, ada), await session_of(database, Role.OWNER)
    here = f"/services/{service}/serial"
    page = await page_of(contexts, address, here, token)
    path = await ticket(page, take_over=True)
    assert await refusal(address, path, token, origin="https://evil.example") == "403"
    assert await refusal(address, path, owner) == "403", "stolen"
    assert await refusal(address, path, token) == "open"
    assert await refusal(address, path, token) == "403", "it was used"
    late = await ticket(page)
    clock.advance(seconds=GOOD_FOR.total_seconds() + 1)
    assert await refusal(address, late, token) == "403"
    with monkeypatch.context() as patch:
        patch.setattr(serial, "LONGEST_S", 0.1)
        path = await ticket(page, take_over=True)  # the line from before may be signing out
        assert (await refusal(address, path, token, stays=True)).startswith("4408 It was open")
    path = await ticket(page)
    async with database.transaction() as tx:
        await tx.execute(
            "DELETE FROM bmc WHERE server = (SELECT server FROM service WHERE id = $1)", service
        )
    assert (await refusal(address, path, token)).startswith("4401 It has no server")
    designer = await session_of(database, Role.DESIGNER)
    staff = await page_of(contexts, address, f"/admin/services/{service}/serial", designer)
    await expect(staff.locator("[data-serial]")).to_have_count(0)


async def test_a_line_by_ssh_is_carried_to_who_may_have_it(
    database: Database,
    ada: AccountView,
    service: UUID,
    contexts: Contexts,
    address: str,
    tmp_path: Path,
) -> None:
    """The client has what is at a port of its own, staff what is behind the command line, too."""
    set_bmc = (
        "UPDATE bmc SET protocol = 'redfish', url = $2, serial = $3 "
        "WHERE server = (SELECT server FROM service WHERE id = $1)"
    )
    token, owner = await token_of(database, ada), await session_of(database, Role.OWNER)
    here, there = f"/services/{service}", f"/admin/services/{service}"
    async with (
        FaultyBmc(Authority(tmp_path).issue("bmc"), password=PASSWORD) as bmc,
        ssh_console(SshConsole(password=PASSWORD)) as alone,
        ssh_console(SshConsole(password=PASSWORD, command=ENTRY, key=alone.key)) as shared,
    ):
        ssh = {"ServiceEnabled": True, "Port": alone.port}
        bmc.system_has["SerialConsole"] = {"SSH": ssh}
        async with database.transaction() as tx:
            await tx.execute(set_bmc, service, bmc.url, "open")
        page = await page_of(contexts, address, f"{here}/serial", token)
        assert await said_back(address, await ticket(page), token) == b"<hi>"

        ssh |= {"Port": shared.port, "SharedWithManagerCLI": True, "ConsoleEntryCommand": ENTRY}
        closed = await refusal(address, await ticket(page), token)
        assert closed.startswith("4502 This server's serial console cannot be opened here.")
        async with database.transaction() as tx:
            await tx.execute(set_bmc, service, bmc.url, "command-line")
        await page.goto(address + here)
        await expect(page.get_by_role("link", name="Serial console")).to_have_count(0)
        await expect(page.locator("#status")).to_contain_text("cannot be opened here. Ask us")
        staff = await page_of(contexts, address, there, owner)
        await staff.get_by_role("link", name="Serial console").click()
        await expect(staff.locator("[data-serial]")).to_have_count(1)
        assert b"<hi>" in await said_back(address, await ticket(staff), owner)

        async with database.transaction() as tx:
            await tx.execute(set_bmc, service, bmc.url, "off")
        await staff.goto(address + there)
        await expect(staff.get_by_role("link", name="Serial console")).to_have_count(0)
        await expect(staff.get_by_text("switched off in its BMC")).to_have_count(1)


async def said_back(address: str, path: str, token: str) -> bytes:
    """Type on the line by a ticket, and return what came back."""
    async with connect(
        address.replace("http", "ws") + path,
        additional_headers={"Cookie": f"{SESSION_COOKIE}={token}"},
        origin=Origin(address),
    ) as there:
        assert await there.recv() == serial.OPEN
        await there.send(b"hi")
        said = b""
        while b"<hi>" not in said:
            came = await there.recv()
            assert isinstance(came, bytes)
            said += came
        return said


def test_a_terminal_that_writes_its_styles_otherwise_is_not_laid_out() -> None:
    module = (MODULES / XTERM).read_bytes()
    assert b'createElement("style")' not in without_style_elements(module)
    with pytest.raises(TerminalChanged, match="2 times"):
        without_style_elements(module + module)
    with pytest.raises(TerminalChanged, match="0 times"):
        without_style_elements(b"export {};")
    with pytest.raises(TerminalChanged, match="1 times"):
        without_style_elements(module + b';document.createElement("style");')
