"""Calls of the panel's two APIs: JSON in and out, and its ways to say no as `DriverError`s."""

import json
from collections.abc import Mapping
from typing import Any

from app.drivers.errors import DriverError, Refused, Retriable, Unauthorised
from app.drivers.game.contract import GamePeer, Limited, NoRoom
from app.drivers.http.client import HttpClient
from app.drivers.http.contract import Answer, Bearer, Call, HttpPeer
from app.drivers.secret import Secret

CALL_S = 30.0
"""The panel waits up to 15 s for the daemon of a node."""
PAGE = 100
MOST_PAGES = 500
AGAIN_S = 60.0
"""After a 429 without `Retry-After`: its limits are by the minute."""
NO_ROOM = ("NoViableNodeException", "NoViableAllocationException")


class Failed(Refused):
    """The panel will not do it, for a reason in the request or in the server's state."""


class NotThere(Failed):
    """What was asked about is not at the panel."""


class Api:
    """One panel. `application` makes things, `client` switches and reads servers."""

    def __init__(self, http: HttpClient, peer: GamePeer) -> None:
        self._http = http
        self.name = peer.name
        self.url = peer.url.rstrip("/").removesuffix("/api")
        self._application = _at(peer, f"{self.url}/api/application", peer.key)
        self._client = (
            None
            if peer.client_key is None
            else _at(peer, f"{self.url}/api/client", peer.client_key)
        )

    @property
    def has_client(self) -> bool:
        return self._client is not None

    async def get(self, path: str, **query: Any) -> Any:
        return await self._call(self._application, "GET", path, query=query)

    async def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Return the attributes of a whole list, page by page."""
        found: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            answer = await self.get(path, **{"page": page, "per_page": PAGE, **query})
            found += [row["attributes"] for row in answer["data"]]
            if page >= answer["meta"]["pagination"]["total_pages"]:
                break
        return found

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return await self._call(self._application, "POST", path, body=body or {})

    async def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return await self._call(self._application, "PATCH", path, body=body)

    async def delete(self, path: str) -> None:
        await self._call(self._application, "DELETE", path)

    async def client(
        self, method: str, path: str = "", body: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the client API. Raises Failed where the connection has no key for it."""
        if self._client is None:
            reason = "the connection has none; make one of an administrator's account at the panel"
            raise Failed(self.name, field="client key", reason=reason)
        return await self._call(self._client, method, path, body=body)

    async def _call(
        self,
        peer: HttpPeer,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        # Without `Accept` the panel answers with its sign-in page.
        headers = {"Accept": "application/json"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        call = Call(
            method=method,
            url=path,
            query=query or {},
            headers=headers,
            body=data,
            timeout_s=CALL_S,
        )
        return self._read(await self._http.call(call, peer))

    def _read(self, answer: Answer) -> Any:
        if answer.status == 204:
            return None
        try:
            said = json.loads(answer.body)
        except ValueError:
            said = None
        if answer.status < 300:
            if not isinstance(said, dict) or "object" not in said:
                raise Retriable(self.name, "its answer is not that of a Pterodactyl panel")
            return said
        raise self._failure(answer, said)

    def _failure(self, answer: Answer, said: Any) -> DriverError:
        errors = said.get("errors", []) if isinstance(said, dict) else []
        details = [str(error.get("detail", "")) for error in errors]
        words = " ".join(filter(None, details))[:1_000] or f"{answer.status} {answer.reason}"
        code = str(errors[0].get("code", "")) if errors else ""
        if answer.status == 401:
            return Unauthorised(self.name, words)
        if answer.status == 429:
            return Limited(self.name, words, again_s=_again_s(answer))
        is_for_now = answer.status >= 500 or (answer.status == 409 and "suspended" not in words)
        if is_for_now:
            return Retriable(self.name, words)
        if code in NO_ROOM:
            return NoRoom(self.name, words)
        return self._refusal(answer, errors, words)

    def _refusal(self, answer: Answer, errors: list[dict[str, Any]], words: str) -> Failed:
        match answer.status:
            case 403:
                reason = f"{words} Give the key read and write rights for {_what(answer)}"
                return Failed(self.name, field="permission", reason=reason)
            case 404:
                return NotThere(self.name, field="request", reason=words)
            case 409:
                return Failed(self.name, field="server", reason=words)
        return Failed(self.name, field=_fields(errors), reason=words)


def _at(peer: GamePeer, base_url: str, key: Secret) -> HttpPeer:
    return HttpPeer(name=peer.name, base_url=base_url, auth=Bearer(key), tls=peer.tls)


def _what(answer: Answer) -> str:
    """Return which of the panel's resources was asked for: `servers`."""
    parts = answer.url.path.partition("/api/")[2].split("/")
    return parts[1] if len(parts) > 1 else "it"


def _fields(errors: list[dict[str, Any]]) -> str:
    """Return the fields that were found fault with, as the panel names them."""
    found = (str(error.get("meta", {}).get("source_field", "")) for error in errors)
    return ", ".join(dict.fromkeys(filter(None, found))) or "request"


def _again_s(answer: Answer) -> float:
    said = answer.headers.get("retry-after", "")
    return max(float(said), 1.0) if said.isdecimal() else AGAIN_S
