"""The admin's mail pages, in process and before a browser."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from litestar import Litestar
from playwright.async_api import Browser, BrowserContext, async_playwright
from redis.asyncio import Redis

from app.cli.assets import build_assets
from app.core.database import Database
from app.core.secrets import Vault
from tests.notices.site import Contexts, make_app


@pytest.fixture(scope="session")
def assets() -> None:
    build_assets()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
    async with async_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium on PATH and none installed by Playwright")
        browser = await playwright.chromium.launch(
            executable_path=found, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@pytest.fixture
async def contexts(browser: Browser) -> AsyncIterator[Contexts]:
    """Make browser contexts that are closed when the test ends, however it ends."""
    made: list[BrowserContext] = []

    async def make(**settings: Any) -> BrowserContext:
        made.append(await browser.new_context(**settings))
        return made[-1]

    yield make
    for context in made:
        await context.close()


@pytest.fixture
def app(assets: None, database: Database, redis: Redis, vault: Vault) -> Litestar:
    return make_app(database, redis, vault)


@pytest.fixture
async def address(app: Litestar) -> AsyncIterator[str]:
    """The pages on loopback, in the test's own event loop."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server.serve([listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task
    listener.close()
