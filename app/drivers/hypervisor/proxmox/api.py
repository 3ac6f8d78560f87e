"""Calls of the PVE API: form in, JSON out, and its many ways to say no as `DriverError`s."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec

from app.drivers.errors import DriverError, Refused, Retriable, Unauthorised
from app.drivers.hide import Hider
from app.drivers.http.client import HttpClient
from app.drivers.http.contract import Answer, Basic, Call, HttpPeer, NoAuth
from app.drivers.hypervisor.proxmox.pace import pace_of
from app.drivers.hypervisor.proxmox.readings import readings_of
from app.drivers.hypervisor.proxmox.tickets import Ticket, tickets_of
from app.drivers.secret import Secret

CALL_S = 30.0
"""PVE answers in milliseconds; the config lock of a machine makes it wait up to 10 s."""
FORM = "application/x-www-form-urlencoded"
FOR_GOOD = (
    "does not exist",
    "already exists",
    "not allowed",
    "not supported",
    "no such",
    "unable to parse",
    "shrinking disks",
    "is not a valid",
    "parameter verification failed",
)
"""Parts of what PVE says where asking again changes nothing; of the rest we do not know that."""


class Failed(Refused):
    """PVE will not do it, for a reason that lies in the request or in the machine's state."""


def refusal(peer: str, words: str, field: str = "request") -> DriverError:
    """Return what PVE's own words amount to: for good, or for now."""
    words = " ".join(words.split())[:1_000] or "no reason given"
    low = words.lower()
    if any(part in low for part in FOR_GOOD):
        return Failed(peer, field=field, reason=words)
    return Retriable(peer, words)


class Api:
    """One cluster, as one user.

    `peer.auth` is an API token in the header `Authorization` (`PVEAPIToken=USER@REALM!ID=SECRET`),
    or a user and password, for which tickets are got.
    """

    def __init__(self, http: HttpClient, peer: HttpPeer) -> None:
        self._http = http
        self._login = peer.auth if isinstance(peer.auth, Basic) else None
        self._peer = peer if self._login is None else msgspec.structs.replace(peer, auth=NoAuth())
        self._tickets = tickets_of(http)
        self._readings = readings_of(http)
        self.pace = pace_of(http)
        self.name = peer.name

    @property
    def base_url(self) -> str:
        return self._peer.base_url.rstrip("/")

    async def get(self, path: str, **query: Any) -> Any:
        return await self._call("GET", path, query=query)

    async def resources(self, *, within_s: float = 0.0) -> Any:
        """Return `cluster/resources`; who asks at the same moment shares the answer."""
        whose = (self.base_url, self._login or self._peer.auth)
        read = partial(self.get, "cluster/resources")
        return await self._readings.get(whose, read, within_s=within_s)

    async def post(self, path: str, **form: Any) -> Any:
        return await self._call("POST", path, form=form)

    async def put(self, path: str, **form: Any) -> Any:
        return await self._call("PUT", path, form=form)

    async def delete(self, path: str, **query: Any) -> Any:
        """PVE takes no body with DELETE (501): parameters go into the query."""
        return await self._call("DELETE", path, query=query)

    async def credentials(self) -> dict[str, Secret]:
        """Return the headers that a web socket of this user needs."""
        if self._login is None:
            auth = self._peer.auth
            key = getattr(auth, "key", None)
            return {} if key is None else {"Authorization": key}
        ticket = await self._signed_in(self._login)
        return {"Cookie": Secret(f"PVEAuthCookie={ticket.cookie.reveal()}")}

    def forget_ticket(self) -> None:
        """Sign in at the next call, for what the ticket was got with may be wrong by now."""
        if self._login is not None:
            self._tickets.forget(self._peer.base_url, self._login)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
    ) -> Any:
        ticket = None if self._login is None else await self._signed_in(self._login)
        answer = await self._send(ticket, method, path, query or {}, form)
        if answer.status == 401 and self._login is not None:  # two hours old; it was not done
            self._tickets.forget(self._peer.base_url, self._login, refused=ticket)
            ticket = await self._signed_in(self._login)
            answer = await self._send(ticket, method, path, query or {}, form)
        return self._read(answer, form or {})

    async def _send(
        self,
        ticket: Ticket | None,
        method: str,
        path: str,
        query: Mapping[str, Any],
        form: Mapping[str, Any] | None,
    ) -> Answer:
        headers: dict[str, str] = {}
        if ticket is not None:
            headers["Cookie"] = f"PVEAuthCookie={ticket.cookie.reveal()}"
            headers["CSRFPreventionToken"] = ticket.csrf.reveal()
        body = None
        if form is not None:
            headers["Content-Type"] = FORM
            body = urlencode({key: _plain(value) for key, value in form.items()}).encode()
        call = Call(
            method=method,
            url=path.lstrip("/"),
            query={key: _plain(value) for key, value in query.items()},
            headers=headers,
            body=body,
            timeout_s=CALL_S,
        )
        return await self._http.call(call, self._peer)

    async def _signed_in(self, login: Basic) -> Ticket:
        return await self._tickets.get(self._peer.base_url, login, partial(self._sign_in, login))

    async def _sign_in(self, login: Basic) -> Ticket:
        form = {"username": login.username, "password": login.password.reveal()}
        call = Call(
            method="POST",
            url="access/ticket",
            headers={"Content-Type": FORM},
            body=urlencode(form).encode(),
            timeout_s=CALL_S,
        )
        answer = await self._http.call(call, self._peer)
        found = self._read(answer, form)
        if found.get("NeedTFA"):
            reason = "this user signs in with a second factor; make an API token for Slipway"
            raise Unauthorised(self.name, reason)
        return Ticket(Secret(found["ticket"]), Secret(found["CSRFPreventionToken"]))

    def _read(self, answer: Answer, form: Mapping[str, Any]) -> Any:
        """Return `data`. What the request carried in secret is hidden in what comes back."""
        if answer.status < 300:
            try:
                return json.loads(answer.body)["data"]
            except (ValueError, KeyError, TypeError) as error:
                raise Retriable(self.name, "its answer is not that of a PVE API") from error
        said = _said(answer)
        hidden = Hider(str(form[key]) for key in ("password", "cipassword") if key in form)
        words = hidden.hide(said.get("message") or answer.reason)
        match answer.status:
            case 401:
                raise Unauthorised(self.name, words or "the credentials were not accepted")
            case 403:
                raise Failed(self.name, field="permission", reason=words)
            case 400 | 501:
                errors = said.get("errors") or {}
                field, reason = next(iter(errors.items()), ("request", words))
                raise Failed(self.name, field=field, reason=hidden.hide(str(reason)).strip())
        raise refusal(self.name, words)


def _said(answer: Answer) -> dict[str, Any]:
    """Return what a failure says: JSON in new versions, bare text or a status line in others."""
    text = answer.body.decode(errors="replace").strip()
    try:
        found = json.loads(text)
    except ValueError:
        return {"message": text}
    return found if isinstance(found, dict) else {}


def _plain(value: Any) -> str:
    """Return a value as PVE reads it: its booleans are 0 and 1."""
    return str(int(value)) if isinstance(value, bool) else str(value)
