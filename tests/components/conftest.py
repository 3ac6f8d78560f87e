"""A small site of the gallery's pages on loopback, and a headless browser to look at it."""

import asyncio
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, BrowserContext, Error, async_playwright

from app.cli.assets import build_assets
from tests.components.site import Site

CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session", autouse=True)
def assets() -> None:
    build_assets()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    site = Site(f"http://127.0.0.1:{listener.getsockname()[1]}")
    server = uvicorn.Server(
        uvicorn.Config(site.app, log_level="error", ws="none", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    yield site
    site.close_streams()
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture(scope="session")
def chromium() -> str | None:
    """Return the Chromium on PATH; None lets Playwright take its own."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")


@pytest.fixture(scope="session")
async def browser(chromium: str | None) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=CHROMIUM_FLAGS
            )
        except Error as missing:
            if chromium is not None:
                raise
            pytest.skip(f"there is no Chromium: {missing.message.splitlines()[0]}")
        yield browser
        await browser.close()


@pytest.fixture
async def contexts(browser: Browser) -> AsyncIterator[Callable[..., Awaitable[BrowserContext]]]:
    """Make browser contexts that are closed when the test ends, however it ends."""
    made: list[BrowserContext] = []

    async def make(**settings: Any) -> BrowserContext:
        made.append(await browser.new_context(**settings))
        return made[-1]

    yield make
    for context in made:
        await context.close()
