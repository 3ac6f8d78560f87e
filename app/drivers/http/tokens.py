"""OAuth 2 tokens: fetched when needed, once for all callers, kept until they are about to end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec

from app.core.clock import Clock
from app.drivers.errors import Refused, Retriable, Unauthorised
from app.drivers.http.authorise import basic
from app.drivers.http.contract import Answer, Call, ClientCredentials
from app.drivers.secret import Secret

EARLY = timedelta(seconds=30)
"""How long before its end a token is not used any more: a call may be under way for a while."""
DEFAULT_LIFE_S = 300.0
"""Of a token whose server does not say: short enough to be wrong rarely."""
ANSWER_LIMIT_BYTES = 64 * 1024


class Grant(msgspec.Struct, frozen=True):
    """A token server's answer (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - a scheme's name
    expires_in: float | str | None = None


@dataclass(slots=True)
class _Slot:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: Secret | None = None
    good_until: datetime | None = None


Fetch = Callable[[Call], Awaitable[Answer]]


class Tokens:
    """The tokens of one process, by the credentials that they were given for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slots: dict[ClientCredentials, _Slot] = {}

    async def token(self, auth: ClientCredentials, fetch: Fetch, *, peer: str) -> Secret:
        """Return a token that is good for a while; `fetch` makes the call for a new one.

        Raises Unauthorised when the credentials are refused, and whatever `fetch` does.
        """
        slot = self._slots.setdefault(auth, _Slot())
        async with slot.lock:  # whoever comes meanwhile takes the one that is being fetched
            if slot.token is None or slot.good_until is None or self._now() >= slot.good_until:
                grant = _read(await fetch(_ask(auth)), peer)
                slot.token = Secret(grant.access_token)
                slot.good_until = self._now() + _life(grant)
            return slot.token

    def forget(self, auth: ClientCredentials, token: Secret) -> None:
        """Drop a token that the peer does not accept, unless another has taken its place."""
        slot = self._slots.get(auth)
        if slot is not None and slot.token == token:
            slot.token = None

    def _now(self) -> datetime:
        return self._clock.now()


def _ask(auth: ClientCredentials) -> Call:
    form = {"grant_type": "client_credentials"}
    form |= {name: value for name in ("scope", "audience") if (value := getattr(auth, name))}
    secret = auth.client_secret.reveal()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    if auth.secret_in_body:
        form |= {"client_id": auth.client_id, "client_secret": secret}
    else:
        # RFC 6749, section 2.3.1: both are form-encoded before they become Basic.
        headers["Authorization"] = basic(quote_plus(auth.client_id), quote_plus(secret))
    return Call(
        method="POST",
        url=auth.token_url,
        headers=headers,
        body=urlencode(form).encode(),
        timeout_s=30.0,
        limit_bytes=ANSWER_LIMIT_BYTES,
    )


def _read(answer: Answer, peer: str) -> Grant:
    if answer.status == 429 or answer.status >= 500:
        raise Retriable(peer, f"its token server answers {answer.status} {answer.reason}")
    if answer.status != 200:
        raise Unauthorised(peer, f"its token server says {_why(answer)}")
    try:
        grant = msgspec.json.decode(answer.body, type=Grant)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(peer, field="token_url", reason=f"no token is there: {error}") from error
    if grant.token_type.lower() != "bearer":
        reason = f"its tokens are of type {grant.token_type}, not Bearer"
        raise Refused(peer, field="token_url", reason=reason)
    return grant


def _why(answer: Answer) -> str:
    """Return `invalid_client: …` (RFC 6749, section 5.2), or the status."""
    try:
        said: Any = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError):
        said = None
    if isinstance(said, dict) and isinstance(said.get("error"), str):
        more = said.get("error_description")
        return f"{said['error']}: {more}"[:300] if more else said["error"][:300]
    return f"{answer.status} {answer.reason}"


def _life(grant: Grant) -> timedelta:
    try:
        life_s = float(grant.expires_in) if grant.expires_in is not None else DEFAULT_LIFE_S
    except ValueError:
        life_s = DEFAULT_LIFE_S
    life = timedelta(seconds=min(max(life_s, 0.0), 86_400.0))
    return max(life - EARLY, life / 2)
