"""Signatures: as the senders make them, and nothing that is nearly one."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest

from app.flows.nodes.webhook import Params
from app.flows.triggers.signature import NotSigned, secret_headers, verify

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = b'{"event": "push"}'
SECRET = "It's a Secret to Everybody"


def hook(**given: Any) -> Params:
    return Params(path="x", connection="peer", **{"auth": "hmac", **given})


def mac(text: bytes, *, key: bytes = SECRET.encode(), algorithm: str = "sha256") -> bytes:
    return hmac.new(key, text, algorithm).digest()


def is_let_in(
    params: Params, headers: dict[str, str], *, secret: str = SECRET, body: bytes = BODY
) -> bool:
    try:
        verify(params, secret, headers=headers, body=body, now=NOW)
    except NotSigned:
        return False
    return True


def test_github() -> None:
    """GitHub's own example of its documentation."""
    headers = {
        "x-hub-signature-256": "sha256="
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    }
    assert is_let_in(hook(), headers, body=b"Hello, World!")
    assert not is_let_in(hook(), headers, body=b"Hello, World?")
    assert not is_let_in(hook(), headers, body=b"Hello, World!", secret="another")


def test_shopify() -> None:
    params = hook(header="X-Shopify-Hmac-Sha256")
    assert is_let_in(params, {"x-shopify-hmac-sha256": base64.b64encode(mac(BODY)).decode()})


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_a_signature_of_the_body_in_hex(algorithm: str) -> None:
    params = hook(header="X-Signature", algorithm=algorithm)
    digest = mac(BODY, algorithm=algorithm).hex()
    for given in (digest, digest.upper(), f"{algorithm}={digest}"):
        assert is_let_in(params, {"x-signature": given})
    for given in ("", digest[:-2], digest[:-2] + "00", f"md5={digest}", "é", "=" * 8, digest * 2):
        assert not is_let_in(params, {"x-signature": given})
    assert not is_let_in(params, {})


def test_standard_webhooks() -> None:
    """The secret is the one of the specification's examples."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    params, secret = hook(scheme="standard"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    def headers(signed: bytes, *, stamp: str = STAMP, identity: str = "msg_1") -> dict[str, str]:
        signature = base64.b64encode(mac(signed, key=key)).decode()
        return {
            "webhook-id": identity,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1a,bm90IHRoaXM= v1,{signature}",
        }

    good = headers(f"msg_1.{STAMP}.".encode() + BODY)
    assert is_let_in(params, good, secret=secret)
    assert not is_let_in(params, {**good, "webhook-id": "msg_2"}, secret=secret)
    assert not is_let_in(params, {**good, "webhook-id": ""}, secret=secret)
    late = str(int(STAMP) - 301)
    assert not is_let_in(
        params, headers(f"msg_1.{late}.".encode() + BODY, stamp=late), secret=secret
    )


def test_a_standard_secret_that_is_no_base64_is_taken_as_it_is() -> None:
    signature = base64.b64encode(mac(f"msg_1.{STAMP}.".encode() + BODY)).decode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": STAMP,
        "webhook-signature": f"v1,{signature}",
    }
    assert is_let_in(hook(scheme="standard"), headers)


def test_stripe() -> None:
    params, good = hook(scheme="stripe"), mac(f"{STAMP}.".encode() + BODY).hex()
    assert is_let_in(params, {"stripe-signature": f"t={STAMP},v1={'0' * 64}, v1={good}"})
    for given in (
        f"t={STAMP},v0={good}",
        f"v1={good}",
        f"t={int(STAMP) + 1},v1={good}",
        f"t={int(STAMP) - 301},v1={good}",
        f"t=²,v1={good}",
        "",
    ):
        assert not is_let_in(params, {"stripe-signature": given})


def test_slack() -> None:
    params, good = hook(scheme="slack"), mac(f"v0:{STAMP}:".encode() + BODY).hex()
    stamp = {"x-slack-request-timestamp": STAMP}
    assert is_let_in(params, {**stamp, "x-slack-signature": f"v0={good}"})
    assert not is_let_in(params, {**stamp, "x-slack-signature": good})
    assert not is_let_in(params, {"x-slack-signature": f"v0={good}"})


def test_only_so_many_signatures_are_looked_at() -> None:
    good = mac(f"{STAMP}.".encode() + BODY).hex()
    many = ",".join(["v1=00"] * 10)
    assert not is_let_in(hook(scheme="stripe"), {"stripe-signature": f"t={STAMP},{many},v1={good}"})


def test_a_token() -> None:
    bearer, named = hook(auth="token"), hook(auth="token", header="X-Gitlab-Token")
    assert is_let_in(bearer, {"authorization": f"Bearer {SECRET}"})
    assert is_let_in(bearer, {"authorization": f"bearer {SECRET} "})
    assert is_let_in(named, {"x-gitlab-token": SECRET})
    for given in ("", SECRET, f"Basic {SECRET}", "Bearer ", "Bearer é"):
        assert not is_let_in(bearer, {"authorization": given})
    assert not is_let_in(named, {"authorization": f"Bearer {SECRET}"})


def test_why_is_said_without_the_secret() -> None:
    with pytest.raises(NotSigned) as refused:
        verify(hook(auth="token"), SECRET, headers={}, body=BODY, now=NOW)
    assert str(refused.value) == "there is no bearer token"


def test_a_connection_without_a_secret_lets_nobody_in() -> None:
    empty = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    assert not is_let_in(hook(), {"x-hub-signature-256": f"sha256={empty}"}, secret="")
    assert not is_let_in(hook(auth="token"), {"authorization": "Bearer "}, secret="")


def test_what_lets_a_caller_in_is_not_kept() -> None:
    assert {"authorization", "cookie", "x-key", "x-hub-signature-256"} <= secret_headers(
        hook(header="X-Key")
    )
