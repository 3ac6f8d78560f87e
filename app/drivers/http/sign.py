r"""HMAC signatures as APIs ask for them: what is signed and how it is sent are templates. Pure.

In the payload: `{method}`, `{path}`, `{query}`, `{url}`, `{timestamp}`, `{body}`, `{body_sha256}`;
`\n` is a line break. In the header's value: `{hex}`, `{base64}`, `{timestamp}`. Stripe signs
`{timestamp}.{body}` and sends `t={timestamp},v1={hex}` as `Stripe-Signature`.
"""

import base64
import hashlib
import hmac
import re

from yarl import URL

from app.drivers.http.contract import Signing

ALGORITHMS = ("sha256", "sha512", "sha1")
PAYLOAD_NAMES = frozenset({"method", "path", "query", "url", "timestamp", "body", "body_sha256"})
VALUE_NAMES = frozenset({"hex", "base64", "timestamp"})
_NAME = re.compile(rb"\{(\w+)\}|\\n")


def signature(
    signing: Signing, *, method: str, url: URL, body: bytes, timestamp: int
) -> dict[str, str]:
    """Return the headers that sign one call."""
    values = {
        b"method": method.encode(),
        b"path": url.raw_path.encode(),
        b"query": url.raw_query_string.encode(),
        b"url": str(url).encode(),
        b"timestamp": str(timestamp).encode(),
        b"body": body,
        b"body_sha256": hashlib.sha256(body).hexdigest().encode(),
    }
    payload = _NAME.sub(
        # One pass: what the body holds is not looked at for names.
        lambda found: b"\n" if found[1] is None else values.get(found[1], found[0]),
        signing.payload.encode(),
    )
    digest = hmac.new(signing.key.reveal().encode(), payload, signing.algorithm).digest()
    value = (
        signing.value.replace("{timestamp}", str(timestamp))
        .replace("{hex}", digest.hex())
        .replace("{base64}", base64.b64encode(digest).decode())
    )
    headers = {signing.header: value}
    if signing.timestamp_header:
        headers[signing.timestamp_header] = str(timestamp)
    return headers


def unknown_names(template: str, known: frozenset[str]) -> list[str]:
    """Return the names in a template that mean nothing there."""
    return sorted({name for name in re.findall(r"\{(\w+)\}", template) if name not in known})
