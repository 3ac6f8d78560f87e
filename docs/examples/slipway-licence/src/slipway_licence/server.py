"""The licence server: three calls, its errors in the words of the flow engine."""

import os
from datetime import datetime
from typing import Any

import httpx
import msgspec

from app.drivers.errors import Refused, Retriable, Unauthorised, Unreachable
from app.flows.node import StepFailed

PEER = "licence server"
LIMITS_S = httpx.Timeout(20.0, connect=5.0)


class Licence(msgspec.Struct, frozen=True):
    id: str
    product: str
    host: str
    expires_at: datetime


async def assign(*, product: str, host: str, reference: str) -> Licence:
    """Take a licence. Every call takes one: `reference` is only a mark to find it again by."""
    body = {"product": product, "host": host, "reference": reference}
    return msgspec.json.decode(await _call("POST", "/licences", json=body), type=Licence)


async def find(reference: str) -> list[Licence]:
    answer = await _call("GET", "/licences", params={"reference": reference})
    return msgspec.json.decode(answer, type=list[Licence])


async def give_back(licence: str) -> None:
    """Give a licence back; one that is gone already is given back too."""
    await _call("DELETE", f"/licences/{licence}", is_gone_fine=True)


async def _call(method: str, path: str, *, is_gone_fine: bool = False, **more: Any) -> bytes:
    """Call the server of the environment: parameters of nodes are journaled, tokens must not be."""
    url, token = os.environ.get("LICENCE_SERVER_URL"), os.environ.get("LICENCE_SERVER_TOKEN")
    if not url or not token:
        raise StepFailed("set LICENCE_SERVER_URL and LICENCE_SERVER_TOKEN for the workers")
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=LIMITS_S) as client:
            answer = await client.request(method, path, **more)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise Unreachable(PEER, f"no connection: {error}") from error
    except httpx.HTTPError as error:
        # It was asked and did not answer: it may have done it.
        message = f"{PEER}: no answer: {type(error).__name__}"
        raise StepFailed(message, transient=True, unknown=True) from error
    return _content(answer, is_gone_fine=is_gone_fine)


def _content(answer: httpx.Response, *, is_gone_fine: bool) -> bytes:
    status, said = answer.status_code, answer.text[:200]
    if status < 300 or (status == 404 and is_gone_fine):
        return answer.content
    if status in (401, 403):
        raise Unauthorised(PEER, "the token is not accepted; correct LICENCE_SERVER_TOKEN")
    if status in (429, 503):
        raise Retriable(PEER, f"it is busy: {said}")
    if status >= 500:
        raise StepFailed(f"{PEER}: {status} {said}", transient=True, unknown=True)
    raise Refused(PEER, field="licence", reason=said)
