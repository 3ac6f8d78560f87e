"""Calls HTTP peers through one pool of kept-alive connections a process."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from app.core.clock import Clock, SystemClock
from app.core.limit import within
from app.drivers.egress import Egress
from app.drivers.errors import Refused
from app.drivers.hide import NOTHING_HIDDEN, Hider
from app.drivers.http.authorise import authorised
from app.drivers.http.contract import Answer, Call, ClientCredentials, HttpPeer
from app.drivers.http.dial import connector
from app.drivers.http.hide import hider_of
from app.drivers.http.socket import ByteSocket
from app.drivers.http.target import parsed, same_origin, target
from app.drivers.http.tokens import Tokens
from app.drivers.http.trust import context_of
from app.drivers.http.words import translate
from app.drivers.secret import Secret
from app.drivers.tls import Tls

CONNECT_S = 10.0
MOST_REDIRECTS = 5
MOST_SOCKET_BYTES = 16 * 1024 * 1024
ERROR_LIMIT_BYTES = 64 * 1024
"""How much of an answer that is an error is read; its words are at its beginning."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HARMLESS = frozenset({"accept", "accept-language", "user-agent"})
USER_AGENT = "Slipway"


@dataclass(slots=True)
class Sending:
    """How far one call has come."""

    has_begun: bool = False
    """Whether a byte of the request may have been sent."""


class HttpClient:
    """Makes calls. One a process and event loop; it opens at the first call.

    Raises only `DriverError`s, and for no status of an answer but those of redirects: what a
    status means is the caller's to say.
    """

    def __init__(self, egress: Egress | None = None, clock: Clock | None = None) -> None:
        self._egress = egress or Egress()
        self._clock = clock or SystemClock()
        self._tokens = Tokens(self._clock)
        self._session: aiohttp.ClientSession | None = None

    async def call(self, call: Call, peer: HttpPeer | None = None) -> Answer:
        """Make the call, with the peer's credentials when there is one; follow redirects of GET.

        A token that the peer does not accept is fetched anew, once: a 401 was not done.
        """
        if peer is None:
            url = target(call.url, call.query, base="", peer="flow")
            return await self._follow(call, url, None, url.authority)
        url = target(call.url, call.query, base=peer.base_url, peer=peer.name)
        if not isinstance(peer.auth, ClientCredentials):
            return await self._follow(call, url, peer, peer.name)
        token = await self._token(peer, peer.auth)
        answer = await self._follow(call, url, peer, peer.name, token)
        if answer.status != 401:
            return answer
        self._tokens.forget(peer.auth, token)
        return await self._follow(call, url, peer, peer.name, await self._token(peer, peer.auth))

    @contextlib.asynccontextmanager
    async def socket(
        self, url: str, *, headers: Mapping[str, Secret], tls: Tls, name: str
    ) -> AsyncIterator[ByteSocket]:
        """Yield a web socket to an address that the peer `name` gave, by its own trust.

        The egress policy holds for it as for every call. Raises DriverError where it is not opened.
        """
        shown = {key: value.reveal() for key, value in headers.items()}
        try:
            with within(CONNECT_S):
                opened = await self._opened().ws_connect(
                    url,
                    protocols=("binary",),
                    headers=shown,
                    ssl=context_of(tls, None, name),
                    max_msg_size=MOST_SOCKET_BYTES,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise Refused(name, field="socket", reason=f"it answers {error.status}") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise translate(name, error) from error
        try:
            yield ByteSocket(opened, name)
        finally:
            await opened.close()

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _token(self, peer: HttpPeer, auth: ClientCredentials) -> Secret:
        """Ask the token server, with the peer's own trust when it is the same host."""

        async def fetch(call: Call) -> Answer:
            url = parsed(auth.token_url, peer.name)
            hider = hider_of(auth, peer.certificate)
            is_same = same_origin(url, parsed(peer.base_url, peer.name))
            trusted = peer if is_same else None
            return await self._send(call, url, call.headers, trusted, hider, name=peer.name)

        return await self._tokens.token(auth, fetch, peer=peer.name)

    async def _follow(
        self,
        call: Call,
        url: URL,
        peer: HttpPeer | None,
        name: str,
        token: Secret | None = None,
    ) -> Answer:
        """Send, and go where GET and HEAD are sent on to; credentials stay with their origin."""
        known: HttpPeer | None = peer
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._authorised(call, url, known, token, name)
            if answer.status not in REDIRECTS or "location" not in answer.headers:
                return answer
            place = answer.headers["location"]
            if call.method not in {"GET", "HEAD"}:
                reason = f"{call.method} is sent on to {place[:300]}; call that in its place"
                raise Refused(name, field="url", reason=reason)
            onward = _onward(url, place, name)
            if not same_origin(onward, url):
                known, call = None, _stripped(call)
                if url.scheme == "https" and onward.scheme == "http":
                    raise Refused(name, field="url", reason="it is sent on to unprotected HTTP")
            url = onward
        raise Refused(name, field="url", reason=f"it is sent on more than {MOST_REDIRECTS} times")

    async def _authorised(
        self, call: Call, url: URL, peer: HttpPeer | None, token: Secret | None, name: str
    ) -> Answer:
        if peer is None:
            return await self._send(call, url, call.headers, None, NOTHING_HIDDEN, name=name)
        headers = {**peer.headers, **call.headers}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.reveal()}"
            hider = Hider([token.reveal()])
            return await self._send(call, url, headers, peer, hider, name=name)
        now = self._clock.now()
        signed = authorised(peer.auth, call.method, url, headers, call.body or b"", now=now)
        hider = hider_of(peer.auth, peer.certificate)
        answer = await self._send(call, signed, headers, peer, hider, name=name)
        return answer if signed is url else msgspec.structs.replace(answer, url=url)

    async def _send(
        self,
        call: Call,
        url: URL,
        headers: Mapping[str, str],
        peer: HttpPeer | None,
        hider: Hider,
        *,
        name: str,
    ) -> Answer:
        ssl = True if peer is None else context_of(peer.tls, peer.certificate, peer.name)
        sending = Sending()
        try:
            with within(call.timeout_s):
                async with self._opened().request(
                    call.method,
                    url,
                    data=call.body,
                    headers=headers,
                    ssl=ssl,
                    allow_redirects=False,
                    timeout=_timeout(call.timeout_s),
                    trace_request_ctx=sending,
                ) as response:
                    body = await _read(response, call.limit_bytes, name)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise translate(name, error, has_begun=sending.has_begun) from error
        return Answer(
            response.status,
            _text(response.reason or ""),
            _headers(response, hider),
            hider.hide_bytes(body),
            url,
        )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=connector(self._egress),
                trace_configs=[_tracing()],
                # One client's cookies are no business of another's call to the same host.
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT},
                # Neither proxies nor ~/.netrc decide where a call goes or who it is from.
                trust_env=False,
            )
            # It would send a GET, PUT or DELETE that was not answered a second time, unseen. Some
            # APIs change state by GET; when to try again is the flow's policy to say.
            self._session._retry_connection = False  # noqa: SLF001 - there is no public way
        return self._session


