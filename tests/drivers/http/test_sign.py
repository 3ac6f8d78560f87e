"""HMAC signatures as other parties' documents give them."""

import base64
import hashlib
import hmac

import pytest
from yarl import URL

from app.drivers.http.contract import Signing
from app.drivers.http.sign import PAYLOAD_NAMES, signature, unknown_names
from app.drivers.secret import Secret

URL_ = URL("https://api.test/v1/x%20y?b=2&a=%26")


def sign(body: bytes = b"", **facts: str) -> dict[str, str]:
    signing = Signing(key=Secret("It's a Secret to Everybody"), **facts)  # type: ignore[arg-type]
    return signature(signing, method="POST", url=URL_, body=body, timestamp=1_700_000_000)


def test_github() -> None:
    """Source: docs.github.com, "Validating webhook deliveries", its testing values."""
    assert sign(
        b"Hello, World!", payload="{body}", header="X-Hub-Signature-256", value="sha256={hex}",
        timestamp_header="",
    ) == {
        "X-Hub-Signature-256": "sha256="
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    }  # fmt: skip


def test_stripe() -> None:
    made = sign(b"{}", header="Stripe-Signature", value="t={timestamp},v1={hex}")
    digest = hmac.new(b"It's a Secret to Everybody", b"1700000000.{}", hashlib.sha256).hexdigest()
    assert made == {
        "Stripe-Signature": f"t=1700000000,v1={digest}",
        "X-Timestamp": "1700000000",
    }


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_a_canonical_request(algorithm: str) -> None:
    made = sign(
        b"abc", payload="{method}\\n{path}\\n{query}\\n{timestamp}\\n{body_sha256}",
        value="{base64}", algorithm=algorithm,
    )  # fmt: skip
    text = "\n".join(
        ["POST", "/v1/x%20y", "b=2&a=%26", "1700000000", hashlib.sha256(b"abc").hexdigest()]
    )
    digest = hmac.new(b"It's a Secret to Everybody", text.encode(), algorithm).digest()
    assert made["X-Signature"] == base64.b64encode(digest).decode()


def test_names_in_the_body_are_not_filled_in() -> None:
    digest = hmac.new(b"It's a Secret to Everybody", b"{method}\\n", hashlib.sha256).hexdigest()
    assert sign(b"{method}\\n", payload="{body}")["X-Signature"] == digest


def test_names_that_mean_nothing_are_found() -> None:
    assert unknown_names("{method}{nonce}{body}{x}", PAYLOAD_NAMES) == ["nonce", "x"]
