"""The screen of a machine in a browser: by a ticket for one use, through our own web socket."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from litestar import Litestar
from playwright.async_api import Page, expect
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.cli.bundle import bundle
from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.domain.accounts.roles import Role
from app.domain.accounts.sessions import start_session
from app.domain.machines.console import (
    GOOD_FOR,
    BadTicket,
    NoScreen,
    forget_tickets,
    issue_ticket,
    screen_of,
    take_ticket,
)
from app.drivers.hypervisor.contract import Console, Ref
from app.drivers.peers import Peers
from app.drivers.secret import Secret
from app.resources import Resources
from app.routes import console
from app.routes.security.visit import SESSION_COOKIE
from app.settings import Settings
from tests.accounts.people import make_account
from tests.admin.conftest import session_of
from tests.application import application
from tests.axe import violations
from tests.chromium import SPILL, UNTIL_S, WATCH, Contexts, until
from tests.drivers.certificates import Authority
from tests.loopback import on_loopback
from tests.machines.books import a_machine_of
from tests.machines.rfb import KEY, PASSWORD, PICTURE, a_screen
from tests.machines.sale import Sale
from tests.machines.world import a_machine_shop
from tests.orders.world import a_client

CONSOLE = Console(
    url="wss://127.0.0.1:1/screen?vncticket=sesame",
    headers={"Authorization": Secret("PVEAPIToken=open")},
    password=Secret("of the screen"),
)
PIXELS = (
    "() => [...(document.querySelector('.sw-console canvas')?.getContext('2d')"
    ".getImageData(0, 0, 4, 2).data ?? [])]"
)


@pytest.fixture
def app(database: Database, redis: Redis, vault: Vault) -> Litestar:
    settings = Settings(
        _env_file=None, base_url="http://slipway.test", keys=new_key(), egress_allow="127.0.0.0/8"
    )
    return application(Resources(settings, database, redis, Live(redis), vault))


@pytest.fixture
async def address(app: Litestar) -> AsyncIterator[str]:
    """Serve the application on loopback, web sockets too."""
    async with on_loopback(app) as address:
        yield address


async def test_a_ticket_opens_once_and_for_seconds(
    database: Database, vault: Vault, clock: SetClock
) -> None:
    other = (await make_account(database, "other@example.org")).id
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        account = await a_client(tx)
        service = await a_machine_of(tx, account, 101)
        screen = await screen_of(tx, service, account=account)
        tokens = [await issue_ticket(tx, vault, screen, CONSOLE, account=account) for _ in range(3)]
        kept = await tx.fetch("SELECT * FROM console_ticket")
    assert not any(word in str(kept) for word in ("sesame", "open", "of the screen", tokens[0]))

    async def take(token: str, by: UUID = account) -> str:
        async with database.transaction() as tx:
            opened = await take_ticket(tx, vault, token, account=by, actor_label="ada")
        assert opened.headers["Authorization"].reveal() == "PVEAPIToken=open"
        return opened.url

    with pytest.raises(BadTicket):
        await take(tokens[0], by=other)
    found = await asyncio.gather(*(take(tokens[0]) for _ in range(4)), return_exceptions=True)
    assert [one for one in found if isinstance(one, str)] == [CONSOLE.url], "one of four"
    clock.advance(seconds=GOOD_FOR.total_seconds())
    assert await take(tokens[1]) == CONSOLE.url
    clock.advance(seconds=1)
    for token in (tokens[2], "unknown"):
        with pytest.raises(BadTicket):
            await take(token)
    async with database.transaction() as tx:
        trail = "SELECT count(*) FROM audit_entry WHERE action = 'machines.console_opened'"
        assert await tx.fetchval(f"{trail} AND subject = $1 AND actor = $2", service, account) == 2
        await forget_tickets(tx)
        assert await tx.fetchval("SELECT count(*) FROM console_ticket") == 3
    clock.advance(seconds=timedelta(days=2).total_seconds())
    async with database.transaction() as tx:
        await forget_tickets(tx)
        assert await tx.fetchval("SELECT count(*) FROM console_ticket") == 0
        await tx.execute("UPDATE service SET state = 'suspended'")
        with pytest.raises(NoScreen, match="suspended"):
            await screen_of(tx, service, account=account)
        await tx.execute("UPDATE machine SET removed_at = $1", tx.now())
        with pytest.raises(NoScreen, match="no virtual machine"):
            await screen_of(tx, service, account=None)


@dataclass
class Seat:
    """A page of the console, and how its tickets are asked for by hand."""

    page: Page
    address: str
    here: str
    token: str

    async def ticket(self) -> str:
        """Ask for a ticket as the page does; returns its path."""
        path: str = await self.page.evaluate(
            "async () => { const place = document.querySelector('[data-console]');"
            " const answer = await fetch(place.dataset.console, { method: 'POST',"
            " headers: { 'x-csrftoken': place.dataset.csrf } });"
            " return (await answer.json()).path; }"
        )
        return path

    async def open(self, path: str, *, origin: str = "", token: str = "") -> str:
        """Open the socket as a program; returns what the machine says first, or the refusal."""
        headers = {"Cookie": f"{SESSION_COOKIE}={token or self.token}"}
        try:
            async with connect(
                self.address.replace("http", "ws") + path,
                additional_headers=headers,
                origin=origin or self.address,  # type: ignore[arg-type]
                subprotocols=["binary"],  # type: ignore[list-item]
            ) as there:
                return str(await there.recv(decode=False))
        except InvalidStatus as refused:
            return str(refused.response.status_code)


async def seat_of(
    contexts: Contexts, address: str, here: str, token: str, **settings: object
) -> Seat:
    context = await contexts(reduced_motion="reduce", **settings)
    await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": address}])
    page = await context.new_page()
    await page.add_init_script(WATCH)
    await page.goto(address + here)
    return Seat(page, address, here, token)


async def test_a_real_peer_shows_its_screen_to_who_holds_the_ticket(
    sale: Sale, contexts: Contexts, address: str
) -> None:
    """The ticket, the session and the origin must all hold; each opening is audited."""
    (order,) = await sale.buy(None)
    await sale.go_on()
    service = (await sale.order(order)).service_id
    owner = await session_of(sale.desk.database, Role.OWNER)
    seat = await seat_of(contexts, address, f"/admin/services/{service}/console", owner)
    path = await seat.ticket()
    assert await seat.open(path, origin="https://evil.example") == "403"
    assert await seat.open(path, token="nobody") == "403"
    designer = await session_of(sale.desk.database, Role.DESIGNER)
    assert await seat.open(path, token=designer) == "403"
    assert await seat.open(path) == "b'RFB 003.008\\n'"
    assert await seat.open(path) == "403", "it was used"
    rows = await sale.desk.rows(
        "SELECT actor_label, subject FROM audit_entry WHERE action = 'machines.console_opened'"
    )
    assert [tuple(row) for row in rows] == [("owner@slipway.test", service)]


def folder_in(place: Path, name: str) -> Path:
    (place / name).mkdir()
    return place / name


async def test_a_client_sees_and_uses_the_screen(
    database: Database,
    vault: Vault,
    contexts: Contexts,
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a real browser, by the connection's own trust: another CA's machine is not shown."""
    authority, other = (Authority(folder_in(tmp_path, name)) for name in ("own", "other"))
    client = await make_account(database, "ada@example.org")
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault, trust="ca", ca_pem=other.pem)
        service = await a_machine_of(tx, client.id, 101)
        token = await start_session(tx, client, address="192.0.2.7", agent="test")
    async with a_screen(authority) as screen:

        class Cluster:
            async def console(self, ref: Ref) -> Console:
                assert ref.service == service
                return Console(
                    url=screen.url, headers={"Authorization": Secret(KEY)},
                    password=Secret(PASSWORD),
                )  # fmt: skip

        monkeypatch.setattr(Peers, "hypervisor", lambda *_: Cluster())
        monkeypatch.setattr(console, "LOOK_S", 0.05)
        seat = await seat_of(
            contexts, address, f"/services/{service}/console", token,
            viewport={"width": 1280, "height": 900},
        )  # fmt: skip
        page = seat.page
        says = page.locator("[data-console-state]")
        opener = page.get_by_role("button", name="Open the screen")
        await opener.click()
        await expect(says).to_contain_text("broke")
        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE connection SET facts = facts || jsonb_build_object('ca_pem', $1::text)",
                authority.pem,
            )
        await opener.click()
        await expect(says).to_have_text("This is the machine.")
        await until(page, f"() => ({PIXELS})().some((value, i) => i % 4 < 3 && value)")
        colours = await page.evaluate(f"({PIXELS})()")
        assert bytes(value for i, value in enumerate(colours) if i % 4 < 3) == PICTURE
        await page.keyboard.type("hi")
        await page.get_by_role("button", name="Ctrl + Alt + Del").click()
        typed = [ord("h"), ord("i"), 0xFFE3, 0xFFE9, 0xFFFF]
        async with asyncio.timeout(UNTIL_S):
            while screen.typed != typed:  # noqa: ASYNC110 - the screen tells nobody
                await asyncio.sleep(0.02)
        assert await page.evaluate("broken") == []
        assert await violations(page) == []
        await page.set_viewport_size({"width": 390, "height": 844})
        assert await page.evaluate(SPILL) == 0
        async with database.transaction() as tx:
            await tx.execute("UPDATE service SET state = 'suspended' WHERE id = $1", service)
        await expect(says).to_contain_text("Open it again")


def test_modules_that_require_each_other_are_one_script(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "main.js").write_text('exports["default"] = require("./deep/one.js").one;')
    (tmp_path / "deep/one.js").write_text('exports.one = 1; require("../deep/two.js");')
    (tmp_path / "deep/two.js").write_text('exports.two = require("./one.js");')
    script = bundle(tmp_path, "main.js", "thing").decode()
    assert script.count('"deep/one.js": (module') == 1
    assert 'require("deep/two.js")' in script
    assert 'globalThis.thing = load("main.js").default' in script
