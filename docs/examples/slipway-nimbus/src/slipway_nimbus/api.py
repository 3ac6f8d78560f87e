"""Calls of the Nimbus API: JSON both ways, and how it says no as `DriverError`s."""

import json
from collections.abc import Mapping
from typing import Any

from app.drivers.errors import DriverError, RateLimited, Refused, Retriable, Unauthorised
from app.drivers.hide import Hider
from app.drivers.http.client import HttpClient
from app.drivers.http.contract import Answer, Bearer, Call, HttpPeer
from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.hypervisor.waiting import pause_s

CALL_S = 30.0
Row = dict[str, Any]


class Api:
    """One region, as the owner of one token. The client keeps to the egress policy and the TLS."""

    def __init__(self, http: HttpClient, peer: HypervisorPeer) -> None:
        self._http = http
        self._peer = HttpPeer(
            name=peer.name, base_url=peer.url, auth=Bearer(peer.secret), tls=peer.tls
        )
        self.name = peer.name
        self.region = peer.settings["region"]

    async def get(self, path: str, **query: str) -> Row:
        return await self._call("GET", path, query=query)

    async def post(self, path: str, body: Row | None = None) -> Row:
        return await self._call("POST", path, body=body or {})

    async def delete(self, path: str, **query: str) -> None:
        await self._call("DELETE", path, query=query)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Row | None = None,
    ) -> Row:
        call = Call(
            method=method,
            url=f"/v1/regions/{self.region}{path}",
            query=query or {},
            headers={"Content-Type": "application/json"} if body is not None else {},
            body=None if body is None else json.dumps(body).encode(),
            timeout_s=CALL_S,
        )
        answer = await self._http.call(call, self._peer)
        if answer.status >= 300:
            raise self._refusal(answer, Hider([str((body or {}).get("password", ""))]))
        try:
            found = json.loads(answer.body or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Retriable(self.name, "its answer is not that of a Nimbus API")
        return found

    def _refusal(self, answer: Answer, hidden: Hider) -> DriverError:
        """Return what it said in its own words, without the password that was sent to it."""
        field, words = _said(answer)
        words = hidden.hide(words)[:1_000]
        match answer.status:
            case 401 | 403:
                return Unauthorised(self.name, words)
            case 429:
                return RateLimited(self.name, words, after_s=pause_s(answer.headers))
            case 409:  # the machine is at work
                return Retriable(self.name, words)
            case status if status >= 500:
                return Retriable(self.name, words)
        return Refused(self.name, field=field, reason=words)


def _said(answer: Answer) -> tuple[str, str]:
    """Return the field that is refused, if one is, and why."""
    try:
        error = json.loads(answer.body)["error"]
        return str(error.get("field") or "request"), str(error["message"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return "request", f"{answer.status} {answer.reason}"
