"""A machine's network card: HTTP requests, with the time spent waiting for answers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

from lab.hardware_log import HardwareEvent

ANSWER_LIMIT_S = 30.0
MAX_BYTES = 64 * 1024 * 1024


class Unreachable(Exception):
    """No answer: the connection failed or timed out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    media_type: str = ""
    size_bytes: int | None = None
    """What was told of the size of the body."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


@dataclass(slots=True)
class NetworkCard:
    """Makes requests; while a span of hardware time is open, its waiting is added there."""

    session: aiohttp.ClientSession
    user_agent: str = "iPXE/1.21.1"
    _spans: list[HardwareEvent] = field(default_factory=list)

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        limit_s: float = ANSWER_LIMIT_S,
    ) -> Answer:
        """Return the answer, redirects followed; raise Unreachable when there is none."""
        began = time.monotonic()
        try:
            async with self.session.request(
                method,
                url,
                data=body,
                headers={"User-Agent": self.user_agent} | (headers or {}),
                timeout=aiohttp.ClientTimeout(total=limit_s),
            ) as answer:
                body = await answer.content.read(MAX_BYTES)
                return Answer(answer.status, body, answer.content_type, answer.content_length)
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as problem:
            raise Unreachable(f"{url}: {str(problem) or type(problem).__name__}") from None
        finally:
            for span in self._spans:
                span.waited_s += time.monotonic() - began

    @contextmanager
    def charging(self, span: HardwareEvent) -> Iterator[None]:
        """Add the waiting of the block's requests to `span`."""
        self._spans.append(span)
        try:
            yield
        finally:
            self._spans.remove(span)
