"""A browser for tests: keeps cookies, finds a page's CSRF token, follows nothing by itself."""

import re
from typing import Any

import httpx
from litestar import Litestar

from tests.accounts.people import PASSWORD

_TOKEN = re.compile(r'name="_csrf_token" value="([0-9a-f]{64})"')


def csrf_of(page: str) -> str:
    """Return the token in a page's forms."""
    found = _TOKEN.search(page)
    assert found is not None, "the page has no CSRF field"
    return found[1]


class Browser(httpx.AsyncClient):
    """Talks to an application in this event loop; one instance is one browser."""

    def __init__(
        self, app: Litestar, *, base_url: str = "http://slipway.test", address: str = "192.0.2.7"
    ) -> None:
        super().__init__(
            transport=httpx.ASGITransport(
                app, client=(address, 50_000), raise_app_exceptions=False
            ),
            base_url=base_url,
            headers={"Accept": "text/html", "User-Agent": "Test Browser 1.0"},
        )

    async def send_form(
        self, page: str, action: str, values: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """Open `page`, and post one of its forms with the token found there."""
        token = csrf_of((await self.get(page)).text)
        return await self.post(action, data={"_csrf_token": token, **(values or {})}, **more)

    async def sign_in(
        self, email: str = "ada@example.com", password: str = PASSWORD
    ) -> httpx.Response:
        return await self.send_form("/sign-in", "/sign-in", {"email": email, "password": password})
