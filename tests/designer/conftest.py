"""The editor on loopback, and designers in browsers who look at it."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
import uvicorn
from litestar import Litestar
from playwright.async_api import BrowserContext, Locator, Page, expect
from redis.asyncio import Redis

from app.cli.serve import Server
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.domain.accounts.roles import Role
from app.domain.accounts.sessions import start_session
from app.flows.document import Document
from app.flows.drafts.sheet import Sheet
from app.resources import Resources
from app.routes.security.visit import SESSION_COOKIE
from app.settings import Settings
from tests.accounts.people import make_account
from tests.application import application
from tests.chromium import WATCH, Contexts
from tests.designer.desk import Desk, a_desk

NEWS = "**/changes?since=*"
SIZES = {"desk": (1440, 900), "tablet": (1024, 768), "phone": (390, 844)}


@pytest.fixture
def app(database: Database, redis: Redis, vault: Vault) -> Litestar:
    settings = Settings(
        _env_file=None, base_url="http://slipway.test", company="Acme Metal", keys=new_key()
    )
    return application(Resources(settings, database, redis, Live(redis), vault))


@pytest.fixture
async def address(app: Litestar, database: Database) -> AsyncIterator[str]:
    """Serve the application on loopback, in this event loop, with live topics."""
    live: Live = app.dependencies["live"].dependency()  # type: ignore[union-attr, operator]
    database.after_commit = live.publish
    await live.start()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = Server(
        uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1), live
    )
    serving = asyncio.create_task(server.serve([listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving
    await live.stop()
    listener.close()


async def session_of(database: Database, role: Role, name: str) -> str:
    person = await make_account(database, f"{name.lower()}@slipway.test", role=role, name=name)
    async with database.transaction() as tx:
        return await start_session(tx, person, address="192.0.2.7", agent="test")


@dataclass
class Easel:
    """One designer's window on a draft, and the draft as it is stored."""

    page: Page
    desk: Desk
    address: str

    def node(self, node: str) -> Locator:
        return self.page.locator(f"#n-{node}")

    def port(self, node: str, port: str = "out") -> Locator:
        return self.node(node).locator(f'[data-port="{port}"]')

    async def open(self) -> None:
        await self.page.goto(f"{self.address}/designer/drafts/{self.desk.draft}")
        await self.page.locator("#canvas[data-ready]").wait_for()

    async def deafen(self) -> None:
        """Hear nothing of what others do. Opened anew: no question of before is answered late."""
        await self.page.route(NEWS, lambda route: route.abort())
        await self.open()

    async def listen(self) -> None:
        await self.page.unroute(NEWS)

    async def saved(self) -> Sheet:
        """Wait until the window has nothing to save, and return what the server stored."""
        await expect(self.page.locator("#saved")).to_have_text("Saved")
        return await self.desk.sheet()

    async def focus(self) -> None:
        await self.page.locator("#canvas").focus()

    async def middle(self, what: Locator) -> tuple[float, float]:
        box = await what.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    async def edge_point(self, port: Locator) -> tuple[float, float]:
        """The dot of a port, at its right end."""
        box = await port.bounding_box()
        assert box is not None
        return box["x"] + box["width"] - 2, box["y"] + box["height"] / 2

    async def drag(
        self, start: tuple[float, float], end: tuple[float, float], *, steps: int = 6
    ) -> None:
        mouse = self.page.mouse
        await mouse.move(*start)
        await mouse.down()
        await mouse.move(*end, steps=steps)
        await mouse.up()

    async def broken(self) -> list[str]:
        return await self.page.evaluate("broken")


Hang = Callable[..., Awaitable[Easel]]


@pytest.fixture
async def hang(contexts: Contexts, database: Database, address: str) -> AsyncIterator[Hang]:
    """Return a function that opens a draft in the browser of a designer of one's own."""
    desks: dict[str, Desk] = {}
    made: list[Easel] = []

    async def open_window(
        document: Document | None = None,
        *,
        name: str = "Ada",
        size: str = "desk",
        theme: str = "light",
        touch: bool = False,
        role: Role = Role.DESIGNER,
    ) -> Easel:
        if "desk" not in desks:
            desks["desk"] = await a_desk(database, document)
        width, height = SIZES[size]
        context: BrowserContext = await contexts(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            reduced_motion="reduce",
            has_touch=touch,
            permissions=["clipboard-read", "clipboard-write"],
        )
        token = await session_of(database, role, name)
        await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": address}])
        page = await context.new_page()
        await page.add_init_script(WATCH)
        easel = Easel(page, desks["desk"], address)
        made.append(easel)
        await easel.open()
        return easel

    yield open_window
    for easel in made:
        if not easel.page.is_closed():
            assert await easel.broken() == []


def marked(name: str) -> re.Pattern[str]:
    """What an element's classes match when one of them is `name`."""
    return re.compile(rf"\b{name}\b")
