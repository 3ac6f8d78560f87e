"""What Stripe does behind its Payment Element: a card and a client secret become a charge."""

import asyncio
import hmac
import time
from collections import OrderedDict, defaultdict
from typing import Any

import aiohttp
import msgspec

from lab.payments.account import Keys

PUBLIC = ("id", "object", "status", "amount", "currency", "client_secret", "created")
KEPT_TIMES = 1_000
LIMIT_S = 10.0


class Card(msgspec.Struct, frozen=True):
    number: str
    exp_month: int
    exp_year: int
    cvc: str


class Refused(Exception):
    """The payment did not go on; `error` is as Stripe.js hands it to the page."""

    def __init__(self, error: dict[str, Any], *, status: int = 402) -> None:
        super().__init__(error.get("message", ""))
        self.error = error
        self.status = status


class Checkout:
    """Confirms payments at localstripe with the secret key."""

    def __init__(self, api_url: str, keys: Keys) -> None:
        self._api_url = api_url
        self._keys = keys
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._session = aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth(keys.secret_key, "")},
            timeout=aiohttp.ClientTimeout(LIMIT_S),
        )
        self.paid_at: OrderedDict[str, float] = OrderedDict()
        """When payments succeeded, in epoch seconds, by id; the last 1,000."""

    async def close(self) -> None:
        await self._session.close()

    async def confirm(self, key: str, client_secret: str, card: Card) -> dict[str, Any]:
        """Return the payment, succeeded or in need of 3-D Secure. Raises Refused."""
        intent_id = self._check(key, client_secret)
        async with self._locks[intent_id]:
            intent = await self._intent(intent_id, client_secret)
            if intent["status"] == "requires_action":  # the client gave the last card up
                await self._post(
                    f"payment_intents/{intent_id}/_authenticate",
                    client_secret=client_secret,
                    success="false",
                )
            elif intent["status"] not in {"requires_payment_method", "requires_confirmation"}:
                raise _unexpected(intent)
            details = {f"card[{name}]": str(value) for name, value in _fields(card).items()}
            method = await self._post("payment_methods", type="card", **details)
            await self._post(f"payment_intents/{intent_id}", payment_method=method["id"])
            return self._seen(await self._post(f"payment_intents/{intent_id}/confirm"))

    async def authenticate(self, key: str, client_secret: str, *, success: bool) -> dict[str, Any]:
        """Return the payment after its 3-D Secure step. Raises Refused."""
        intent_id = self._check(key, client_secret)
        async with self._locks[intent_id]:
            intent = await self._intent(intent_id, client_secret)
            if intent["status"] != "requires_action":
                raise _unexpected(intent)
            intent = await self._post(
                f"payment_intents/{intent_id}/_authenticate",
                client_secret=client_secret,
                success="true" if success else "false",
            )
        if not success:
            error = {
                "type": "invalid_request_error",
                "code": "payment_intent_authentication_failure",
                "message": "We are unable to authenticate your payment method. "
                "Please choose a different payment method and try again.",
            }
            raise Refused(error)
        return self._seen(intent)

    def _check(self, key: str, client_secret: str) -> str:
        if not hmac.compare_digest(key.encode(), self._keys.publishable_key.encode()):
            error = {"type": "invalid_request_error", "message": "Invalid API Key provided."}
            raise Refused(error, status=401)
        return client_secret.partition("_secret_")[0]

    async def _intent(self, intent_id: str, client_secret: str) -> dict[str, Any]:
        error = {
            "type": "invalid_request_error",
            "code": "resource_missing",
            "message": f"No such payment_intent: '{intent_id}'",
        }
        missing = Refused(error, status=404)
        if not intent_id.startswith("pi_") or not intent_id.replace("_", "").isalnum():
            raise missing
        try:
            intent = await self._call("GET", f"payment_intents/{intent_id}", {})
        except Refused:
            raise missing from None
        if not hmac.compare_digest(intent["client_secret"].encode(), client_secret.encode()):
            raise missing
        return intent

    def _seen(self, intent: dict[str, Any]) -> dict[str, Any]:
        if intent["status"] == "succeeded":
            self.paid_at[intent["id"]] = time.time()
            while len(self.paid_at) > KEPT_TIMES:
                self.paid_at.popitem(last=False)
        return _public(intent)

    async def _post(self, path: str, **fields: str) -> dict[str, Any]:
        return await self._call("POST", path, fields)

    async def _call(self, method: str, path: str, fields: dict[str, str]) -> dict[str, Any]:
        url = f"{self._api_url}/v1/{path}"
        async with self._session.request(method, url, data=fields or None) as answer:
            document: dict[str, Any] = await answer.json()
        if answer.status == 200:
            return document
        error = document["error"]
        if answer.status == 402:
            error = error | {"type": "card_error"}
        raise Refused(error, status=answer.status)


def _fields(card: Card) -> dict[str, Any]:
    return msgspec.structs.asdict(card)


def _public(intent: dict[str, Any]) -> dict[str, Any]:
    return {name: intent[name] for name in PUBLIC}


def _unexpected(intent: dict[str, Any]) -> Refused:
    error = {
        "type": "invalid_request_error",
        "code": "payment_intent_unexpected_state",
        "message": f"This PaymentIntent's status is {intent['status']}.",
        "payment_intent": _public(intent),
    }
    return Refused(error, status=400)
