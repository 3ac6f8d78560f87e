"""Calls of the SolusVM 2 API: JSON both ways, pages, and how it says no as `DriverError`s."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from app.drivers.errors import DriverError, RateLimited, Refused, Retriable, Unauthorised
from app.drivers.hide import Hider
from app.drivers.http.client import HttpClient
from app.drivers.http.contract import Answer, Bearer, Call, HttpPeer
from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.hypervisor.waiting import pause_s

PREFIX = "/api/v1"
CALL_S = 30.0
PAGE = 100
MOST_PAGES = 1_000
HIDDEN = ("password", "user_data")
"""What requests carry in secret; an answer may repeat it."""


class Failed(Refused):
    """SolusVM will not do it, for a reason that lies in the request or in the machine's state."""


class Gone(Failed):
    """There is no such thing (404)."""


class Api:
    """One SolusVM, as the owner of one API token."""

    def __init__(self, http: HttpClient, peer: HypervisorPeer) -> None:
        url = peer.url.rstrip("/").removesuffix(PREFIX)
        self._http = http
        self._peer = HttpPeer(
            name=peer.name, base_url=url + PREFIX, auth=Bearer(peer.secret), tls=peer.tls
        )
        self.name = peer.name
        self.host = url
        self.owner = peer.owner

    async def get(self, path: str, **query: Any) -> Any:
        return await self._call("GET", path, query=query)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return await self._call("POST", path, body=body)

    async def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return await self._call("PATCH", path, body=body)

    async def delete(self, path: str) -> Any:
        return await self._call("DELETE", path)

    async def list(self, path: str, **filters: Any) -> list[dict[str, Any]]:
        """Return the rows of all pages; `filters` are by field."""
        query = {f"filter[{field}]": value for field, value in filters.items()}
        rows: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            found = await self._read("GET", path, query=query | {"page": page, "per_page": PAGE})
            rows += found["data"]
            if page >= int((found.get("meta") or {}).get("last_page", 1)):
                break
        return rows

    async def _call(self, method: str, path: str, **more: Any) -> Any:
        """Return `data`, or all of an answer that has none."""
        found = await self._read(method, path, **more)
        return found.get("data", found) if isinstance(found, dict) else found

    async def _read(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        call = Call(
            method=method,
            url=path,
            query=query or {},
            headers=headers,
            body=None if body is None else msgspec.json.encode(body),
            timeout_s=CALL_S,
        )
        answer = await self._http.call(call, self._peer)
        if answer.status >= 300:
            raise self._refusal(answer, body or {})
        if answer.status == 204 or not answer.body:
            return {}
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Retriable(self.name, "its answer is not that of a SolusVM 2 API")
        return found

    def _refusal(  # noqa: PLR0911 - one for each kind
        self, answer: Answer, body: Mapping[str, Any]
    ) -> DriverError:
        """Return what it said in its own words, with what was sent in secret hidden in them."""
        hidden = Hider(str(body[key]) for key in HIDDEN if body.get(key))
        field, words = _said(answer)
        words = hidden.hide(" ".join(words.split())[:1_000]) or answer.reason
        match answer.status:
            case 401:
                return Unauthorised(self.name, words or "the token was not accepted")
            case 403:
                return Failed(self.name, field="permission", reason=words)
            case 404:
                return Gone(self.name, field=field or "request", reason=words)
            case 429:
                return RateLimited(self.name, words, after_s=pause_s(answer.headers))
            case 408 | 409 | 423 | 425:  # the machine is at work
                return Retriable(self.name, words)
            case status if status >= 500:
                return Retriable(self.name, words)
        return Failed(self.name, field=field or "request", reason=words)


def _said(answer: Answer) -> tuple[str, str]:
    """Return the field that is refused, if one is, and why."""
    text = answer.body.decode(errors="replace").strip()
    try:
        found = json.loads(text)
    except ValueError:
        return "", text if text[:1] != "<" else answer.reason
    if not isinstance(found, dict):
        return "", text
    errors = found.get("errors")
    if isinstance(errors, dict) and errors:
        field, reasons = next(iter(errors.items()))
        first = reasons[0] if isinstance(reasons, list) and reasons else reasons
        return str(field), str(first)
    return "", str(found.get("message") or text)
