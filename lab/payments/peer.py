"""localstripe as a process of its own: `python -m lab.payments.peer FOLDER`.

It is localstripe's own application. Four things are set here because no option of it
sets them: it listens on loopback only, on a port that the kernel picks; it keeps its data
in FOLDER instead of one file that all instances of a machine share; it honours
`Idempotency-Key` as Stripe does; and a payment that was declined can be tried again with
another card.
"""

import asyncio
import contextlib
import ctypes
import hashlib
import os
import pickle
import signal
import socket
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web
from localstripe import resources
from localstripe.server import app as localstripe_app

PR_SET_PDEATHSIG = 1
KEPT_FILE = "localstripe.pickle"
WRITE_EVERY_S = 0.25

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Answer(msgspec.Struct, frozen=True):
    """What was answered to an idempotency key."""

    request: bytes
    status: int
    body: bytes


class Kept:
    """The data of one instance, written to a file shortly after it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._dirty = False
        self.answers: dict[str, Answer] = {}
        if path.exists():
            # Our own file, in a folder that only we write to.
            stored, self.answers = pickle.loads(path.read_bytes())  # noqa: S301
            resources.store.update(stored)
        resources.Store.dump_to_disk = lambda _store: self.touch()

    def touch(self) -> None:
        self._dirty = True

    def write(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        beside = self._path.with_suffix(".new")
        beside.write_bytes(pickle.dumps((dict(resources.store), self.answers)))
        beside.replace(self._path)

    async def follow(self, _app: web.Application) -> AsyncIterator[None]:
        """Write now and then while the application runs, and when it ends."""

        async def write_on() -> None:
            while True:
                await asyncio.sleep(WRITE_EVERY_S)
                self.write()

        task = asyncio.create_task(write_on())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        self.write()


def idempotent(kept: Kept) -> Any:
    """Return the middleware that answers a key it has seen as it did the first time.

    Source: Stripe API reference, "Idempotent requests"; another request under the same
    key is refused.
    """
    locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        key = request.headers.get("Idempotency-Key")
        if request.method != "POST" or not key:
            return await handler(request)
        digest = hashlib.sha256(request.path.encode() + b"\0" + await request.read()).digest()
        async with locks[key]:
            known = kept.answers.get(key)
            if known is None:
                answer = await handler(request)
                if isinstance(answer, web.Response) and answer.status in {200, 402}:
                    body = answer.body if isinstance(answer.body, bytes) else b""
                    kept.answers[key] = Answer(digest, answer.status, body)
                    kept.touch()
                return answer
        if known.request != digest:
            error = {
                "type": "idempotency_error",
                "message": "Keys for idempotent requests can only be used with the same "
                "parameters they were first used with.",
            }
            return web.json_response({"error": error}, status=400)
        return web.Response(
            body=known.body,
            status=known.status,
            content_type="application/json",
            headers={"Idempotent-Replayed": "true"},
        )

    return middleware


def allow_another_card() -> None:
    """Forget a declined charge when the payment gets another payment method."""
    intent = resources.PaymentIntent
    update = intent._api_update.__func__  # noqa: SLF001 - localstripe has no public way

    def updated(cls: Any, /, id: str, **data: Any) -> Any:  # noqa: A002 - localstripe's name
        changed = update(cls, id, **data)
        charge = changed.latest_charge
        if "payment_method" in data and charge is not None and charge.status == "failed":
            changed.latest_charge = None
        return changed

    intent._api_update = classmethod(updated)  # noqa: SLF001 - as above


def main(folder: Path) -> None:
    """Serve until SIGTERM; prints `listening PORT` once when ready."""
    _die_with_parent()
    kept = Kept(folder / KEPT_FILE)
    allow_another_card()
    localstripe_app.middlewares.insert(0, idempotent(kept))
    localstripe_app.cleanup_ctx.append(kept.follow)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(f"listening {listener.getsockname()[1]}", flush=True)
    web.run_app(localstripe_app, sock=listener, print=None, access_log=None, shutdown_timeout=1.0)


def _die_with_parent() -> None:
    """Linux: end when the parent dies, however it dies; elsewhere nothing."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
