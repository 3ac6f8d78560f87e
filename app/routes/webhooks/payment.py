"""`/webhooks/{gateway}`: what payment gateways tell us."""

import structlog
from litestar import Controller, Response, post
from litestar.params import FromPath

from app.core.errors import NotFound
from app.domain.billing.webhook import receive
from app.drivers.errors import DriverError
from app.routes.security.dependencies import Db, Gateways, HttpRequest
from app.routes.security.rate_limit import WEBHOOK, limited
from app.routes.security.visit import address_of

MAX_BODY_BYTES = 256 * 1024
"""Stripe's events are a few kilobytes; an object in one may have 50 metadata of 500 characters."""

log = structlog.get_logger(__name__)


class PaymentWebhook(Controller):
    """A gateway calls without a session; its signature is what it shows instead."""

    path = "/webhooks"
    include_in_schema = False

    @post(
        "/{gateway:str}",
        guards=[limited(WEBHOOK)],
        status_code=200,
        request_max_body_size=MAX_BODY_BYTES,
    )
    async def receive_event(
        self,
        request: HttpRequest,
        db: Db,
        gateways: Gateways,
        gateway: FromPath[str],
    ) -> Response[str]:
        """Settle what the event tells, once, in one transaction with what follows from it.

        200 means that it need not be sent again, also when it told of no payment. 400 for
        what is not signed or not understood; why is in the log only.
        """
        known = gateways.get(gateway)
        if known is None:
            raise NotFound("payment gateway", gateway)
        body = await request.body()
        try:
            event = known.parse_webhook(request.headers, body)
        except DriverError as error:
            log.warning(
                "webhook refused", gateway=gateway, address=address_of(request), error=error.message
            )
            return Response("", status_code=400, media_type="text/plain")
        async with db.transaction() as tx:
            settled = await receive(tx, gateway, event)
        log.info(
            "webhook received",
            gateway=gateway,
            event_id=event.event_id,
            kind=event.kind,
            outcome=settled.outcome if settled else None,
        )
        return Response("", media_type="text/plain")
