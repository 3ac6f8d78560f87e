"""The demo's client: signs in, orders and pays through the portal, as a browser would."""

import re
from html.parser import HTMLParser

import httpx

from app.cli.demo.logins import Login
from app.cli.demo.processes import DemoFailed


class SoldOut(DemoFailed):
    code = "demo.sold_out"

    def __init__(self, product: str) -> None:
        super().__init__(
            f"{product} is sold out, so nothing was ordered. Release a machine on the admin's "
            "pages, or begin anew with `make clean-demo`."
        )


_PLACE = re.compile(r"/(orders|invoices)/([0-9a-f-]{36})")


class _Form(HTMLParser):
    """Collects the fields of the first form whose action ends as wanted."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
        self.found = False
        self.fields: dict[str, str] = {}
        self._inside = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("action", "").endswith(self.action) and not self.found:
            self._inside = self.found = True
        elif not self._inside:
            return
        elif tag == "input" and "name" in values:
            checked = values.get("type") not in ("radio", "checkbox") or "checked" in values
            if checked:
                self.fields[values["name"]] = values.get("value", "")
        elif tag == "select":
            self._select = values.get("name", "")
        elif tag == "option" and (self._select not in self.fields or "selected" in values):
            self.fields[self._select] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def fields_of(page: str, action: str) -> dict[str, str]:
    """Return the prefilled fields of a form, its CSRF token among them."""
    form = _Form(action)
    form.feed(page)
    if not form.found:
        raise DemoFailed(f"The page has no form for {action}; is this the portal?")
    return form.fields


class PortalClient:
    """A client of the portal; keeps cookies, follows redirects, checks every answer."""

    def __init__(self, base_url: str) -> None:
        self.http = httpx.AsyncClient(
            base_url=base_url, follow_redirects=True, trust_env=False, timeout=30.0
        )

    async def close(self) -> None:
        await self.http.aclose()

    async def sign_in(self, login: Login) -> None:
        page = await self._get("/sign-in")
        fields = fields_of(page, "/sign-in") | {"email": login.email, "password": login.password}
        await self._post("/sign-in", fields)

    async def order(self, product: str, **answers: str) -> str:
        """Order a product; returns the path of the page that the portal leads to."""
        path = f"/products/{product}"
        page = await self._get(path)
        fields = fields_of(page, f"{path}/order") | answers
        response = await self.http.post(f"{path}/order", data=fields)
        if response.status_code == 409:
            raise SoldOut(product)
        self._check(response)
        found = _PLACE.search(response.url.path)
        if found is None:
            raise DemoFailed(f"The portal took the order and led to {response.url.path}.")
        return found[0]

    async def _get(self, path: str) -> str:
        response = await self.http.get(path)
        self._check(response)
        return response.text

    async def _post(self, path: str, fields: dict[str, str]) -> httpx.Response:
        response = await self.http.post(path, data=fields)
        self._check(response)
        return response

    @staticmethod
    def _check(response: httpx.Response) -> None:
        if response.is_error:
            text = re.sub(r"<[^>]+>|\s+", " ", response.text)[:300]
            path = response.request.url.path
            raise DemoFailed(f"{path} answered {response.status_code}: {text}")
