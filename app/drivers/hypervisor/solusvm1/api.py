"""Calls of SolusVM 1's admin API: one address, a form with an action, and no tasks.

Calls take as long as their work, up to minutes. Answers are JSON where it is asked for and known,
else fragments of XML without a root, not always well-formed.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from app.drivers.errors import DriverError, RateLimited, Refused, Retriable, Unauthorised
from app.drivers.hide import Hider
from app.drivers.http.client import HttpClient
from app.drivers.http.contract import Call, HttpPeer
from app.drivers.hypervisor.contract import HypervisorPeer, NoRoom
from app.drivers.hypervisor.waiting import pause_s
from app.drivers.secret import Secret

PATH = "/api/admin/command.php"
CALL_S = 30.0
WORK_S = 150.0
"""For what makes, removes or moves something."""
FORM = "application/x-www-form-urlencoded"
HIDDEN = ("password", "rootpassword")
_TAG = re.compile(r"<([A-Za-z][\w-]*)>(.*?)</\1>", re.DOTALL)
_LOGIN = re.compile(r"invalid (?:id|key|ip ?address|login|api)|not authori[sz]ed", re.IGNORECASE)
_NO_ROOM = re.compile(
    r"no (?:available|suitable|free).*(?:ip|node|memory|disk|space)|(?:not enough|insufficient)",
    re.IGNORECASE,
)
_FOR_NOW = re.compile(r"try again|in progress|locked|busy|time[d -]*out|connect", re.IGNORECASE)


class Failed(Refused):
    """SolusVM will not do it, for a reason that lies in the request or in the machine's state."""


class Api:
    """One SolusVM 1 master, by an administrator's API id and key."""

    def __init__(self, http: HttpClient, peer: HypervisorPeer) -> None:
        url = peer.url.rstrip("/").removesuffix(PATH)
        self._http = http
        self._peer = HttpPeer(name=peer.name, base_url=url, tls=peer.tls)
        self._login = (Secret(peer.username), peer.secret)
        self.name = peer.name
        self.virt = peer.virt or "kvm"

    async def ask(self, action: str, *, timeout_s: float = CALL_S, **form: Any) -> dict[str, Any]:
        """Return what it answers. Raises what an error there amounts to."""
        identity, key = (secret.reveal() for secret in self._login)
        body = {"id": identity, "key": key, "action": action, "rdtype": "json", **form}
        call = Call(
            method="POST",
            url=PATH.lstrip("/"),
            headers={"Content-Type": FORM},
            body=urlencode(body).encode(),
            timeout_s=timeout_s,
        )
        answer = await self._http.call(call, self._peer)
        hidden = Hider((identity, key, *(str(form[name]) for name in HIDDEN if form.get(name))))
        if answer.status == 429:
            raise RateLimited(self.name, answer.reason, after_s=pause_s(answer.headers))
        text = answer.body.decode(errors="replace").strip()
        found = read(text)
        if not found.get("status"):
            words = hidden.hide(f"{answer.status} {answer.reason} {text[:200]}".strip())
            raise Retriable(self.name, f"{words}; that is no answer of SolusVM's API")
        if found["status"] != "success":
            said = " ".join(hidden.hide(str(found.get("statusmsg") or "")).split())[:1_000]
            raise self._refusal(action, said or "no reason given")
        return found

    def _refusal(self, action: str, words: str) -> DriverError:
        if _LOGIN.search(words):
            return Unauthorised(self.name, words)
        if action == "vserver-create" and _NO_ROOM.search(words):
            return NoRoom(self.name, words)
        if _FOR_NOW.search(words):
            return Retriable(self.name, words)
        return Failed(self.name, field=action, reason=words)

    async def names(self, action: str, key: str) -> list[str]:
        """Return a list that is told as one text with commas."""
        found = await self.ask(action, type=self.virt)
        return [one.strip() for one in str(found.get(key) or "").split(",") if one.strip()]


def read(text: str) -> dict[str, Any]:
    """Return an answer as a map: of JSON, else of the XML fragments that can be made out.

    An element that comes several times in another one is a list: `virtualservers`.
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = _fragments(text)
    return found if isinstance(found, dict) else {}


def _fragments(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, inner in _TAG.findall(text):
        parts = _TAG.findall(inner)
        if parts and len({part for part, _ in parts}) == 1 and _TAG.search(parts[0][1]):
            found[name] = [_fragments(part) for _, part in parts]
        else:
            found[name] = inner.strip()
    return found


def rows_of(found: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the rows of a list; one without rows may be an empty text."""
    rows = found.get(name) or ()
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