def _tracing() -> aiohttp.TraceConfig:
    """Return what has each call's `Sending` take note."""

    async def begin(_: aiohttp.ClientSession, seen: Any, __: object) -> None:
        if seen.trace_request_ctx is not None:
            seen.trace_request_ctx.has_begun = True

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(begin)
    return tracing


@lru_cache(maxsize=64)
def _timeout(total_s: float) -> aiohttp.ClientTimeout:
    """Return the time for a connection; that for the whole is kept by `within`."""
    return aiohttp.ClientTimeout(total=None, connect=min(CONNECT_S, total_s * 0.9))


async def _read(response: aiohttp.ClientResponse, limit_bytes: int, name: str) -> bytes:
    """Return the body, decompressed; of an error only its beginning.

    A small answer of stated length is taken whole; any other is counted as it comes, since what
    was compressed may be a thousand times longer.
    """
    is_error = response.status >= 400
    limit_bytes = ERROR_LIMIT_BYTES if is_error else limit_bytes
    length = response.content_length
    if length is not None and length <= limit_bytes and "Content-Encoding" not in response.headers:
        return await response.read()
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > limit_bytes:
            response.close()  # the rest is not waited for; the connection is of no use any more
            if is_error:
                return b"".join(chunks)[:limit_bytes]
            reason = f"{response.status}, but with more than {limit_bytes:,} bytes; ask for less"
            raise Refused(name, field="answer", reason=reason)
    return b"".join(chunks)


def _headers(response: aiohttp.ClientResponse, hider: Hider) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in response.headers.items():
        key, text = name.lower(), _text(value)
        found[key] = f"{found[key]}, {text}" if key in found else text
    found.pop("set-cookie", None)  # of no use without a cookie jar, and often a secret
    return {name: hider.hide(value) for name, value in found.items()} if hider else found


def _text(value: str) -> str:
    """Return what a header says without the halves of characters that odd bytes are read as."""
    if value.isascii():
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _stripped(call: Call) -> Call:
    """Return the call with nothing that could tell another origin who asks."""
    kept = {name: value for name, value in call.headers.items() if name.lower() in HARMLESS}
    return msgspec.structs.replace(call, headers=kept)


def _onward(url: URL, place: str, name: str) -> URL:
    try:
        joined = str(url.join(URL(place)))
    except ValueError as error:
        reason = f"it is sent on to what is no address: {error}"
        raise Refused(name, field="url", reason=reason) from error
    return parsed(joined, name)
