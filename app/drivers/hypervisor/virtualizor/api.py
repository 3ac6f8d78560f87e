"""Calls of Virtualizor's admin API: everything is `/index.php?act=…`, and errors are in the body.

The keys travel in the URL. GETs change state here: none is ever sent a second time by itself.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from app.drivers.errors import DriverError, RateLimited, Refused, Retriable, Unauthorised
from app.drivers.hide import Hider
from app.drivers.http.client import HttpClient
from app.drivers.http.contract import Answer, Call, HttpPeer, QueryKeys
from app.drivers.hypervisor.contract import HypervisorPeer, NoRoom
from app.drivers.hypervisor.waiting import pause_s
from app.drivers.secret import Secret

CALL_S = 30.0
MAKE_S = 180.0
"""Some deeds answer only once the panel has written everything down."""
PAGE = 50
MOST_PAGES = 1_000
FORM = "application/x-www-form-urlencoded"
HIDDEN = ("rootpass", "newpass", "conf", "user_pass")
"""What requests carry in secret; an answer may repeat it."""
_LOGIN = re.compile(
    r"api (?:key|cred|pass)|invalid login|not allowed from|\blog ?in\b", re.IGNORECASE
)
_FOR_NOW = re.compile(
    r"locked|in progress|already running|being (?:built|rebuilt|processed)|try again|time[d -]*out"
    r"|could not connect",
    re.IGNORECASE,
)
_NO_ROOM = re.compile(
    r"(?:not enough|insufficient|no free|not sufficient).*(?:ram|memory|space|disk|resource|server)"
    r"|no (?:server|node)s? .*available",
    re.IGNORECASE,
)


class Failed(Refused):
    """Virtualizor will not do it, for a reason that lies in the request or the machine's state."""


class Api:
    """One Virtualizor master, by an admin's API key."""

    def __init__(
        self, http: HttpClient, peer: HypervisorPeer, elsewhere: HttpPeer | None = None
    ) -> None:
        """`elsewhere` is another of its panels, and how that knows us."""
        url = peer.url.rstrip("/").removesuffix("/index.php")
        keys = (("adminapikey", Secret(peer.username)), ("adminapipass", peer.secret))
        self._http = http
        self._peer = elsewhere or HttpPeer(
            name=peer.name, base_url=url, auth=QueryKeys(keys), tls=peer.tls
        )
        self.name = peer.name
        self.owner = peer.owner

    async def get(self, act: str, *, timeout_s: float = CALL_S, **query: Any) -> dict[str, Any]:
        return await self._call(act, query, None, timeout_s)

    async def post(
        self,
        act: str,
        form: Mapping[str, Any],
        *,
        timeout_s: float = CALL_S,
        **query: Any,
    ) -> dict[str, Any]:
        return await self._call(act, query, form, timeout_s)

    async def rows(self, act: str, name: str, **query: Any) -> list[dict[str, Any]]:
        """Return the rows of all pages of the list `name`, each told by its id in the panel."""
        rows: dict[str, dict[str, Any]] = {}
        for page in range(1, MOST_PAGES + 1):
            answer = await self.get(act, page=page, reslen=PAGE, **query)
            found = dict(_rows(answer.get(name)))
            # Some lists know no pages: they give the same each time.
            if found.keys() <= rows.keys():
                break
            rows |= found
            if len(found) < PAGE:
                break
        return list(rows.values())

    async def _call(
        self, act: str, query: Mapping[str, Any], form: Mapping[str, Any] | None, timeout_s: float
    ) -> dict[str, Any]:
        body = None if form is None else urlencode(list(_pairs(form))).encode()
        call = Call(
            method="GET" if form is None else "POST",
            url="index.php",
            query={"act": act, "api": "json", **query},
            headers={} if form is None else {"Content-Type": FORM},
            body=body,
            timeout_s=timeout_s,
        )
        answer = await self._http.call(call, self._peer)
        return self._read(act, answer, form or {})

    def _read(self, act: str, answer: Answer, form: Mapping[str, Any]) -> dict[str, Any]:
        """Return what it answers; 200 says nothing here, the body's `error` does."""
        if answer.status == 429:
            raise RateLimited(self.name, answer.reason, after_s=pause_s(answer.headers))
        if answer.status in (401, 403):
            raise Unauthorised(self.name, f"{answer.status} {answer.reason}")
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            words = f"{answer.status} {answer.reason}".rstrip()
            raise Retriable(self.name, f"{words}; its answer is not that of Virtualizor's API")
        if found.get("error"):
            raise self._refusal(act, found["error"], form)
        if answer.status >= 400:
            raise Retriable(self.name, f"{answer.status} {answer.reason}".rstrip())
        return found

    def _refusal(self, act: str, error: Any, form: Mapping[str, Any]) -> DriverError:
        hidden = Hider(str(form[key]) for key in HIDDEN if form.get(key))
        field, words = _first(error)
        words = hidden.hide(" ".join(re.sub(r"<[^>]*>", " ", words).split())[:1_000])
        if _LOGIN.search(words):
            return Unauthorised(self.name, words)
        if act == "addvs" and _NO_ROOM.search(words):
            return NoRoom(self.name, words)
        if _FOR_NOW.search(words):
            return Retriable(self.name, words)
        return Failed(self.name, field=field or "request", reason=words or "no reason given")


def is_done(answer: Mapping[str, Any]) -> bool:
    """Return whether a deed was taken: `done` is 1, true, or a map that says so."""
    done = answer.get("done")
    if isinstance(done, Mapping):
        return bool(done.get("done", done))
    return bool(done) or bool(answer.get("vsop")) or bool(answer.get("vs_info"))


def _first(error: Any) -> tuple[str, str]:
    """Return the field and the words of the first error: a map, a list or a text."""
    if isinstance(error, Mapping):
        field, words = next(iter(error.items()))
        return "" if str(field).isdecimal() else str(field), str(words)
    if isinstance(error, list):
        return "", str(error[0])
    return "", str(error)


def _rows(found: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows by id: PHP gives a map by id, or a list, or an empty list for none."""
    pairs: Iterable[tuple[Any, Any]] = enumerate(found or ())
    if isinstance(found, Mapping):
        pairs = found.items()
    for key, row in pairs:
        if isinstance(row, dict):
            yield str(key), row


def _pairs(form: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a form as PHP reads it: `space[0][size]`, `ips[0]`."""
    for key, value in form.items():
        name = f"{prefix}[{key}]" if prefix else str(key)
        if isinstance(value, Mapping):
            yield from _pairs(value, name)
        elif isinstance(value, (list, tuple)):
            yield from _pairs({str(at): one for at, one in enumerate(value)}, name)
        else:
            yield name, value
