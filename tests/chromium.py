"""The one way in which tests start a browser: Debian's Chromium, headless, talking to nobody else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

Contexts = Callable[..., Awaitable[BrowserContext]]
"""Makes browser contexts, out of Playwright's own settings."""

WATCH = (
    "window.broken = []; addEventListener('securitypolicyviolation',"
    " e => broken.push(`${e.violatedDirective} ${e.blockedURI}`));"
    "addEventListener('error', e => broken.push(e.message));"
)
"""An init script: `window.broken` collects violations of the policy and errors of scripts."""

SPILL = "Math.max(0, document.documentElement.scrollWidth - innerWidth)"
"""How many pixels of a page lie beyond its window."""

# A busy machine is no reason to fail.
UNTIL_S = 30
expect.set_options(timeout=UNTIL_S * 1_000)

PATH = "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A running browser; each context that is made of it has an empty profile of its own.

    A missing Chromium is an error, not a skipped test: `make test` installs it.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PATH, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


async def until(page: Page, holds: str, arg: Any = None) -> None:
    """Return once an expression, or a function of `arg`, is true in the page.

    Playwright's own `wait_for_function` looks again by `eval`, which our policy forbids.
    """
    async with asyncio.timeout(UNTIL_S):
        while not await page.evaluate(holds, arg):  # noqa: ASYNC110 - the page tells nobody
            await asyncio.sleep(0.02)
