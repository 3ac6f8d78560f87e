"""Take credentials out of what a peer says: some answer with the request they were sent."""

from collections.abc import Iterable
from urllib.parse import quote, quote_plus

import msgspec

from app.core.redact import HIDDEN

SHORTEST_CHARS = 4
"""What is shorter occurs by chance; a text would be shredded, and little be hidden."""


class Hider:
    """Replaces secrets, however they are written."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {
            form for secret in secrets if len(secret) >= SHORTEST_CHARS for form in _forms(secret)
        }
        # The longest first: one may hold another.
        self._texts = sorted(found, key=len, reverse=True)
        self._needles = [text.encode() for text in self._texts]

    def __bool__(self) -> bool:
        return bool(self._texts)

    def hide(self, text: str) -> str:
        for secret in self._texts:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text

    def hide_bytes(self, raw: bytes) -> bytes:
        for needle in self._needles:
            if needle in raw:
                raw = raw.replace(needle, HIDDEN.encode())
        return raw


NOTHING_HIDDEN = Hider(())


def _forms(secret: str) -> set[str]:
    """Return a secret as it is, in a URL, in a form and in JSON."""
    quoted = msgspec.json.encode(secret).decode()[1:-1]
    return {secret, quote(secret, safe=""), quote_plus(secret), quoted}
