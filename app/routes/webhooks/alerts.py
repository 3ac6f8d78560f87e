"""`/webhooks/alertmanager`: what Alertmanager sends."""

import hmac
from operator import itemgetter

import msgspec
import structlog
from litestar import Controller, Response, post

from app.core.errors import NotFound
from app.core.outbox import emit
from app.flows.inputs import storable_data
from app.flows.triggers.alerts import read_alertmanager
from app.routes.security.dependencies import Config, Db, HttpRequest
from app.routes.security.rate_limit import WEBHOOK, limited
from app.routes.webhooks.flow import MAX_BODY_BYTES, CallRefused

log = structlog.get_logger(__name__)


class AlertWebhook(Controller):
    """Alertmanager calls without a session; the bearer token of its `http_config` lets it in."""

    path = "/webhooks/alertmanager"
    include_in_schema = False

    @post(guards=[limited(WEBHOOK)], status_code=200, request_max_body_size=MAX_BODY_BYTES)
    async def receive(self, request: HttpRequest, db: Db, settings: Config) -> Response[str]:
        """Note each alert once, however often and by whomever it is sent; flows follow.

        404 without a token in the settings, 401 for another one, 400 for anything else than
        what Alertmanager sends.
        """
        token = settings.alert_token.get_secret_value()
        if not token:
            raise NotFound("page", request.scope["path"])
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
            raise CallRefused
        alerts = read_alertmanager(await request.body())
        async with db.transaction() as tx:
            # In one order, so that two Alertmanagers with the same alerts do not block each other.
            for key, alert in sorted(alerts, key=itemgetter(0)):
                payload = storable_data(msgspec.to_builtins(alert))
                await emit(tx, "alert.received", key, payload)
        log.info("alerts received", alerts=len(alerts))
        return Response("", media_type="text/plain")
