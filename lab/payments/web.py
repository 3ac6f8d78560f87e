"""The web server: the browser library, what its frames call, and the webhook relay."""

from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from lab.payments.checkout import Card, Checkout, Refused
from lab.payments.relay import Mode, Relay

BROWSER = Path(__file__).parent / "browser"
LIBRARY = "/js.stripe.com/v3/"
FRAMES = {
    "element.html": "text/html",
    "element.js": "text/javascript",
    "challenge.html": "text/html",
    "challenge.js": "text/javascript",
    "frame.css": "text/css",
}
FRAME_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)


class Confirmation(msgspec.Struct, frozen=True):
    key: str
    client_secret: str
    card: Card


class Authentication(msgspec.Struct, frozen=True):
    key: str
    client_secret: str
    success: bool


class Switch(msgspec.Struct, frozen=True):
    mode: Mode
    late_s: float | None = None


class PaymentsWeb:
    """The routes. The frames are of this origin, so their calls need no CORS."""

    def __init__(self, checkout: Checkout, relay: Relay) -> None:
        self._checkout = checkout
        self._relay = relay

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self.health),
                web.get(LIBRARY, self.library),
                web.get(LIBRARY + "{name}", self.frame),
                web.post("/api/confirm", self.confirm),
                web.post("/api/authenticate", self.authenticate),
                web.get("/api/webhooks", self.show_webhooks),
                web.post("/api/webhooks", self.switch_webhooks),
                web.post("/relay", self.relay),
            ]
        )
        return app

    async def health(self, _request: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def library(self, _request: web.Request) -> web.Response:
        return _file("stripe.js", "text/javascript")

    async def frame(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in FRAMES:
            raise web.HTTPNotFound(text=f"There is no {name}")
        answer = _file(name, FRAMES[name])
        answer.headers["Content-Security-Policy"] = FRAME_CSP
        return answer

    async def confirm(self, request: web.Request) -> web.Response:
        asked = await _body(request, Confirmation)
        try:
            intent = await self._checkout.confirm(asked.key, asked.client_secret, asked.card)
        except Refused as refused:
            return _json({"error": refused.error}, refused.status)
        return _json({"paymentIntent": intent})

    async def authenticate(self, request: web.Request) -> web.Response:
        asked = await _body(request, Authentication)
        try:
            intent = await self._checkout.authenticate(
                asked.key, asked.client_secret, success=asked.success
            )
        except Refused as refused:
            return _json({"error": refused.error}, refused.status)
        return _json({"paymentIntent": intent})

    async def show_webhooks(self, _request: web.Request) -> web.Response:
        relay = self._relay
        return _json(
            {"mode": relay.mode, "late_s": relay.late_s, "deliveries": list(relay.deliveries)}
        )

    async def switch_webhooks(self, request: web.Request) -> web.Response:
        asked = await _body(request, Switch)
        self._relay.mode = asked.mode
        if asked.late_s is not None:
            self._relay.late_s = max(asked.late_s, 0.0)
        return _json({"mode": self._relay.mode, "late_s": self._relay.late_s})

    async def relay(self, request: web.Request) -> web.Response:
        try:
            self._relay.take(dict(request.headers), await request.read())
        except msgspec.MsgspecError as problem:
            raise web.HTTPBadRequest(text=f"This is no event: {problem}") from None
        return web.Response()


async def _body(request: web.Request, kind: Any) -> Any:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.MsgspecError as problem:
        raise web.HTTPBadRequest(text=str(problem)) from None


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )


def _file(name: str, content_type: str) -> web.Response:
    return web.Response(
        body=(BROWSER / name).read_bytes(),
        content_type=content_type,
        charset="utf-8",
        headers={"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"},
    )
