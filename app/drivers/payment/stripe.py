"""Stripe: PaymentIntents for the Payment Element, signed webhooks, events for reconciliation."""

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
import stripe as stripe_api

from app.core.money import Money
from app.drivers.errors import BadSignature, Refused
from app.drivers.payment.contract import (
    PaymentFact,
    PaymentRequest,
    PaymentState,
    RefundFact,
    SettledBy,
    StartedPayment,
    WebhookEvent,
)
from app.drivers.payment.stripe_words import from_stripe, to_stripe, translate
from app.drivers.secret import Secret

PEER: Final = "stripe"
TIMEOUT_S = 15.0
WEBHOOK_TOLERANCE_S = 300
"""How old a signature may be: a captured webhook cannot be replayed later."""

T = TypeVar("T")


class StripeAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Our account at Stripe."""

    secret_key: Secret
    publishable_key: str
    """Goes to the client's browser."""
    webhook_secret: Secret
    api_base: str = stripe_api.DEFAULT_API_BASE
    """Another address for a stand-in such as localstripe."""


class _HttpClient(stripe_api.HTTPXClient):
    """Sends bodies as httpx wants them: the library's `data=bytes` is deprecated there."""

    def _get_request_args_kwargs(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any
    ) -> list[Any]:
        args, options = super()._get_request_args_kwargs(method, url, headers, post_data)
        options["content"] = options.pop("data") or None
        return [args, options]


class StripeGateway:
    """Adapter of `Gateway`. One per process and event loop."""

    key = "stripe"
    label = "Card"
    settled_by = SettledBy.WEBHOOK

    def __init__(self, account: StripeAccount) -> None:
        self.publishable_key = account.publishable_key
        self._webhook_secret = account.webhook_secret
        self._http = _HttpClient(timeout=TIMEOUT_S)
        self._client = stripe_api.StripeClient(
            account.secret_key.reveal(),
            base_addresses={"api": account.api_base},
            http_client=self._http,
            # Only what did not reach Stripe, or 409/5xx, and always with the same key.
            max_network_retries=2,
        )

    async def start(self, request: PaymentRequest) -> StartedPayment:
        # Payment methods are chosen in Stripe's dashboard: `automatic_payment_methods` is
        # the default since API version 2023-08-16, which the library pins past.
        intent = await _asked(
            self._client.v1.payment_intents.create_async(
                {
                    "amount": to_stripe(request.amount),
                    "currency": request.amount.currency.lower(),
                    "metadata": {
                        "invoice_id": request.invoice_id,
                        "invoice_number": request.invoice_number,
                    },
                },
                {"idempotency_key": request.idempotency_key},
            )
        )
        return StartedPayment(ref=intent.id, client_secret=intent.client_secret)

    async def fetch(self, ref: str) -> PaymentFact:
        intent = await _asked(self._client.v1.payment_intents.retrieve_async(ref))
        return _fact(intent.to_dict(), event_id=None)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        signature = next(
            (value for name, value in headers.items() if name.lower() == "stripe-signature"), None
        )
        try:
            stripe_api.WebhookSignature.verify_header(
                body.decode(), signature, self._webhook_secret.reveal(), WEBHOOK_TOLERANCE_S
            )
            event = msgspec.json.decode(body)
        except (stripe_api.SignatureVerificationError, ValueError) as error:
            raise BadSignature(PEER, str(error)) from error
        return _event(event)

    async def refund(self, ref: str, amount: Money, idempotency_key: str) -> RefundFact:
        refund = await _asked(
            self._client.v1.refunds.create_async(
                {"payment_intent": ref, "amount": to_stripe(amount)},
                {"idempotency_key": idempotency_key},
            )
        )
        return RefundFact(
            ref=refund.id,
            payment_ref=ref,
            state=_REFUND_STATES.get(refund.status or "", PaymentState.PENDING),
            amount=from_stripe(refund.amount, refund.currency),
        )

    async def recent(self, since: datetime) -> list[PaymentFact]:
        """Stripe keeps events for 30 days; one request per 100 of them."""
        events = await _asked(
            self._client.v1.events.list_async(
                {
                    "type": "payment_intent.succeeded",
                    "created": {"gte": int(since.timestamp())},
                    "limit": 100,
                }
            )
        )
        found = [event.to_dict() async for event in events.auto_paging_iter()]
        found.sort(key=lambda event: event["created"])
        return [fact for event in found if (fact := _event(event).fact) is not None]

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it open


_REFUND_STATES = {
    "succeeded": PaymentState.SUCCEEDED,
    "failed": PaymentState.FAILED,
    "canceled": PaymentState.CANCELED,
}


async def _asked(call: Awaitable[T]) -> T:
    try:
        return await call
    except stripe_api.StripeError as error:
        raise translate(PEER, error) from error


def _event(event: dict[str, Any]) -> WebhookEvent:
    try:
        event_id, kind, thing = event["id"], event["type"], event["data"]["object"]
        fact = _fact(thing, event_id=event_id) if thing["object"] == "payment_intent" else None
    except (KeyError, TypeError) as error:
        raise Refused(PEER, field="event", reason=f"it has no {error}") from error
    return WebhookEvent(event_id=event_id, kind=kind, ref=fact.ref if fact else None, fact=fact)


def _fact(intent: dict[str, Any], *, event_id: str | None) -> PaymentFact:
    state = _state(intent)
    amount_minor = intent["amount"]
    if state is PaymentState.SUCCEEDED:
        amount_minor = intent.get("amount_received") or amount_minor
    return PaymentFact(
        ref=intent["id"],
        state=state,
        amount=from_stripe(amount_minor, intent["currency"]),
        invoice_id=(intent.get("metadata") or {}).get("invoice_id"),
        event_id=event_id,
    )


def _state(intent: dict[str, Any]) -> PaymentState:
    match intent["status"]:
        case "succeeded":
            return PaymentState.SUCCEEDED
        case "canceled":
            return PaymentState.CANCELED
        case "requires_payment_method" if intent.get("last_payment_error"):
            return PaymentState.FAILED
        case _:
            return PaymentState.PENDING
